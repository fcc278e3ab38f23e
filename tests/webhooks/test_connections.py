"""Connections to the database: one that the server ended is never given to a request."""

from select import select

import pytest
from django.db import connection

from config.pooled.base import is_alive

pytestmark = pytest.mark.django_db


@pytest.fixture
def pooled():
    """A connection of Django's with a pool of its own."""
    yield from opened("pooled")


@pytest.fixture
def another():
    """And one more."""
    yield from opened("another")


def opened(alias):
    copy = connection.copy(alias)
    yield copy
    copy.close()
    copy.close_pool()


def pid_of(pooled):
    pooled.ensure_connection()
    return pooled.connection.info.backend_pid


def test_a_connection_is_used_again(pooled):
    pid = pid_of(pooled)
    pooled.close()

    assert pid_of(pooled) == pid


def test_a_connection_that_the_server_ended_is_replaced(pooled, another):
    pid = pid_of(pooled)
    pooled.close()
    with another.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    assert pid_of(pooled) != pid
    with pooled.cursor() as cursor:
        cursor.execute("SELECT 1")


def test_a_connection_on_which_the_server_only_spoke_is_kept(pooled, another):
    pid, held = pid_of(pooled), pooled.connection
    with pooled.cursor() as cursor:
        cursor.execute("LISTEN news")
    pooled.close()
    with another.cursor() as cursor:
        cursor.execute("NOTIFY news, 'all is well'")
    assert select([held.fileno()], [], [], 5)[0]

    assert pid_of(pooled) == pid


def test_what_was_closed_is_not_alive(pooled):
    pooled.ensure_connection()
    pooled.connection.close()

    assert not is_alive(pooled.connection)
