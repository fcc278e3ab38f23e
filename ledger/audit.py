"""
The audit of books: every row, sum, head and log, derived anew from the stored bytes.

Each book is read in one snapshot, so that one that grows meanwhile is still seen in one state. Its
rows are streamed: PostgreSQL writes the next ones while these are checked.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from psycopg import Cursor, capabilities

from ledger.audit_log import LogAudit
from ledger.audit_rules import Audit, BookBroken, Head, Verdict
from ledger.models import Log

# libpq streams many rows at a time since version 17.
BATCH_SIZE = 500 if capabilities.has_stream_chunked() else 1
# The books that entries name are found from one to the next, without reading their entries.
BOOKS = """
    WITH RECURSIVE written AS (
        (SELECT organisation_id, book FROM ledger_entry ORDER BY 1, 2 LIMIT 1)
        UNION ALL
        SELECT following.* FROM written, LATERAL (
            SELECT entry.organisation_id, entry.book FROM ledger_entry AS entry
            WHERE (entry.organisation_id, entry.book) > (written.organisation_id, written.book)
            ORDER BY 1, 2 LIMIT 1
        ) AS following
    )
    SELECT organisation_id, coalesce(slug, organisation_id), book
    FROM (
        SELECT organisation_id, book FROM ledger_book
        UNION SELECT organisation_id, book FROM ledger_account
        UNION SELECT organisation_id, book FROM written
    ) AS books LEFT JOIN organisations_organisation AS organisation ON id = organisation_id
    WHERE %(organisation)s IN ('', organisation_id, slug) AND %(book)s IN ('', book)
    ORDER BY 2, 3
"""
HEAD = "SELECT size, head_hash FROM ledger_book WHERE organisation_id = %s AND book = %s"
ACCOUNTS = """
    SELECT currency, name, kind, debits, credits FROM ledger_account
    WHERE organisation_id = %s AND book = %s
"""
ROWS = """
    SELECT line, entry_hash, amount::text, book, credit, currency, debit, entry_id, metadata::text,
        nonce, (occurred_at AT TIME ZONE INTERVAL '0')::text, operation, organisation_id,
        prev_entry_hash, (recorded_at AT TIME ZONE INTERVAL '0')::text, sequence::text
    FROM ledger_entry AS entry WHERE organisation_id = %s AND book = %s ORDER BY entry.sequence
"""
OF_BOOK = "organisation_id = %(organisation)s AND book = %(book)s AND sequence < %(size)s"
SECOND_USE = f"""
    SELECT min(sequence) FROM (
        SELECT sequence, rank() OVER (PARTITION BY {{}} ORDER BY sequence) AS use
        FROM ledger_entry WHERE {OF_BOOK} AND {{}}
    ) AS uses WHERE use > 1
"""  # noqa: S608 - only our own names
# Where no two hashes are the same, no two names are, and sorting numbers is half the work.
SECOND_NAMES = f"""
    SELECT CASE WHEN count(*) > count(DISTINCT hashtextextended(nonce, 0))
            THEN ({SECOND_USE.format("nonce", "true")}) END,
        CASE WHEN count(*) > count(DISTINCT hashtextextended(entry_id, 0))
            THEN ({SECOND_USE.format("entry_id", "true")}) END
    FROM ledger_entry WHERE {OF_BOOK}
"""  # noqa: S608 - only our own names
SECOND_REVERSAL = SECOND_USE.format("metadata -> 'reverses'", "operation = 'CORRECTION'")
NO_MIRROR = """
    SELECT min(sequence) FROM ledger_entry AS entry
    WHERE organisation_id = %(organisation)s AND book = %(book)s AND sequence < %(size)s
        AND operation = 'CORRECTION' AND NOT EXISTS (
            SELECT FROM ledger_entry AS reversed
            WHERE reversed.organisation_id = entry.organisation_id AND reversed.book = entry.book
                AND to_jsonb(reversed.sequence) = entry.metadata -> 'reverses'
                AND reversed.sequence BETWEEN 1 AND entry.sequence - 1
                AND (reversed.amount, reversed.currency, reversed.debit, reversed.credit)
                    = (entry.amount, entry.currency, entry.credit, entry.debit)
        )
"""
# Whatever a line commits to, beside what opens it. Few lines of most books commit to anything.
COMMITTED = f"""
    SELECT min(entry.sequence)
    FROM (
        SELECT * FROM ledger_entry
        WHERE {OF_BOOK} AND strpos(metadata::text, '"commitment_') > 0
    ) AS entry
    CROSS JOIN LATERAL jsonb_each_text(metadata) AS said
    LEFT JOIN ledger_opening AS opening
        ON (opening.organisation_id, opening.book, opening.sequence)
            = (entry.organisation_id, entry.book, entry.sequence)
        AND 'commitment_' || opening.field = said.key
    WHERE starts_with(said.key, 'commitment_') AND {{}}
