"""Whether this process is alive, and whether everything that it needs is in order."""

from collections.abc import Callable
from datetime import timedelta
from functools import cache

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from webhooks.services.heartbeat import worker_seen_at

WORKER_SILENT_AFTER = timedelta(seconds=30)
OK = "ok"


class MigrationsMissing(Exception):
    """The database is older than the program."""


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Answer that this process is alive; asks nothing of the database."""
    return _uncached(JsonResponse({"status": OK}))


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when database, migrations and worker are in order, else 503 and which is not."""
    checks = {"database": _database, "migrations": _migrations, "worker": _worker}
    found = {name: _tell(check) for name, check in checks.items()}
    is_ready = set(found.values()) == {OK}
    return _uncached(JsonResponse(found, status=200 if is_ready else 503))


def _tell(check: Callable[[], str]) -> str:
    try:
        return check()
    except Error:
        return "unknown"


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return "unreachable"
    return OK


def _migrations() -> str:
    try:
        _check_migrations()
    except MigrationsMissing:
        return "missing"
    return OK


@cache
def _check_migrations() -> None:
    # Once they are there they stay, so that only success is remembered.
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise MigrationsMissing


def _worker() -> str:
    seen_at = worker_seen_at()
    if seen_at is None:
        return "missing"
    return OK if timezone.now() - seen_at <= WORKER_SILENT_AFTER else "silent"


def _uncached(response: JsonResponse) -> JsonResponse:
    response.headers["Cache-Control"] = "no-store"
    return response
