"""
A book as a file: streamed in batches, at constant memory, and always one consistent state.

A book only grows, so the entries below the size that it had at the start *are* a snapshot: no
long transaction is needed, none stays behind when a reader goes away, and a slow reader holds
nothing open. Each way to write it takes the sequence to begin at.
"""

import csv
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any, NamedTuple

from django.db import connection

from common.money import exponent_of
from ledger import beancount
from ledger.models import Account, Book, Entry

BATCH_SIZE = 1000
# One text a batch: most of the time went into a row a line.
LINES = """
    SELECT coalesce(string_agg(line, %s ORDER BY sequence), '') FROM ledger_entry
    WHERE organisation_id = %s AND book = %s AND sequence >= %s AND sequence < %s
"""
CSV_COLUMNS = (
    "sequence",
    "occurred_at",
    "recorded_at",
    "operation",
    "amount",
    "currency",
    "debit",
    "credit",
    "nonce",
    "entry_id",
    "prev_entry_hash",
    "entry_hash",
    "line",
)
# A cell that begins like this is run by spreadsheets as a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class Format(NamedTuple):
    """One way to write a book down."""

    content_type: str
    suffix: str
    write: Callable[[Book, int], Iterator[str]]


def write_ndjson(book: Book, start: int = 0) -> Iterator[str]:
    """Write the stored lines, each followed by LF: what `sha256sum` hashes."""
    for lines in _lines(book, start, "\n"):
        yield f"{lines}\n"


def write_json(book: Book, start: int = 0) -> Iterator[str]:
    """Write one array of the stored lines."""
    separator = "[\n"
    for lines in _lines(book, start, ",\n"):
        yield separator + lines
        separator = ",\n"
    yield "\n]\n" if separator == ",\n" else "[]\n"


def write_csv(book: Book, start: int = 0) -> Iterator[str]:
    """Write a table for spreadsheets: minor units, and the same amount in decimals."""
    yield _rows([["amount_decimal", *CSV_COLUMNS]])
    for batch in _batches(book, start, *CSV_COLUMNS):
        yield _rows(_decimal(row) + [_cell(value) for value in row] for row in batch)


def write_beancount(book: Book, start: int = 0) -> Iterator[str]:
    """Write a ledger for Beancount, where places are assets and purposes equity."""
    accounts = Account.objects.of(book.organisation, book.book).exclude(kind="genesis")
    yield beancount.header(book.organisation.name, book.organisation.currency)
    yield beancount.opening(accounts.order_by("name", "currency").values_list("name", "currency"))
    for batch in _batches(book, start, *beancount.Row._fields):
        yield "".join(beancount.transaction(beancount.Row(*row)) for row in batch)


FORMATS = {
    "ndjson": Format("application/x-ndjson", "ndjson", write_ndjson),
    "json": Format("application/json", "json", write_json),
    "csv": Format("text/csv; charset=utf-8", "csv", write_csv),
    "beancount": Format("text/plain; charset=utf-8", "beancount", write_beancount),
}


def _lines(book: Book, first: int, separator: str) -> Iterator[str]:
    for start, stop in _steps(book, first):
        with connection.cursor() as cursor:
            cursor.execute(LINES, [separator, book.organisation_id, book.book, start, stop])
            [(lines,)] = cursor.fetchall()
        yield lines


def _batches(book: Book, first: int, *columns: str) -> Iterator[list[tuple[Any, ...]]]:
    entries = Entry.objects.filter(organisation_id=book.organisation_id, book=book.book)
    for start, stop in _steps(book, first):
        batch = entries.filter(sequence__gte=start, sequence__lt=stop).order_by("sequence")
        yield list(batch.values_list(*columns))


def _steps(book: Book, first: int) -> Iterator[tuple[int, int]]:
    for start in range(first, book.size, BATCH_SIZE):
        yield start, min(start + BATCH_SIZE, book.size)


def _rows(rows: Any) -> str:
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _decimal(row: tuple[Any, ...]) -> list[str]:
    amount, currency = row[CSV_COLUMNS.index("amount")], row[CSV_COLUMNS.index("currency")]
    return [beancount.decimal_of(amount, exponent_of(currency))]


def _cell(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
