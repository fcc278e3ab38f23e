"""Writers at the same time: processes, because threads would measure Python's lock."""

import time
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier

from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper

from bench.books import drafts
from ledger.models import Book
from ledger.services import append

PATIENCE_SECONDS = 120


def per_second(books: Sequence[Book], calls: int) -> float:
    """Let one writer a book append `calls` single entries; return the entries per second."""
    for each in connections.all():
        assert isinstance(each, DatabaseWrapper)
        each.close()
        each.close_pool()  # a fork must not share our connections
    fork = get_context("fork")
    barrier = fork.Barrier(len(books) + 1, timeout=PATIENCE_SECONDS)
    writers = [
        fork.Process(target=_write, args=(book, calls, barrier), daemon=True) for book in books
    ]
    for writer in writers:
        writer.start()
    barrier.wait()
    started = time.perf_counter()
    barrier.wait()
    taken = time.perf_counter() - started
    for writer in writers:
        writer.join()
    return len(books) * calls / taken


def _write(book: Book, calls: int, barrier: Barrier) -> None:
    ready = [drafts(1) for _ in range(calls)]
    append(book=book, drafts=drafts(1))  # so that the connection and its caches are there
    barrier.wait()
    for one in ready:
        append(book=book, drafts=one)
    barrier.wait()
