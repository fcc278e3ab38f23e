"""Logs as one JSON object a line, so that machines can count them."""

import json
import logging
import re
from datetime import UTC, datetime

from django.http import HttpRequest

# PostgreSQL quotes rows in these lines of its refusals.
QUOTED = re.compile(r"^(DETAIL|CONTEXT):.*$", re.MULTILINE)
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonFormatter(logging.Formatter):
    """
    Writes time, level, logger, message and whatever `extra` carried.

    A request is named by its route: what stands in its path may name persons.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        fields: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
            **{key: value for key, value in vars(record).items() if key not in STANDARD},
        }
        if isinstance(request := fields.get("request"), HttpRequest):
            fields |= {"request": named(request), "event": without_path(record, request)}
        if record.exc_info:
            fields["exception"] = QUOTED.sub(r"\1: …", self.formatException(record.exc_info))
        return json.dumps(fields, default=str, ensure_ascii=False)


def named(request: HttpRequest) -> str:
    """Return a request's method and route: `GET /v1/ledger/<owner:owner_id>`."""
    match = request.resolver_match
    return f"{request.method} {f'/{match.route}' if match else request.path}"


def without_path(record: logging.LogRecord, request: HttpRequest) -> str:
    """Return a record's message with the route where the path stands."""
    path = request.path
    # Django escapes what it logs.
    paths = (path, path.encode("unicode_escape").decode("ascii"))
    arguments = record.args if isinstance(record.args, tuple) else ()
    if not arguments:
        return record.getMessage()
    return str(record.msg) % tuple(named(request) if each in paths else each for each in arguments)
