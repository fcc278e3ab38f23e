"""Everything the sandbox remembers: one SQLite file, one transaction at a time."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.blank import Resource

_TABLES = """
CREATE TABLE IF NOT EXISTS resources (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE, account TEXT NOT NULL, kind TEXT NOT NULL,
    created INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS resources_newest ON resources (account, kind, created, position);
CREATE TABLE IF NOT EXISTS notes (
    id TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (id, name)
);
CREATE INDEX IF NOT EXISTS notes_by_value ON notes (name, value);
CREATE TABLE IF NOT EXISTS settlements (charge TEXT PRIMARY KEY, since REAL NOT NULL);
CREATE TABLE IF NOT EXISTS answers (
    account TEXT NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL,
    status INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (account, key)
);
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, event TEXT NOT NULL,
    body BLOB NOT NULL, is_ordered INTEGER NOT NULL, due_at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS deliveries_in_order ON deliveries (is_ordered, account, id);
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event);
CREATE TABLE IF NOT EXISTS losses (event TEXT PRIMARY KEY);
"""


class Store:
    """
    The objects of every account, with what Stripe would know about them and not show (notes).

    Everything happens inside `transaction()`, which also keeps the threads apart.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._database = sqlite3.connect(
            folder / "sandbox.sqlite3", check_same_thread=False, isolation_level=None
        )
        for pragma in ("journal_mode = WAL", "synchronous = OFF"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.executescript(_TABLES)

    def close(self) -> None:
        with self._lock:
            self._database.close()

    @contextmanager
    def transaction(self, *, keep: type[Exception] | tuple[()] = ()) -> Iterator[None]:
        """Commit at the end; undo everything on an exception that is not one to `keep` after."""
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException as error:
                self._database.execute("COMMIT" if isinstance(error, keep) else "ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        return self._database.execute(statement, values).fetchall()

    def save(self, account: str, resource: Resource) -> None:
        """Insert the resource or replace its content; its place in lists stays."""
        self.rows(
            "INSERT INTO resources (id, account, kind, created, body) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            resource["id"],
            account,
            resource["object"],
            resource["created"],
            json.dumps(resource, ensure_ascii=False),
        )

    def find(self, identifier: str) -> tuple[str, Resource] | None:
        """Return the account and the resource with this id."""
        for account, body in self.rows(
            "SELECT account, body FROM resources WHERE id = ?", identifier
        ):
            return account, json.loads(body)
        return None

    def related(self, account: str, kind: str, field: str, value: str) -> list[Resource]:
        """Return the account's resources of a kind whose field is this value, newest first."""
        rows = self.rows(
            "SELECT body FROM resources WHERE account = ? AND kind = ?"
            " AND json_extract(body, '$.' || ?) = ? ORDER BY created DESC, position DESC",
            account,
            kind,
            field,
            value,
        )
        return [json.loads(body) for (body,) in rows]

    def newest(self, kind: str, *, account: str | None = None, limit: int) -> list[Resource]:
        """Return the newest resources of a kind, of one account or of all."""
        rows = self.rows(
            "SELECT body FROM resources WHERE kind = ? AND account = coalesce(?, account)"
            " ORDER BY created DESC, position DESC LIMIT ?",
            kind,
            account,
            limit,
        )
        return [json.loads(body) for (body,) in rows]

    def note(self, identifier: str, name: str, value: str) -> None:
        """Remember a fact about a resource that its JSON does not show."""
        self.rows("INSERT OR REPLACE INTO notes VALUES (?, ?, ?)", identifier, name, value)

    def noted(self, identifier: str, name: str) -> str | None:
        for (value,) in self.rows(
            "SELECT value FROM notes WHERE id = ? AND name = ?", identifier, name
        ):
            return str(value)
        return None