"""  # noqa: S608 - only our own names
IS_ERASED = "ledger_is_erased_v1(entry.organisation_id, entry.book, entry.sequence)"
OPENS = "said.value = ledger_commitment_v1(opening.field, opening.value, opening.salt)"
NOT_OPENED = COMMITTED.format(f"({OPENS}) IS NOT TRUE AND NOT {IS_ERASED}")
STILL_THERE = COMMITTED.format(f"opening.field IS NOT NULL AND {IS_ERASED}")
FALSE_ERASURE = f"""
    SELECT min(sequence) FROM ledger_entry AS entry
    WHERE {OF_BOOK} AND operation = 'ERASURE' AND NOT EXISTS (
        SELECT FROM ledger_entry AS erased, jsonb_object_keys(erased.metadata) AS key
        WHERE erased.organisation_id = entry.organisation_id AND erased.book = entry.book
            AND to_jsonb(erased.sequence) = entry.metadata -> 'erases'
            AND erased.sequence < entry.sequence AND starts_with(key, 'commitment_')
            AND entry.nonce = 'erasure:' || erased.sequence
    )
"""  # noqa: S608 - only our own names
# What no row shows alone, asked of columns that are known by then to say what their lines say: the
# first sequence for each reason, if there is one.
ACROSS_ROWS = {
    ("its nonce was used before", "its id was used before"): SECOND_NAMES,
    ("it reverses what was reversed before",): SECOND_REVERSAL,
    ("it does not mirror an earlier entry",): NO_MIRROR,
    ("its details were erased without an entry that says so",): NOT_OPENED,
    ("its details are said to be erased, and are there",): STILL_THERE,
    ("it erases what no entry committed to",): FALSE_ERASURE,
}


@dataclass(frozen=True, slots=True)
class Report:
    """
    What was found in one book: `entries` of its `rows` were read, and `accounts` compared.

    `sealed` of them are in its log, which was compared too.
    """

    organisation: str
    slug: str
    book: str
    verdict: Verdict
    first_bad_sequence: int | None
    reason: str
    entries: int
    rows: int
    accounts: int | None
    sealed: int | None

    @property
    def name(self) -> str:
        """Name the book."""
        return f"{self.slug}/{self.book}"

    @property
    def finding(self) -> str:
        """Say in words what was found, and where."""
        where = "" if self.first_bad_sequence is None else f" at {self.first_bad_sequence}"
        return f"{self.verdict.name}{where}: {self.reason}" if self.verdict else self.verdict.name

    @property
    def coverage(self) -> str:
        """Say in words what was compared."""
        read = f"{self.entries:,} of {self.rows:,} rows"
        if self.accounts is None:
            return f"{read}: bytes, columns"
        compared = f"{read}, {self.accounts:,} accounts, 1 head: bytes, columns, balances"
        return f"{compared}; log of {self.sealed:,}" if self.sealed else compared


def audit_books(*, organisation: str = "", book: str = "") -> Iterator[Report]:
    """Audit every book, or those of an organisation (id or slug) or of a name, one by one."""
    for name in books(organisation=organisation, book=book):
        yield audit_book(*name)


def books(*, organisation: str = "", book: str = "") -> list[tuple[str, str, str]]:
    """Return organisation, slug and name of the same books."""
    with connection.cursor() as cursor:
        cursor.execute(BOOKS, {"organisation": organisation, "book": book})
        names: list[tuple[str, str, str]] = cursor.fetchall()
    return names


@contextmanager
def snapshot() -> Iterator[Any]:
    """Provide a cursor that sees the database as it is now, whatever happens meanwhile."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL DateStyle = 'ISO'")
        yield cursor


def audit_book(organisation: str, slug: str, book: str) -> Report:
    """Audit one book, in one snapshot."""
    audit = Audit(organisation, book)
    log = LogAudit(Log(organisation_id=organisation, book=book))
    accounts, sealed, broken = None, None, None
    with snapshot() as cursor:
        cursor.execute(HEAD, [organisation, book])
        head = cursor.fetchone()
        try:
            accounts = _read(audit, head)
            sealed = log.check(audit.size, audit.keys)
        except BookBroken as error:
            broken = error
    return Report(
        organisation=organisation,
        slug=slug,
        book=book,
        verdict=broken.verdict if broken else Verdict.VALID,
        first_bad_sequence=broken.sequence if broken else None,
        reason=str(broken or ""),
        entries=audit.size,
        rows=max(audit.size, head[0] if head else 0),
        accounts=accounts,
        sealed=sealed,
    )


def _read(audit: Audit, head: Head | None) -> int:
    key = [audit.organisation, audit.book]
    broken = _read_rows(audit, key)
    read: dict[str, Any] = {
        "organisation": audit.organisation,
        "book": audit.book,
        "size": audit.size,
    }
    with connection.cursor() as cursor:
        for reasons, statement in ACROSS_ROWS.items():
            cursor.execute(statement, read)
            [found] = cursor.fetchall()
            for reason, sequence in zip(reasons, found, strict=True):
                if sequence is not None and (broken is None or sequence < (broken.sequence or 0)):
                    broken = BookBroken(reason, sequence)
        if broken:
            raise broken
        cursor.execute(ACCOUNTS, key)
        accounts = cursor.fetchall()
    audit.finish(head, accounts)
    return len(accounts)


def _read_rows(audit: Audit, key: Sequence[str]) -> BookBroken | None:
    try:
        # A savepoint: to stop half-way ends the statement, and must not end the snapshot.
        with (
            transaction.atomic(),
            Cursor(connection.connection) as cursor,
        ):
            rows: Any = cursor.stream(ROWS, key, size=BATCH_SIZE)
            with closing(rows):
                for row in rows:
                    audit.add(row)
    except BookBroken as broken:
        return broken
    return None
