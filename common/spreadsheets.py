"""Rows for spreadsheets: whatever a cell says is text there, and never a formula."""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO

# With what spreadsheets take a cell for a formula (OWASP, "CSV Injection"), in wide letters too.
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", *"\uff1d\uff0b\uff0d\uff20")
# Excel takes a file for UTF-8 by this alone; these files are for people, programs have the API.
MARK = "\ufeff"


def write_rows(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Write rows as CSV, one at a time: every cell quoted, none of them a formula."""
    yield MARK
    for row in rows:
        text = StringIO()
        csv.writer(text, quoting=csv.QUOTE_ALL).writerow([as_text(str(cell)) for cell in row])
        yield text.getvalue()


def as_text(cell: str) -> str:
    """Return what a cell says so that no spreadsheet computes it."""
    return f"'{cell}" if cell.startswith(FORMULAS) else cell
