"""What was measured: medians and spreads, ratios, the table, the JSON."""

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

# Each ratio is the median of the runs' own ratios: within a run both sides are measured within
# seconds of each other, so that a noisy minute hits both.
RATIOS = {
    "append_1000_vs_bare": ("append_1000_per_s", "bare_unnest_1000_per_s"),
    "append_1000_vs_bare_copy": ("append_1000_per_s", "bare_copy_1000_per_s"),
    "append_1000_vs_bare_insert": ("append_1000_per_s", "bare_insert_1000_per_s"),
    "append_1_vs_bare": ("append_1_per_s", "bare_insert_1_per_s"),
    "eight_writers_vs_one": ("append_1_eight_writers_per_s", "append_1_per_s"),
    "eight_books_vs_one": ("append_1_eight_books_per_s", "append_1_per_s"),
    "append_1000_vs_hordak": ("append_1000_per_s", "hordak_atomic_per_s"),
    "append_1000_vs_hordak_bulk": ("append_1000_per_s", "hordak_bulk_per_s"),
    "append_1_vs_hordak": ("append_1_per_s", "hordak_per_s"),
    "append_1000_vs_seed": ("append_1000_per_s", "seed_per_s"),
    "append_1_vs_seed": ("append_1_per_s", "seed_per_s"),
    "page_1m_vs_10k": ("page_1m_ms", "page_10k_ms"),
    "balance_1m_vs_10k": ("balance_1m_ms", "balance_10k_ms"),
    "queue_mine_100k_vs_1k": ("queue_mine_100k_ms", "queue_mine_1k_ms"),
    "queue_open_100k_vs_1k": ("queue_open_100k_ms", "queue_open_1k_ms"),
    "queue_put_off_100k_vs_1k": ("queue_put_off_100k_ms", "queue_put_off_1k_ms"),
    "queue_decided_100k_vs_1k": ("queue_decided_100k_ms", "queue_decided_1k_ms"),
    "case_100k_vs_1k": ("case_100k_ms", "case_1k_ms"),
    "promise_attacked_vs_calm": ("promise_attacked_ms", "promise_calm_ms"),
    "promise_p95_attacked_vs_calm": ("promise_p95_attacked_ms", "promise_p95_calm_ms"),
    "stored_vs_empty_view": ("webhook_stored_per_s", "empty_view_per_s"),
    "stored_vs_djstripe": ("webhook_stored_per_s", "djstripe_stored_per_s"),
}
PER_SECOND = "1/s"
SMALL = 100


class Figures:
    """The values of every run by the name of their figure, and what could not be measured."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.values: dict[str, list[float]] = {}
        self.units: dict[str, str] = {}
        self.skipped: dict[str, str] = {}

    def add(self, name: str, value: float, unit: str = PER_SECOND) -> None:
        """Keep the value of one run."""
        self.values.setdefault(name, []).append(value)
        self.units[name] = unit
        sys.stderr.write(f"  {name:<34}{shown(value):>12,} {unit}\n")

    def add_rate(self, name: str, count: int, work: Callable[[], Any]) -> None:
        """Do a piece of work; keep how many of `count` it does in a second."""
        self.add(name, count / seconds(work))

    def skip(self, what: str, why: str) -> None:
        """Say aloud that something is not measured."""
        self.skipped[what] = why
        sys.stderr.write(f"  skipped: {what}: {why}\n")

    def ratios(self) -> dict[str, float]:
        """Return the ratios whose both sides were measured."""
        return {
            name: round(median(pairs), 3)
            for name, (above, below) in RATIOS.items()
            if (pairs := self._pairs(above, below))
        }

    def _pairs(self, above: str, below: str) -> list[float]:
        upper, lower = self.values.get(above, []), self.values.get(below, [])
        return [one / other for one, other in zip(upper, lower, strict=bool(upper and lower))]

    def told(self, machine: Mapping[str, Any]) -> dict[str, Any]:
        """Return all of it, as `latest.json` has it."""
        return {
            "machine": dict(machine),
            "figures": {
                name: {
                    "value": shown(median(values)),
                    "unit": self.units[name],
                    "spread": [shown(min(values)), shown(max(values))],
                }
                for name, values in self.values.items()
            },
            "ratios": self.ratios(),
            "skipped": self.skipped,
        }


def seconds(work: Callable[[], Any]) -> float:
    """Return how long a piece of work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def shown(value: float) -> float:
    """Return a value with the digits that mean something."""
    return round(value, 2) if value < SMALL else round(value)


def table(told: Mapping[str, Any]) -> str:
    """Return the figures and ratios as a table."""
    lines = [f"{'figure':<34}{'median':>12}  {'unit':<5} {'lowest to highest':>24}"]
    for name, figure in told["figures"].items():
        low, high = figure["spread"]
        spread = f"{low:,} to {high:,}"
        lines.append(f"{name:<34}{figure['value']:>12,}  {figure['unit']:<5} {spread:>24}")
    lines += ["", *(f"{name:<34}{value:>12,}" for name, value in told["ratios"].items())]
    lines += [f"skipped: {what}: {why}" for what, why in told["skipped"].items()]
    return "\n".join(lines)


def write(told: Mapping[str, Any], file: Path) -> None:
    """Write the JSON."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(told, indent=2) + "\n")
