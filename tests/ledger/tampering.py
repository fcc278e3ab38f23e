"""What an operator with all rights could do to a book: any rows, and everything recomputed."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from config import postgres
from config.postgres_home import SUPERUSER
from tests.ledger.pen import Pen, Row, encode, hash_of

TABLES = ("ledger_entry", "ledger_account", "ledger_book")
LOG_TABLES = (
    "ledger_log", "ledger_tile", "ledger_checkpoint", "ledger_headslog", "ledger_headsleaf",
    "ledger_headstile", "ledger_headscheckpoint", "ledger_headskey",
)  # fmt: skip
CONSTRAINTS = """
    SELECT format(
        'ALTER TABLE %%s DROP CONSTRAINT IF EXISTS %%I CASCADE', conrelid::regclass, conname
    )
    FROM pg_constraint WHERE conrelid = ANY (%s::regclass[]) AND contype IN ('c', 'f', 'u', 'p')
        AND conname NOT IN ('ledger_book_pkey', 'ledger_account_pkey')
"""


@contextmanager
def unguarded(server: postgres.Server, name: str, template: str) -> Iterator[None]:
    """Make a copy of the test database in which the ledger's tables take anything."""
    postgres.make_database(server, name, template)
    with psycopg.connect(server.url(SUPERUSER, name), autocommit=True) as connection:
        for (statement,) in connection.execute(CONSTRAINTS, [list(TABLES)]).fetchall():
            connection.execute(statement)
        for table in (*TABLES, *LOG_TABLES, "ledger_opening"):
            connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")  # not ALWAYS any more
        # It could not be made from what is no number.
        connection.execute("ALTER TABLE ledger_entry ALTER COLUMN reverses DROP EXPRESSION")
        connection.execute("DROP TRIGGER ledger_mirror ON ledger_entry")
        connection.execute(
            "ALTER TABLE ledger_checkpoint DROP CONSTRAINT checkpoint_says_its_size_and_root"
        )
        connection.execute(
            "ALTER TABLE ledger_headscheckpoint "
            "DROP CONSTRAINT headscheckpoint_says_its_size_and_root"
        )
        connection.execute(
            "ALTER TABLE ledger_headsleaf DROP CONSTRAINT ledger_headsleaf_body_check"
        )
    try:
        yield
    finally:
        with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )


class Tamper:
    """The superuser's hand in the one book of the unguarded database."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        connection.execute("SET session_replication_role = replica")

    def execute(self, statement: str) -> None:
        self.connection.execute(statement.encode())

    def rows(self) -> list[Row]:
        found = self.connection.execute(
            "SELECT line, entry_hash FROM ledger_entry ORDER BY sequence"
        )
        return [{**json.loads(line), "line": line, "entry_hash": hash} for line, hash in found]

    def lines(self) -> list[str]:
        found = self.connection.execute("SELECT line FROM ledger_entry ORDER BY sequence")
        return [line for (line,) in found]

    def save(self, rows: list[Row]) -> None:
        self.execute("DELETE FROM ledger_entry")
        self.execute(Pen.inserting(*rows))

    def edit(self, change: Callable[[list[Row]], None]) -> None:
        rows = self.rows()
        change(rows)
        self.save(rows)

    def state_head(self) -> None:
        """Make the head say what the last row says."""
        self.execute(
            "UPDATE ledger_book SET (size, head_hash) = (SELECT sequence + 1, entry_hash "
            "FROM ledger_entry ORDER BY sequence DESC LIMIT 1)"
        )

    def state_sums(self) -> None:
        """Make the accounts say what the rows add up to."""
        self.execute(
            "UPDATE ledger_account AS account SET "
            "debits = (SELECT coalesce(sum(amount), 0) FROM ledger_entry AS entry "
            "WHERE debit = name AND entry.currency = account.currency), "
            "credits = (SELECT coalesce(sum(amount), 0) FROM ledger_entry AS entry "
            "WHERE credit = name AND entry.currency = account.currency)"
        )


def forged(row: Row, **changes: object) -> Row:
    """Return a row with changes, in line and columns, under the right hash."""
    fields = {**row, **changes}
    line = encode({name: fields[name] for name in fields if name not in ("line", "entry_hash")})
    return {**fields, "line": line, "entry_hash": hash_of(line)}


def rewritten(row: Row, old: str, new: str) -> Row:
    """Return a row with another line under the right hash, but the same columns."""
    assert old in row["line"]
    line = row["line"].replace(old, new)
    return {**row, "line": line, "entry_hash": hash_of(line)}


def rechain(rows: list[Row], start: int) -> None:
    """Make every row from one on stand on the one before it."""
    for place in range(start, len(rows)):
        previous = rows[place - 1]["entry_hash"]
        rows[place] = forged(rows[place], sequence=place, prev_entry_hash=previous)
