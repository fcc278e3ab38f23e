"""Gives captured charges their balance transactions, and clears bank debits, a moment later."""

import threading
import time

from sandbox import charges, debits
from sandbox.scope import ScopeOf
from sandbox.store import Store

_LOOK_SECONDS = 0.05


class Settlement:
    """The thread that settles what was captured some seconds ago."""

    def __init__(self, store: Store, scope_of: ScopeOf, *, after_seconds: float) -> None:
        self._store = store
        self._scope_of = scope_of
        self._after_seconds = after_seconds
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_over.wait(_LOOK_SECONDS):
            with self._store.transaction():
                self.settle(captured_before=time.time() - self._after_seconds)

    def settle(self, *, captured_before: float) -> None:
        """Settle what was captured before a moment of the wall clock, oldest first."""
        for (identifier,) in self._store.rows(
            "SELECT charge FROM settlements WHERE since <= ? ORDER BY since", captured_before
        ):
            found = self._store.find(identifier)
            assert found
            settle = debits.clear_charge if found[1]["status"] == "pending" else charges.settled
            settle(self._scope_of(found[0]), found[1])

    def waiting(self) -> int:
        """Return how many charges still wait for their balance transaction."""
        return int(self._store.rows("SELECT count(*) FROM settlements")[0][0])
