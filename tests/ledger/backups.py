"""What an operator does who restores an older backup: the database forgets its last entries."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import psycopg

FORGET = """
    DELETE FROM ledger_cosignature WHERE size > {size};
    DELETE FROM ledger_checkpoint WHERE size > {size};
    DELETE FROM ledger_tile;
    DELETE FROM ledger_log AS log WHERE NOT EXISTS (
        SELECT FROM ledger_checkpoint AS kept WHERE kept.organisation_id = log.organisation_id
    );
    UPDATE ledger_log SET size = 0;
    DELETE FROM ledger_entry WHERE sequence >= {size};
    UPDATE ledger_account AS account SET debits = 0, credits = 0;
    UPDATE ledger_account AS account SET debits = sum FROM (
        SELECT currency, debit AS name, sum(amount) FROM ledger_entry GROUP BY 1, 2
    ) AS legs WHERE (account.currency, account.name) = (legs.currency, legs.name);
    UPDATE ledger_account AS account SET credits = sum FROM (
        SELECT currency, credit AS name, sum(amount) FROM ledger_entry GROUP BY 1, 2
    ) AS legs WHERE (account.currency, account.name) = (legs.currency, legs.name);
    UPDATE ledger_book AS head SET size = {size}, head_hash = entry_hash,
        recorded_at = latest.recorded_at
    FROM ledger_entry AS latest WHERE latest.sequence = {size} - 1;
"""
TABLES = ("ledger_cosignature", "ledger_checkpoint", "ledger_tile", "ledger_log", "ledger_entry",
          "ledger_account", "ledger_book")  # fmt: skip


TABLES_OF_HEADS = ("ledger_headscheckpoint", "ledger_headsleaf", "ledger_headstile",
                   "ledger_headslog")  # fmt: skip


def forget(superuser: psycopg.Connection, *, size: int) -> None:
    """Take the only book back to its first entries, as if nothing else had ever been there."""
    with unlocked(superuser, TABLES):
        superuser.execute(FORGET.format(size=size).encode())


@contextmanager
def unlocked(superuser: psycopg.Connection, tables: Collection[str]) -> Iterator[None]:
    """Let the superuser do anything to tables, in one transaction."""
    triggers = superuser.execute(
        "SELECT tgrelid::regclass::text, tgname FROM pg_trigger "
        "WHERE tgenabled = 'A' AND NOT tgisinternal AND tgrelid::regclass::text = ANY (%s)",
        [list(tables)],
    ).fetchall()
    with superuser.transaction():
        superuser.execute("SET LOCAL session_replication_role = replica")
        for table, name in triggers:
            superuser.execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}".encode())
        yield
        for table, name in triggers:
            superuser.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}".encode())
