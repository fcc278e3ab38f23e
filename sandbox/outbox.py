"""The events that are still to be sent, and how they are to be sent."""

import json
import random
import threading
import time
from dataclasses import dataclass

from sandbox.blank import Resource
from sandbox.errors import invalid
from sandbox.store import Store

MODES = ("normal", "hold", "drop", "double", "shuffle", "delay")

_SETTINGS = "delivery"
_RETRY_FIRST_SECONDS = 0.5
_RETRY_MAX_SECONDS = 15.0
_TAKE = """
SELECT id, body, attempts FROM deliveries
WHERE due_at <= ? AND id IN (
    SELECT min(id) FROM deliveries WHERE is_ordered = 1 GROUP BY account
    UNION ALL
    SELECT id FROM deliveries WHERE is_ordered = 0
) ORDER BY id LIMIT 16
"""


@dataclass(frozen=True)
class Parcel:
    """One delivery on its way: the exact bytes, and how often they failed to arrive."""

    id: int
    body: bytes
    attempts: int


class Outbox:
    """
    The queue of deliveries: kept in the store, in order per account, until the receiver says 2xx.

    The modes: `hold` keeps everything back, `drop` loses it, `double` sends it twice, `shuffle`
    sends it in any order within some seconds, `delay` sends it in order some seconds later.
    All methods but `wait` and `wake` are called inside a transaction of the store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._on_its_way: set[int] = set()
        self._news = threading.Event()

    def add(self, account: str, event: Resource) -> None:
        """Queue an event as the present mode says."""
        mode, seconds = self.mode, self._seconds
        if mode == "drop":
            self._store.rows("INSERT OR IGNORE INTO losses VALUES (?)", event["id"])
            self._count("dropped", 1)
            return
        self._store.rows("DELETE FROM losses WHERE event = ?", event["id"])
        body = json.dumps(event, ensure_ascii=False, indent=2).encode()
        due_at = time.time() + (seconds if mode == "delay" else 0)
        for _ in range(2 if mode == "double" else 1):
            if mode == "shuffle":
                due_at = time.time() + random.uniform(0, seconds)  # noqa: S311 - no secret
            self._store.rows(
                "INSERT INTO deliveries (account, event, body, is_ordered, due_at)"
                " VALUES (?, ?, ?, ?, ?)",
                account,
                event["id"],
                body,
                mode != "shuffle",
                due_at,
            )
        self._news.set()

    @property
    def mode(self) -> str:
        return self._store.noted(_SETTINGS, "mode") or "normal"

    @property
    def _seconds(self) -> float:
        return float(self._store.noted(_SETTINGS, "seconds") or 1)

    def switch(self, mode: str, seconds: float | None) -> None:
        """Change the mode: `normal` sends at once what waits, `drop` forgets it."""
        if mode not in MODES:
            raise invalid(f"Invalid mode: must be one of {', '.join(MODES)}", param="mode")
        self._store.note(_SETTINGS, "mode", mode)
        self._store.note(_SETTINGS, "seconds", str(seconds or 1))
        if mode == "normal":
            self._store.rows("UPDATE deliveries SET due_at = 0")
        elif mode == "drop":
            self._store.rows("INSERT OR IGNORE INTO losses SELECT event FROM deliveries")
            self._count("dropped", self.queued())
            self._store.rows("DELETE FROM deliveries")
        self._news.set()

    def take(self) -> Parcel | None:
        """Return the next delivery that is due, the oldest of its account first."""
        if self.mode == "hold":
            return None
        for identifier, body, attempts in self._store.rows(_TAKE, time.time()):
            if identifier not in self._on_its_way:
                self._on_its_way.add(identifier)
                return Parcel(identifier, body, attempts)
        return None

    def arrived(self, parcel: Parcel) -> None:
        self._on_its_way.discard(parcel.id)
        self._store.rows("DELETE FROM deliveries WHERE id = ?", parcel.id)
        self._count("delivered", 1)

    def failed(self, parcel: Parcel) -> None:
        """Put a delivery back: it is tried again after 0.5 s, 1 s, 2 s, … 15 s."""
        self._on_its_way.discard(parcel.id)
        pause = min(_RETRY_FIRST_SECONDS * 2 ** min(parcel.attempts, 10), _RETRY_MAX_SECONDS)
        self._store.rows(
            "UPDATE deliveries SET attempts = attempts + 1, due_at = ? WHERE id = ?",
            time.time() + pause,
            parcel.id,
        )
        self._count("failed_attempts", 1)

    def queued(self) -> int:
        """Return how many deliveries have not arrived yet."""
        return int(self._store.rows("SELECT count(*) FROM deliveries")[0][0])

    def pending(self, event: str) -> int:
        """Return how many deliveries of one event have not arrived yet."""
        return int(self._store.rows("SELECT count(*) FROM deliveries WHERE event = ?", event)[0][0])

    def state_of(self, event: str) -> str:
        """Return what became of an event's deliveries, in a word."""
        if self.pending(event):
            return "waiting"
        is_lost = self._store.rows("SELECT 1 FROM losses WHERE event = ?", event)
        return "dropped" if is_lost else "delivered"

    def counts(self) -> Resource:
        names = ("delivered", "dropped", "failed_attempts")
        counted = {name: int(self._store.noted(_SETTINGS, name) or 0) for name in names}
        return {"mode": self.mode, "queued": self.queued(), **counted}

    def _count(self, name: str, number: int) -> None:
        before = int(self._store.noted(_SETTINGS, name) or 0)
        self._store.note(_SETTINGS, name, str(before + number))

    def wait(self, seconds: float) -> None:
        """Sleep until something new is queued, or so long."""
        if self._news.wait(seconds):
            self._news.clear()

    def wake(self) -> None:
        self._news.set()
