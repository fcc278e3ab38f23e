"""Connections for attacks: kept open through the run, and rolled back after every test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
from django.db import connections

from config.postgres_home import APPLICATION, OWNER, SUPERUSER
from ledger import operations
from ledger.models import PUBLIC
from ledger.operations import Application, Flow, MoneyOperation
from tests.database import running_server
from tests.ledger.pen import Pen
from tests.ledger.tampering import Tamper, unguarded


@pytest.fixture(scope="session")
def connected(django_db_setup) -> Iterator[Callable[[str], psycopg.Connection]]:
    """Return what gives the one connection of a role."""
    opened: dict[str, psycopg.Connection] = {}
    server, name = running_server(), connections["default"].settings_dict["NAME"]
    with ExitStack() as stack:

        def connection_of(role: str) -> psycopg.Connection:
            if role not in opened:
                connection = psycopg.connect(server.url(role, name), autocommit=True)
                opened[role] = stack.enter_context(connection)
            return opened[role]

        yield connection_of


@pytest.fixture(params=[APPLICATION, OWNER])
def pen(request, connected) -> Iterator[Pen]:
    """A book that nobody else sees, written by either role."""
    connection = connected(request.param)
    with connection.transaction(force_rollback=True):
        yield Pen(connection)


@pytest.fixture
def application_pen(connected) -> Iterator[Pen]:
    """The same, by the application's role."""
    connection = connected(APPLICATION)
    with connection.transaction(force_rollback=True):
        yield Pen(connection)


@pytest.fixture
def owner_pen(connected) -> Iterator[Pen]:
    """The same, by the owner's role."""
    connection = connected(OWNER)
    with connection.transaction(force_rollback=True):
        yield Pen(connection)


@pytest.fixture(scope="session")
def unguarded_database(django_db_setup) -> Iterator[str]:
    """A second database of this worker, in which the ledger's tables take anything."""
    # pytest wants to load this module itself, after this one.
    from tests.database_fixtures import TEMPLATE

    name = f"{connections['default'].settings_dict['NAME']}_unguarded"
    with unguarded(running_server(), name, TEMPLATE):
        yield name


@pytest.fixture
def tamper(unguarded_database, django_db_blocker) -> Iterator[Tamper]:
    """The superuser's hand; Django uses the unguarded database meanwhile."""
    from tests.database_fixtures import empty_tables, use_database

    server, usual = running_server(), connections["default"].settings_dict["NAME"]
    use_database(server, unguarded_database)
    url = server.url(SUPERUSER, unguarded_database)
    try:
        with django_db_blocker.unblock(), psycopg.connect(url, autocommit=True) as connection:
            yield Tamper(connection)
            empty_tables(connection)
    finally:
        use_database(server, usual)


@pytest.fixture
def any_flow(monkeypatch) -> None:
    """Let every operation of money move between any accounts."""
    anywhere = (Flow(("*",), ("*",)),)
    lax = Application(
        book=PUBLIC,
        operations=MoneyOperation,
        flows=dict.fromkeys(set(MoneyOperation) - operations.BOOK_FLOWS.keys(), anywhere),
    )
    monkeypatch.setitem(operations.registered, PUBLIC, lax)
