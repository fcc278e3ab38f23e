"""Writers at the same time: threads over connections of their own, and who waits for whom."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any
from unittest import mock

import psycopg
from django.db import connection

from tests.database_fixtures import close_connections

PATIENCE_SECONDS = 30
# Autovacuum waits now and then.
WAITING = (
    "SELECT pid FROM pg_stat_activity "
    "WHERE %s = ANY (pg_blocking_pids(pid)) AND backend_type = 'client backend'"
)


def closing(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function as a thread runs it: it gives its connection back."""

    def run(*values: Any, **named: Any) -> Any:
        try:
            return function(*values, **named)
        finally:
            connection.close()

    return run


def at_once(*writes: Callable[[], Any]) -> list[Any]:
    """Let writers go at the same moment, each connected; return what each returned or raised."""
    barrier = Barrier(len(writes))

    @closing
    def run(write: Callable[[], Any]) -> Any:
        connection.ensure_connection()
        barrier.wait(PATIENCE_SECONDS)
        return write()

    with ThreadPoolExecutor(len(writes)) as pool:
        return [outcome_of(each) for each in [pool.submit(run, write) for write in writes]]


def outcome_of(future: Future[Any]) -> Any:
    """Return what a thread returned, or what it raised."""
    return future.exception(PATIENCE_SECONDS) or future.result()


@contextmanager
def connecting(*, pool: dict[str, Any] | None = None, **settings: Any) -> Iterator[None]:
    """Connect Django otherwise for a while, and with other settings of its pool."""
    description = connection.settings_dict
    options = {**description["OPTIONS"], **settings.pop("OPTIONS", {})}
    options["pool"] = {**options["pool"], **(pool or {})}
    close_connections()
    with mock.patch.dict(description, {**settings, "OPTIONS": options}):
        try:
            yield
        finally:
            close_connections()


def who_waits_for(blocker: psycopg.Connection | int, watcher: psycopg.Connection) -> int:
    """Wait until a backend waits for what another holds; return its process id."""
    process = blocker if isinstance(blocker, int) else blocker.info.backend_pid
    found = None
    for _ in patiently():
        found = watcher.execute(WAITING, [process]).fetchone()
        if found:
            break
    assert found, "nobody waits"
    return int(found[0])


def patiently() -> Iterator[None]:
    """Go round until the caller has what it looks for, or is out of patience."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        yield
        time.sleep(0.002)
