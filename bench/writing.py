"""The section `append`: the ledger beside the bare table and beside other ledgers."""

import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from functools import partial
from typing import Any

from django.conf import settings

from bench import writers
from bench.bare import BareTable
from bench.books import drafts, open_book
from bench.cluster import checkpoint, fsyncs_per_second
from bench.figures import Figures
from bench.rivals.environment import RIVALS, rivals_python
from bench.rivals.ledgers import RivalFailed, RivalLedger
from bench.scale import Scale
from ledger.models import Book
from ledger.services import Draft, append
from ledger.services.sealing import seal


def measure(scale: Scale, figures: Figures) -> None:
    """Measure every way to write entries, in turn, run by run."""
    with ExitStack() as stack:
        rivals = [stack.enter_context(RivalLedger("seed", sys.executable))]
        if python := rivals_python(settings.DATA_DIR / RIVALS, scale, figures):
            try:
                rivals.append(stack.enter_context(RivalLedger("hordak", python)))
            except RivalFailed as error:
                figures.skip("django-hordak", str(error))
        for _ in range(scale.runs):
            checkpoint()
            figures.add("fsync_per_s", fsyncs_per_second(scale.calls[1]))
            with closing(BareTable()) as bare:
                measure_one_writer(scale, figures, bare)
            for rival in rivals:
                rival.measure(scale, figures)
            measure_many_writers(scale, figures)


def measure_one_writer(scale: Scale, figures: Figures, bare: BareTable) -> None:
    """Write batches of each size, every way after the other."""
    book = open_book()
    write(book, [drafts(1) for _ in range(min(scale.calls.values()))])  # caches, connections
    ways = {"insert": bare.insert, "unnest": bare.unnest, "copy": bare.copy}
    for size, calls in scale.calls.items():
        ready = [drafts(size) for _ in range(calls)]
        figures.add_rate(f"append_{size}_per_s", size * calls, partial(write, book, ready))
        for name, way in ways.items():
            rows: Sequence[Sequence[Any]] = bare.batches(size, calls)
            figures.add_rate(f"bare_{name}_{size}_per_s", size * calls, partial(way, rows))
    book.refresh_from_db()
    figures.add_rate("seal_per_s", book.size, partial(seal, book=book))


def write(book: Book, batches: Sequence[Sequence[Draft]]) -> None:
    """Append batch by batch."""
    for batch in batches:
        append(book=book, drafts=batch)


def measure_many_writers(scale: Scale, figures: Figures) -> None:
    """Write single entries from several processes: to one book, and to a book each."""
    calls = scale.calls[1] // scale.writers or 1
    one = [open_book()] * scale.writers
    figures.add("append_1_eight_writers_per_s", writers.per_second(one, calls))
    several = [open_book() for _ in range(scale.writers)]
    figures.add("append_1_eight_books_per_s", writers.per_second(several, calls))
