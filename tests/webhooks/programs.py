"""The web server and the worker as processes of their own, on a database of their own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from common.ids import make_id
from config import postgres, processes
from config.postgres_home import APPLICATION, OWNER
from config.runner import APPLICATION as WSGI
from config.runner import MANAGE, WEB
from tests.database import running_server
from tests.database_fixtures import TEMPLATE, drop_database
from tests.stripe_story import StripeServer, serving

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 40
EMPTY = (
    *("donor_email", "donor_name", "public_name", "request_hash", "checkout_session"),
    *("checkout_url", "payment_intent", "ended_as", "settled_currency"),
)
REPEATED = {
    **dict.fromkeys(("donor_email", "public_name", "owner_id", "ended_reason", "told_status"), ""),
    "fund": "general",
    "interval": "month",
    "status": "pending",
    "currency": "EUR",
    "amount": 1000,
    "created_at": "now",
}
GIFT = {
    **dict.fromkeys(EMPTY, ""),
    "fund": "general",
    "flow": "checkout",
    "status": "pending",
    "amount": 5000,
    "currency": "EUR",
    "refunded_amount": 0,
    "disputed_amount": 0,
    "created_at": "now",
}


def until(condition: Callable[[], Any]) -> Any:
    """Return what the condition becomes once it is true; fail when it does not in time."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
    return found


class Programs:
    """A web server and a worker that can be killed and started again, and what they share."""

    def __init__(self, stripe: StripeServer, database: str, folder: Path) -> None:
        """Describe the surroundings; nothing runs yet."""
        server = running_server()
        self.stripe = stripe
        self.folder = folder
        self.port = _free_port()
        self.children: dict[str, processes.Process] = {}
        self.environment = {
            **os.environ,
            # What is kept beside a database belongs to that one.
            "DATA_DIR": str(folder / "data"),
            "DATABASE_URL": server.url(APPLICATION, database),
            "DATABASE_OWNER_URL": server.url(OWNER, database),
            "STRIPE_API_BASE": stripe.url,
            "EVENT_LEASE_SECONDS": "0.5",
        }
        self.commands = {
            "web": [*WEB, "--host", "127.0.0.1", "--port", str(self.port), WSGI],
            "worker": [*MANAGE, "worker"],
        }

    @property
    def url(self) -> str:
        """Return where the web server listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, name: str) -> None:
        """Start a program, or start it again."""
        self.children[name] = processes.start(
            self.commands[name],
            folder=ROOT,
            environment=self.environment,
            log=self.folder / f"{name}.log",
        )

    def kill(self, name: str) -> None:
        """End a program and all of its processes by `kill -9`, in the middle of their work."""
        child = self.children.pop(name)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()

    def stop(self, name: str) -> int:
        """Ask a program to end; return its exit code."""
        child = self.children.pop(name)
        child.send_signal(signal.SIGTERM)
        return child.wait(DEADLINE_SECONDS)

    def manage(self, *arguments: str) -> str:
        """Run a command to its end; return what it says."""
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True
        ).stdout

    def organisation(self, account: str = "acct_1") -> dict[str, Any]:
        """Open an approved organisation whose account Stripe knows."""
        told = self.manage(
            *("create_organisation", "--name", "Eau Vive", "--slug", "eau-vive"),
            *("--country", "FR", "--currency", "EUR", "--stripe-account", account, "--approve"),
        )
        return dict(json.loads(told))

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the database as the application may."""
        url = self.environment["DATABASE_URL"]
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(query, values or None)
            return cursor.fetchall() if cursor.description else []

    def give(self, organisation_id: str, **fields: Any) -> str:
        """Promise a gift by checkout to an organisation, unless its fields say otherwise."""
        gift = {"organisation_id": organisation_id, **GIFT, **fields}
        return self._insert("don", "donation", gift)

    def repeat(self, organisation_id: str) -> str:
        """Let a gift of 10.00 EUR to an organisation be one that repeats every month."""
        repeated = {"organisation_id": organisation_id, **REPEATED}
        return self._insert("rec", "recurringgift", repeated)

    def _insert(self, prefix: str, table: str, fields: dict[str, Any]) -> str:
        row = {"id": make_id(prefix), **fields}
        names, places = ", ".join(row), ", ".join(["%s"] * len(row))
        query = f"INSERT INTO donations_{table} ({names}) VALUES ({places})"
        self.ask(query, *row.values())
        return str(row["id"])

    def listens(self) -> bool:
        """Tell whether the web server takes connections."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def programs(folder: Path) -> Iterator[Programs]:
    """Provide a database, a Stripe and the programs between them; nothing of it stays."""
    server, name = running_server(), f"scratch_{os.getpid()}"
    postgres.make_database(server, name, TEMPLATE)
    try:
        with serving() as stripe:
            running = Programs(stripe, name, folder)
            try:
                yield running
            finally:
                for child in list(running.children):
                    running.kill(child)
    finally:
        drop_database(server, name)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
