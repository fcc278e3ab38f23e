"""
The physical limit: the very rows of `ledger_entry`, in a table that promises a primary key alone.

The rows are made before the clock starts. The client is what the product is: psycopg without
statements prepared on the server, which a pooler of connections would not allow.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from bench.books import drafts
from bench.cluster import rival_url
from common.ids import make_id
from ledger import line

COLUMNS = {
    "organisation_id": "text",
    "book": "text",
    "sequence": "bigint",
    "entry_id": "text",
    "operation": "text",
    "amount": "bigint",
    "currency": "text",
    "debit": "text",
    "credit": "text",
    "nonce": "text",
    "metadata": "jsonb",
    "occurred_at": "timestamptz",
    "recorded_at": "timestamptz",
    "prev_entry_hash": "text",
    "entry_hash": "text",
    "line": "text",
}
NAMES = ", ".join(COLUMNS)
TABLE = f"""
    CREATE TABLE bare ({", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())},
        PRIMARY KEY (organisation_id, book, sequence))
"""
VALUES = f"({', '.join(['%b'] * len(COLUMNS))})"
INSERT = f"INSERT INTO bare ({NAMES}) VALUES "  # noqa: S608 - only our own names
UNNEST = f"""
    INSERT INTO bare ({NAMES})
    SELECT * FROM unnest({", ".join(f"%b::{kind}[]" for kind in COLUMNS.values())})
"""  # noqa: S608 - only our own names
COPY = f"COPY bare ({NAMES}) FROM STDIN (FORMAT BINARY)"

Row = tuple[Any, ...]


class BareTable:
    """A bare table, empty at first, and three ways to insert into it; each call commits."""

    def __init__(self) -> None:
        """Make the table anew."""
        self.connection = psycopg.connect(
            rival_url("bench"), autocommit=True, prepare_threshold=None
        )
        self.connection.execute("DROP TABLE IF EXISTS bare")
        self.connection.execute(TABLE)
        self.connection.execute("VACUUM ANALYZE bare")
        self.size = 0

    def batches(self, size: int, calls: int) -> list[list[Row]]:
        """Return the rows of `calls` batches, made of real drafts."""
        rows = list(rows_of(size * calls, self.size))
        self.size += size * calls
        return [rows[start : start + size] for start in range(0, len(rows), size)]

    def insert(self, batches: Sequence[Sequence[Row]]) -> None:
        """Insert each batch by `INSERT … VALUES (…), (…)`."""
        # A statement has at most 65,535 parameters: batches of 1000 take 16,000 of them.
        statement = (INSERT + ", ".join([VALUES] * len(batches[0]))).encode()
        for rows in batches:
            values = [value for row in rows for value in row]
            self.connection.execute(statement, values)

    def unnest(self, batches: Sequence[Sequence[Row]]) -> None:
        """Insert each batch by one statement of fixed text: an array a column."""
        for rows in batches:
            self.connection.execute(
                UNNEST.encode(), [list(column) for column in zip(*rows, strict=True)]
            )

    def copy(self, batches: Sequence[Sequence[Row]]) -> None:
        """Insert each batch by COPY, in its binary format."""
        for rows in batches:
            with self.connection.cursor() as cursor, cursor.copy(COPY.encode()) as copy:
                copy.set_types(list(COLUMNS.values()))
                for row in rows:
                    copy.write_row(row)

    def close(self) -> None:
        """Leave nothing behind."""
        self.connection.execute("DROP TABLE bare")
        self.connection.close()


def rows_of(count: int, start: int) -> Iterator[Row]:
    """Return rows as Almoner would write them: chained lines, and the columns that they say."""
    organisation, previous = make_id("org"), line.hash_of("")
    for sequence, draft in enumerate(drafts(count), start=start):
        moment = draft.occurred_at
        assert moment
        fields = {
            "organisation_id": organisation,
            "book": "public",
            "sequence": sequence,
            "entry_id": make_id("led"),
            "operation": str(draft.operation),
            "amount": draft.amount,
            "currency": draft.currency,
            "debit": draft.debit,
            "credit": draft.credit,
            "nonce": draft.nonce,
            "metadata": dict(draft.metadata),
            "prev_entry_hash": previous,
        }
        times = dict.fromkeys(("occurred_at", "recorded_at"), line.format_time(moment))
        text = line.encode({**fields, **times, "version": line.VERSION})
        previous = line.hash_of(text)
        row = fields | {"metadata": Jsonb(fields["metadata"]), "line": text}
        row |= {"occurred_at": moment, "recorded_at": moment, "entry_hash": previous}
        yield tuple(row[name] for name in COLUMNS)
