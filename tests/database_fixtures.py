"""
The databases of the tests, one for each worker, and direct connections to them.

As in production the owner role migrates and the application role does everything else. What a test
really commits is deleted after it by the superuser, the only one whom the ledger's guards let.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest import mock

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections
from django.db.backends.postgresql.operations import DatabaseOperations
from psycopg import sql

from config import postgres
from config.postgres_home import APPLICATION, OWNER, SUPERUSER
from tests.database import FOLDER, running_server

TEMPLATE = "test_almoner"
KEPT = ("django_migrations", "django_content_type", "auth_permission")
EVERY_TABLE = """
    SELECT format('SELECT %%1$L WHERE EXISTS (SELECT FROM %%1$s)', tablename::regclass)
    FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL (%s)
"""
GUARDS = """
    SELECT format('ALTER TABLE %%s', tgrelid::regclass), quote_ident(tgname) FROM pg_trigger
    WHERE tgenabled = 'A' AND NOT tgisinternal AND tgrelid::regclass::text = ANY (%s)
"""


@pytest.fixture(scope="session")
def django_db_setup(request, django_test_environment, django_db_blocker) -> Iterator[None]:
    """Make this worker's database; replaces pytest-django's, which would migrate as one role."""
    server = running_server()
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    name = f"{TEMPLATE}_{worker}"
    with django_db_blocker.unblock(), ExitStack() as stack:
        make_template(server)
        postgres.make_database(server, name, TEMPLATE)
        stack.callback(drop_database, server, name)
        use_database(server, name)
        stack.callback(close_connections)
        flush = stack.enter_context(flushing_as_superuser(server, name))
        stack.enter_context(mock.patch.object(DatabaseOperations, "execute_sql_flush", flush))
        with django_db_blocker.block():
            yield


def make_template(server: postgres.Server) -> None:
    """Migrate one database, once; every worker's is a copy of it."""
    with Path(os.environ[FOLDER], "template.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if lock.tell() == 0:
            postgres.make_database(server, TEMPLATE)
            use_database(server, TEMPLATE)
            call_command("migrate", verbosity=0)
            close_connections()
            lock.write("done")


def use_database(server: postgres.Server, name: str) -> None:
    """Send Django, and every program that a test starts, to a database."""
    close_connections()
    for connection in connections.all():
        connection.settings_dict["NAME"] = name
    os.environ["DATABASE_URL"] = server.url(APPLICATION, name)
    os.environ["DATABASE_OWNER_URL"] = server.url(OWNER, name)


def close_connections() -> None:
    """Close what Django keeps open; a pool keeps more than the connection in use."""
    for connection in connections.all():
        connection.close()
        connection.close_pool()


def drop_database(server: postgres.Server, name: str) -> None:
    """Drop a worker's database, also when a test's program still holds on to it."""
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def flushing_as_superuser(server: postgres.Server, name: str) -> Iterator[Callable[..., None]]:
    """Provide what empties the tables after a test that commits, in Django's place."""
    with psycopg.connect(server.url(SUPERUSER, name), autocommit=True) as connection:

        def flush(operations: DatabaseOperations, statements: list[str]) -> None:
            with connection.transaction():
                empty_tables(connection)

        yield flush


def empty_tables(connection: psycopg.Connection) -> None:
    """Delete every row but Django's own; the guards that always fire are off meanwhile."""
    questions = connection.execute(EVERY_TABLE, [list(KEPT)])
    filled = connection.execute(" UNION ALL ".join(question for (question,) in questions))
    tables = [table for (table,) in filled]
    guards = connection.execute(GUARDS, [tables]).fetchall()
    statements = [
        "SET LOCAL session_replication_role = replica",
        "SET LOCAL lock_timeout = '20s'",
        *(f"{alter} DISABLE TRIGGER {guard}" for alter, guard in guards),
        *(f"DELETE FROM {table}" for table in tables),
        *(f"{alter} ENABLE ALWAYS TRIGGER {guard}" for alter, guard in guards),
    ]
    connection.execute("; ".join(statements))


@pytest.fixture
def connect(transactional_db) -> Iterator[Callable[[str], psycopg.Connection]]:
    """Return what opens a plain connection as a role; what it commits is deleted after the test."""
    server, name = running_server(), connections["default"].settings_dict["NAME"]
    with ExitStack() as stack:

        def open_connection(role: str) -> psycopg.Connection:
            connection = psycopg.connect(server.url(role, name), autocommit=True)
            return stack.enter_context(connection)

        yield open_connection


@pytest.fixture
def owner_connection(connect) -> psycopg.Connection:
    """A plain connection as the role that owns the tables."""
    return connect(OWNER)


@pytest.fixture
def application_connection(connect) -> Callable[[], psycopg.Connection]:
    """Return what opens connections as the application's role: as many as the test needs."""
    return lambda: connect(APPLICATION)


@pytest.fixture
def superuser_connection(connect) -> psycopg.Connection:
    """A plain connection as the superuser, whom only the server's files outrank."""
    return connect(SUPERUSER)
