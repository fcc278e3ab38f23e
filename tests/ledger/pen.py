"""A stranger's pen: it writes to the ledger by raw SQL, every line under its right hash."""

import json
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any

import psycopg
import pytest
from psycopg import sql

from common.ids import make_id

COLUMNS = (
    "organisation_id", "book", "sequence", "entry_id", "operation", "amount", "currency", "debit",
    "credit", "nonce", "metadata", "occurred_at", "recorded_at", "prev_entry_hash", "entry_hash",
    "line",
)  # fmt: skip
NAMES = ", ".join(COLUMNS)
INSERT = f"INSERT INTO ledger_entry ({NAMES}) VALUES "
ORGANISATION = """
    INSERT INTO organisations_organisation (id, name, slug, summary, description, registration,
        website, crest, country, currency, status, created_at, decision_reason)
    VALUES (%s, 'Charity', %s, '', '', '', '', '', 'BE', 'EUR', 'applied', now(), '')
"""
MONEY = [("EUR", "stripe"), ("EUR", "bank:main"), ("EUR", "fund:general"), ("EUR", "held")]
CREDITS = [("CREDIT", "issued"), ("CREDIT", "owner:ann"), ("CREDIT", "owner:bob")]
GENESIS = {
    "operation": "GENESIS", "amount": 0, "currency": "XXX", "debit": "genesis",
    "credit": "genesis:end", "nonce": "genesis", "metadata": {"vkey": "log+00000001+AQ"},
}  # fmt: skip
Row = dict[str, Any]


def encode(fields: Mapping[str, Any]) -> str:
    """Return a line, written here independently of the product."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def hash_of(text: str) -> str:
    return "sha256:" + sha256(text.encode()).hexdigest()


class Pen:
    """One book of a new organisation, with a genesis and two gifts of 5.00 EUR."""

    def __init__(
        self, connection: psycopg.Connection, organisation: str = "", book: str = "public"
    ) -> None:
        self.connection = connection
        self.organisation = organisation or make_id("org")
        self.book = book
        self.size, self.head_hash = 0, None
        self.rows: list[Row] = []
        if not organisation:
            connection.execute(ORGANISATION, [self.organisation, self.organisation[-20:]])
        self.open_book(self.book)
        self.open_accounts([("XXX", "genesis"), ("XXX", "genesis:end")])
        self.open_accounts(CREDITS if organisation else MONEY)
        self.write(self.row(**GENESIS))
        for _ in range(2):
            self.write(self.row())
        # Nothing is left for the end of the transaction, which does not come: TRUNCATE would wait.
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def private(self, book: str = "credits") -> "Pen":
        """Return the pen of a private book of the same organisation; ann owns 10 credits."""
        return Pen(self.connection, self.organisation, book)

    def open_book(self, book: str) -> None:
        statement = "INSERT INTO ledger_book (organisation_id, book) VALUES (%s, %s)"
        self.connection.execute(statement, [self.organisation, book])

    def open_accounts(self, accounts: Iterable[tuple[str, str]]) -> None:
        for account in accounts:
            self.connection.execute(
                "INSERT INTO ledger_account (organisation_id, book, currency, name) "
                "VALUES (%s, %s, %s, %s)",
                [self.organisation, self.book, *account],
            )

    def row(self, rewrite: Callable[[str], str] = str, **changes: Any) -> Row:
        """Return the next entry, with changes; `rewrite` changes its line, not its columns."""
        is_money = self.book == "public"
        row = {
            "organisation_id": self.organisation,
            "book": self.book,
            "sequence": self.size,
            "entry_id": make_id("led"),
            "operation": "DONATION_RECEIVED" if is_money else "CREDIT_ADD",
            "amount": 500 if is_money else 5,
            "currency": "EUR" if is_money else "CREDIT",
            "debit": "stripe" if is_money else "issued",
            "credit": "fund:general" if is_money else "owner:ann",
            "nonce": f"nonce-{self.size}",
            "metadata": {},
            "occurred_at": "2026-11-21T12:00:00Z",
            "recorded_at": "2026-11-21T12:00:05Z",
            "prev_entry_hash": self.head_hash,
            **changes,
        }
        text = rewrite(encode({**row, "version": 1}))
        return {**row, "line": text, "entry_hash": hash_of(text)}

    def following(self, row: Row, **changes: Any) -> Row:
        """Return the entry after one that is not written yet."""
        following = {
            "sequence": row["sequence"] + 1,
            "nonce": f"nonce-{row['sequence'] + 1}",
            "prev_entry_hash": row["entry_hash"],
        }
        return self.row(**{**following, **changes})

    def write(self, *rows: Row) -> None:
        """Insert rows by one statement, and go on from the last of them."""
        self.execute(self.inserting(*rows))
        self.rows += rows
        self.size, self.head_hash = rows[-1]["sequence"] + 1, rows[-1]["entry_hash"]

    @staticmethod
    def inserting(*rows: Row) -> str:
        return INSERT + values(rows)

    def execute(self, statement: str) -> psycopg.Cursor:
        return self.connection.execute(statement.encode())

    def copy(self, *rows: Row) -> None:
        with (
            self.connection.cursor() as cursor,
            cursor.copy(f"COPY ledger_entry ({NAMES}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(list(plain(row).values()))

    def refused(self, *rows: Row) -> tuple[str, str | None]:
        """Return the SQLSTATE and the constraint that refuse these rows."""
        return self.refused_statement(self.inserting(*rows))

    def refused_statement(self, statement: str) -> tuple[str, str | None]:
        return self.refused_call(lambda: self.execute(statement))

    def refused_call(self, attack: Callable[[], object]) -> tuple[str, str | None]:
        with pytest.raises(psycopg.Error) as refusal, self.connection.transaction():
            attack()
        assert refusal.value.sqlstate
        return refusal.value.sqlstate, refusal.value.diag.constraint_name

    def sums(self) -> dict[str, tuple[int, int]]:
        """Return debits and credits of the accounts that moved."""
        rows = self.connection.execute(
            "SELECT name, debits, credits FROM ledger_account "
            "WHERE organisation_id = %s AND book = %s AND debits + credits > 0",
            [self.organisation, self.book],
        )
        return {name: (debits, credits) for name, debits, credits in rows}

    def head(self) -> tuple[int, str]:
        statement = (
            "SELECT size, head_hash FROM ledger_book WHERE organisation_id = %s AND book = %s"
        )
        return self.connection.execute(statement, [self.organisation, self.book]).fetchone()


def plain(row: Row) -> Row:
    """Return a row as columns of text, in the order of `COLUMNS`."""
    columns = {name: row[name] for name in COLUMNS}
    if not isinstance(row["metadata"], str | None):
        columns["metadata"] = encode(row["metadata"])
    for name in ("occurred_at", "recorded_at"):
        # A session may give a meaning of its own to Z, but none to an offset.
        columns[name] = row[name] and row[name].replace("Z", "+00:00")
    return columns


def values(rows: Iterable[Row]) -> str:
    return ", ".join(
        "(" + ", ".join(sql.quote(value) for value in plain(row).values()) + ")" for row in rows
    )
