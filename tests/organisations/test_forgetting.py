"""Every night, sessions that ended and counters that ran out are deleted; the others stay."""

from datetime import timedelta

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from organisations.tasks import forget_expired_nightly

pytestmark = pytest.mark.django_db


def test_sessions_that_ended_are_deleted():
    over, alive = SessionStore(), SessionStore()
    for session in (over, alive):
        session.create()
    ended = timezone.now() - timedelta(seconds=1)
    Session.objects.filter(session_key=over.session_key).update(expire_date=ended)

    forget_expired_nightly(timestamp=0)

    assert [session.session_key for session in Session.objects.all()] == [alive.session_key]


def test_counters_that_ran_out_are_deleted():
    cache.set("over", 1, timeout=-60)
    cache.set("alive", 2, timeout=60)

    forget_expired_nightly(timestamp=0)

    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM organisations_cache")
        assert cursor.fetchall() == [(":1:alive",)]
    assert cache.get("alive") == 2
