"""The PostgreSQL that is measured: durable or refused, and a database for each rival."""

import os
import platform
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection, connections

from config import postgres
from config.postgres_home import APPLICATION, OWNER, SUPERUSER

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
OWN_SLUG = "bench-%"
PAGE = bytes(8192)
TABLES = ("ledger_entry", "ledger_account", "ledger_book")


class Refusal(Exception):
    """The bench does not run like this; the message says why."""


def machine() -> dict[str, Any]:
    """Return what was measured on: no names, no paths."""
    return {
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "postgresql": show(["server_version"])["server_version"],
        **show(DURABLE),
    }


def show(names: Iterable[str]) -> dict[str, str]:
    """Return settings of the server, as the ledger's own connection has them."""
    with connection.cursor() as cursor:
        values = {}
        for name in names:
            cursor.execute(f"SHOW {name}")
            [values[name]] = cursor.fetchone()
    return values


def require_durable() -> None:
    """Raise `Refusal` unless a commit is on disk when it returns."""
    found = show(DURABLE)
    if found != DURABLE:
        raise Refusal(f"Only a durable database is measured, and this one has {found}.")


def require_own_database() -> None:
    """Raise `Refusal` where anybody's books are: what the bench writes can never be deleted."""
    if not Path(settings.DATA_DIR, "postgres", "cluster", "postmaster.pid").exists():
        raise Refusal("The bench needs the embedded database: unset DATABASE_URL.")
    with connection.cursor() as cursor:
        query = "SELECT count(*) FROM organisations_organisation WHERE slug NOT LIKE %s"
        cursor.execute(query, [OWN_SLUG])
        [strangers] = cursor.fetchone()
    if strangers:
        raise Refusal("There are books of others here. Run `make bench`: it has its own DATA_DIR.")


def rival_url(name: str) -> str:
    """Return the address of a database for a rival, made if need be; its owner may do anything."""
    server = postgres.attach(settings.DATA_DIR)
    postgres.make_database(server, name)
    return server.url(OWNER, name)


def own_database(name: str) -> dict[str, str]:
    """Return the environment of programs with a database of their own, made if need be."""
    server = postgres.attach(settings.DATA_DIR)
    postgres.make_database(server, name)
    return {
        "DATABASE_URL": server.url(APPLICATION, name),
        "DATABASE_OWNER_URL": server.url(OWNER, name),
    }


def fsyncs_per_second(count: int) -> float:
    """Return how often a page can be made durable in the data folder: a commit needs one."""
    with tempfile.TemporaryFile(dir=settings.DATA_DIR) as file:
        started = time.perf_counter()
        for _ in range(count):
            os.pwrite(file.fileno(), PAGE, 0)
            os.fsync(file.fileno())
        return count / (time.perf_counter() - started)


def tidy_up(tables: Iterable[str] = TABLES) -> None:
    """Do what autovacuum does within minutes: statistics, and no work left for the next reader."""
    with connections["owner"].cursor() as cursor:
        for table in tables:
            cursor.execute(f"VACUUM ANALYZE {table}")


def checkpoint() -> None:
    """Write everything out, so that no part pays for the one before it."""
    url = postgres.attach(settings.DATA_DIR).url(SUPERUSER, "postgres")
    with psycopg.connect(url, autocommit=True) as superuser:
        superuser.execute("CHECKPOINT")
