"""
`make bench`: the ledger's speed with durability on and every guarantee in force.

Prints a table and writes `bench/results/latest.json`. Absolute figures are of this machine and
moment; the ratios compare with the same rows in a bare table, written by the same client.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.core.management import call_command  # noqa: E402 - after the set-up
from django.db import connection, connections  # noqa: E402

from ledger.export import write_ndjson  # noqa: E402
from ledger.models import PUBLIC, Book, Entry  # noqa: E402
from ledger.operations import MoneyOperation  # noqa: E402
from ledger.services import Draft, append  # noqa: E402
from organisations.services import approve, create_organisation  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results" / "latest.json"
RUNS = 3
WRITERS = 8
CALLS_BY_BATCH = {1: 300, 100: 40, 1000: 12}
BARE = """
    CREATE TABLE IF NOT EXISTS bench_bare (
        organisation_id text, book text, sequence bigint, operation text, amount bigint,
        currency text, debit text, credit text, nonce text, metadata jsonb, line text,
        PRIMARY KEY (organisation_id, book, sequence)
    )
"""
BARE_INSERT = """
    INSERT INTO bench_bare
    SELECT %s, 'public', sequence, 'DONATION_RECEIVED', 5000, 'EUR', 'stripe', 'fund:general',
        'nonce:' || sequence, '{"charge": "ch_3SEpJ2Kd7Qx2mNvB0kXI3VS1"}', %s
    FROM generate_series(%s::bigint, %s::bigint) AS sequence
"""


def main() -> None:
    """Measure, print, write."""
    call_command("migrate", verbosity=0)
    with connections["owner"].cursor() as cursor:
        cursor.execute(BARE)
        cursor.execute("ALTER TABLE bench_bare OWNER TO CURRENT_USER")
    figures: dict[str, list[float]] = {}
    for _ in range(RUNS):
        for name, value in measure():
            figures.setdefault(name, []).append(value)
            sys.stderr.write(f"\r{name:<28}")
    report(figures)


def measure() -> Iterator[tuple[str, float]]:
    """Yield each figure of one run, as entries per second."""
    book = new_book()
    for batch, calls in CALLS_BY_BATCH.items():
        yield f"bare_{batch}_per_s", per_second(batch * calls, partial(bare, batch, calls))
        yield (
            f"append_{batch}_per_s",
            per_second(batch * calls, partial(write, book, batch, calls)),
        )
    calls = CALLS_BY_BATCH[1] // WRITERS
    yield "append_1_eight_writers_per_s", per_second(calls * WRITERS, lambda: together(book, calls))
    size = Entry.objects.filter(organisation_id=book.organisation_id).count()
    audit = ["--organisation", book.organisation_id]
    yield "audit_per_s", per_second(size, lambda: command("manage.py", "audit_ledger", *audit))
    with tempfile.NamedTemporaryFile("w", suffix=".ndjson") as file:
        file.writelines(write_ndjson(Book.objects.get(organisation_id=book.organisation_id)))
        file.flush()
        verify = ["verifier/almoner_verify.py", "export", file.name, "--quiet"]
        yield "verifier_per_s", per_second(size, lambda: command(*verify))


def new_book() -> Book:
    """Open the public book of a new organisation."""
    name = f"bench-{uuid4().hex[:12]}"
    organisation = create_organisation(name=name, slug=name, country="BE", currency="EUR")
    approve(organisation=organisation, decided_by=None, reason="To be measured.")
    return Book.objects.get(organisation=organisation, book=PUBLIC)


def per_second(count: int, work: Callable[[], Any]) -> float:
    """Return how many of `count` a piece of work does in a second."""
    started = time.perf_counter()
    work()
    return count / (time.perf_counter() - started)


def write(book: Book, batch: int, calls: int) -> None:
    """Append batches of gifts."""
    for _ in range(calls):
        append(book=book, drafts=[draft() for _ in range(batch)])


def draft() -> Draft:
    """Return a gift as Stripe brings it."""
    return Draft(
        operation=MoneyOperation.DONATION_RECEIVED,
        amount=5000,
        currency="EUR",
        debit="stripe",
        credit="fund:general",
        nonce=f"stripe:acct_1SCq4FKd7Qx2mNvB:txn_{uuid4().hex}:charge",
        metadata={"charge": "ch_3SEpJ2Kd7Qx2mNvB0kXI3VS1"},
    )


def bare(batch: int, calls: int) -> None:
    """Insert rows of the same width into a table that promises nothing but its primary key."""
    name, line = uuid4().hex, "x" * 520
    with connections["owner"].cursor() as cursor:
        for call in range(calls):
            cursor.execute(BARE_INSERT, [name, line, call * batch, (call + 1) * batch - 1])


def together(book: Book, calls: int) -> None:
    """Let several writers append to one book."""

    def one(_: int) -> None:
        write(book, 1, calls)
        connection.close()

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(one, range(WRITERS)))


def command(*words: str) -> None:
    """Run a program of ours to a good end."""
    subprocess.run([sys.executable, *words], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)  # noqa: S603


def report(figures: dict[str, list[float]]) -> None:
    """Print the table and write the file."""
    middle = {name: median(values) for name, values in figures.items()}
    ratios = {
        "append_1000_vs_bare": middle["append_1000_per_s"] / middle["bare_1000_per_s"],
        "append_1_vs_bare": middle["append_1_per_s"] / middle["bare_1_per_s"],
        "eight_writers_vs_one": middle["append_1_eight_writers_per_s"] / middle["append_1_per_s"],
    }
    told = {
        "machine": f"{platform.platform()}, {os.cpu_count()} cores",
        "figures": {
            name: {
                "value": round(middle[name]),
                "unit": "1/s",
                "spread": [round(min(values)), round(max(values))],
            }
            for name, values in figures.items()
        },
        "ratios": {name: round(value, 3) for name, value in ratios.items()},
    }
    print("\r" + " " * 40)
    for name, value in middle.items():
        print(f"{name:<32}{value:>12,.0f}")
    for name, value in ratios.items():
        print(f"{name:<32}{value:>12.3f}")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
