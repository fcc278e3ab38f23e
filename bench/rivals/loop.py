"""A rival's side of the conversation in `ledgers.py`."""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

WARM_UP = 300


def answer(modes: Mapping[str, Callable[[int], None]]) -> None:
    """Do what each line asks for, and say how long it took."""
    print("ready", flush=True)
    for asked in sys.stdin:
        mode, count = asked.split()
        started = time.perf_counter()
        modes[mode](int(count))
        print(time.perf_counter() - started, flush=True)


def settle(connection: Any) -> None:
    """Do what autovacuum does within minutes, and forget the plans that were made before."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connection.close()


def database(url: str) -> dict[str, str]:
    """Return Django's description of the database that a URL names."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path[1:],
        "USER": parts.username or "",
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query["host"][0],
        "PORT": query["port"][0],
    }
