"""Doing again what the database refused for reasons of its own: the one place for it."""

import logging
import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import psycopg
from django.db import Error, connection
from psycopg_pool import PoolTimeout

Given = ParamSpec("Given")
Result = TypeVar("Result")

logger = logging.getLogger("almoner.ledger")

ATTEMPTS_MAX = 6
PAUSE_SECONDS = 0.01
# https://www.postgresql.org/docs/current/errcodes-appendix.html
STATES = {
    "40001": "serialization failure",
    "40P01": "deadlock",
    "08000": "connection lost",
    "08003": "connection lost",
    "08006": "connection lost",
    "57P01": "connection ended by the server",
    "57P02": "connection ended by the server",
    "57P03": "server starting or stopping",
    "57P05": "connection ended by the server",
}
UNIQUE = "23505"
# Another writer, who did not take the lock of the head, was faster.
CHAIN_KEYS = {"ledger_entry_pkey", "entry_hash_stands_once", "entry_nonce_is_new"}


def retried(service: Callable[Given, Result]) -> Callable[Given, Result]:
    """
    Run a service, which is one transaction, again when the database refuses it by no fault of it.

    Deadlocks, lost connections, writers who were faster: at most six attempts. After a lost
    connection nobody knows whether the transaction was committed; the service must find out by
    itself, as `append` does, which looks for its nonces before it writes. Inside of a larger
    transaction it runs once, since only the whole of that can be begun anew.
    """

    @wraps(service)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        attempt = 1
        while True:
            try:
                return service(*args, **kwargs)
            except Error as error:
                reason = refusal_of(error)
                if reason is None or connection.in_atomic_block or attempt == ATTEMPTS_MAX:
                    raise
            logger.warning("refused, trying again", extra={"reason": reason, "attempt": attempt})
            connection.close_if_unusable_or_obsolete()
            time.sleep(random.uniform(0, PAUSE_SECONDS * 2**attempt))  # noqa: S311 - no secret
            attempt += 1

    return run


def refusal_of(error: Exception) -> str | None:
    """Return why the database refused, if the same again may succeed."""
    cause = error.__cause__
    if not isinstance(cause, psycopg.Error) or isinstance(cause, PoolTimeout):
        return None
    if cause.sqlstate == UNIQUE:
        key = cause.diag.constraint_name
        return f"another writer was faster: {key}" if key in CHAIN_KEYS else None
    if cause.sqlstate is None and isinstance(cause, psycopg.OperationalError):
        return "connection lost"
    return STATES.get(cause.sqlstate or "")
