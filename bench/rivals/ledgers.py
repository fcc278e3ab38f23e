"""
The conversation with a rival ledger: a program that does as many entries as it is told.

It says `ready`; a line `single 200` or `atomic 500` makes it write so many entries, one or all in
a transaction, and it answers with the seconds that took.
"""

import os
import subprocess
from contextlib import AbstractContextManager
from types import TracebackType

from bench.cluster import rival_url
from bench.figures import Figures
from bench.rivals.environment import ROOT
from bench.scale import Scale

MODES = {
    "seed": {"seed_per_s": "single"},
    "hordak": {
        "hordak_per_s": "single",
        "hordak_atomic_per_s": "atomic",
        "hordak_bulk_per_s": "bulk",
    },
}


class RivalFailed(Exception):
    """A rival's program ended before its work did."""


class RivalLedger(AbstractContextManager["RivalLedger"]):
    """One rival's program, which runs until the block ends."""

    def __init__(self, name: str, python: str) -> None:
        """Start it, and wait until its tables are there."""
        self.name = name
        self.program = subprocess.Popen(  # noqa: S603 - our own program
            [python, "-m", f"bench.rivals.{name}_ledger"],
            cwd=ROOT,
            env={**os.environ, "RIVAL_DATABASE_URL": rival_url(f"bench_{name}")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.hear()
        self.ask("single", 1)

    def measure(self, scale: Scale, figures: Figures) -> None:
        """Let it write in each of its modes."""
        counts = {"single": scale.calls[1] // 2, "atomic": 500, "bulk": 2000}
        for figure, mode in MODES[self.name].items():
            count = counts[mode]
            figures.add(figure, count / self.ask(mode, count))

    def ask(self, mode: str, count: int) -> float:
        """Let it write entries; return the seconds."""
        assert self.program.stdin
        self.program.stdin.write(f"{mode} {count}\n")
        self.program.stdin.flush()
        return float(self.hear())

    def hear(self) -> str:
        """Return its next line."""
        assert self.program.stdout
        said = self.program.stdout.readline()
        if not said:
            raise RivalFailed(f"{self.name} ended with the exit code {self.program.wait()}.")
        return said

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let it end."""
        self.program.communicate(timeout=20)
