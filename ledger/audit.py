"""
The audit of a book: every row, sum and head, derived anew from the stored bytes.

`Audit` is pure: it takes a book's rows in their order and keeps no more of them than the sums of
their accounts. `audit_books` reads each book in one snapshot, so that a book that grows meanwhile
is still seen in one state. Verdicts, and which sequence is named, are those of `verifier/`.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from django.db import connection, transaction
from psycopg import ServerCursor

from ledger import line
from ledger.models import PUBLIC

BATCH_SIZE = 1000
BOOKS = """
    SELECT organisation_id, coalesce(slug, organisation_id), book
    FROM (
        SELECT organisation_id, book FROM ledger_book
        UNION SELECT organisation_id, book FROM ledger_account
        UNION SELECT organisation_id, book FROM ledger_entry
    ) AS books LEFT JOIN organisations_organisation AS organisation ON id = organisation_id
    WHERE %(organisation)s IN ('', organisation_id, slug) AND %(book)s IN ('', book)
    ORDER BY 2, 3
"""
HEAD = "SELECT size, head_hash FROM ledger_book WHERE organisation_id = %s AND book = %s"
ACCOUNTS = """
    SELECT currency, name, kind, debits, credits FROM ledger_account
    WHERE organisation_id = %s AND book = %s
"""
TIME = """to_char({} AT TIME ZONE INTERVAL '0', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""
ROWS = f"""
    SELECT line, entry_hash, amount::text, book, credit, currency, debit, entry_id, metadata::text,
        nonce, {TIME.format("occurred_at")}, operation, organisation_id, prev_entry_hash,
        {TIME.format("recorded_at")}, sequence::text
    FROM ledger_entry AS entry WHERE organisation_id = %s AND book = %s ORDER BY entry.sequence
"""  # noqa: S608 - only our own names
SECOND_USE = """
    SELECT min(sequence) FROM (
        SELECT sequence, rank() OVER (PARTITION BY {} ORDER BY sequence) AS use
        FROM ledger_entry WHERE organisation_id = %s AND book = %s AND sequence < %s AND {}
    ) AS uses WHERE use > 1
"""
NO_MIRROR = """
    SELECT min(sequence) FROM ledger_entry AS entry
    WHERE organisation_id = %s AND book = %s AND sequence < %s AND operation = 'CORRECTION'
        AND NOT EXISTS (
            SELECT FROM ledger_entry AS reversed
            WHERE reversed.organisation_id = entry.organisation_id AND reversed.book = entry.book
                AND to_jsonb(reversed.sequence) = entry.metadata -> 'reverses'
                AND reversed.sequence BETWEEN 1 AND entry.sequence - 1
                AND (reversed.amount, reversed.currency, reversed.debit, reversed.credit)
                    = (entry.amount, entry.currency, entry.credit, entry.debit)
        )
"""
# What no row shows alone, asked of columns that are known by then to say what their lines say.
ACROSS_ROWS = {
    "its nonce was used before": SECOND_USE.format("nonce", "true"),
    "its id was used before": SECOND_USE.format("entry_id", "true"),
    "it reverses what was reversed before": SECOND_USE.format(
        "metadata -> 'reverses'", "operation = 'CORRECTION'"
    ),
    "it does not mirror an earlier entry": NO_MIRROR,
}

Head = tuple[int, str | None]

PARTS = sorted(line.KEYS - {"version"})
METADATA, PREVIOUS = PARTS.index("metadata"), PARTS.index("prev_entry_hash")
GENESIS = ("GENESIS", "XXX", "genesis", "genesis:end", "genesis")
# A line of plain ASCII, cut into its parts: nearly every line, and at a tenth of the cost of
# JSON. It does not know whether the keys of the metadata are in order: comparing with the columns
# tells. What does not match may still be a line; `line.parse` decides.
TEXT = r'"([ !#-\[\]-~]*+)"'
NUMBER = r"(0|[1-9][0-9]{0,14})"
MOMENT = r'"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)"'
KEY = r'"[a-z0-9_]++":'
SCALAR = r'(?:"[ !#-\[\]-~]*+"|0|-?[1-9][0-9]{0,14}|true|false)'
INNER = rf"\{{(?:{KEY}{SCALAR}(?:,{KEY}{SCALAR})*+)?\}}"
OUTER = rf"(\{{(?:{KEY}(?:{SCALAR}|{INNER})(?:,{KEY}(?:{SCALAR}|{INNER}))*+)?\}})"
PLAIN_LINE = re.compile(
    rf'\{{"amount":{NUMBER},"book":{TEXT},"credit":{TEXT},"currency":{TEXT},"debit":{TEXT},'
    rf'"entry_id":{TEXT},"metadata":{OUTER},"nonce":{TEXT},"occurred_at":{MOMENT},'
    rf'"operation":{TEXT},"organisation_id":{TEXT},'
    r'"prev_entry_hash":(?:null(?=,"recorded_at":"[^"]*","sequence":0,)|"(sha256:[0-9a-f]{64})"),'
    rf'"recorded_at":{MOMENT},"sequence":{NUMBER},"version":1\}}\Z'
)
ENTRY_ID = re.compile(r"led_[0-7][0-9a-hjkmnp-tv-z]{25}\Z")
OPERATION = re.compile(r"[A-Z][A-Z0-9_]{0,47}\Z")
CURRENCY = re.compile(r"[A-Z]{3}\Z")
SLUG = r"[a-z0-9]+(-[a-z0-9]+)*\Z"
PLACE = re.compile(rf"stripe\Z|in_transit\Z|(bank|reserve|onchain):{SLUG}")
PURPOSE = re.compile(rf"held\Z|external\Z|unclassified\Z|fund:{SLUG}")
NONCE_LENGTH_MAX = 255
ACCOUNT_LENGTH_MAX = 160


class Verdict(IntEnum):
    """What an audit found; the number is the exit code of the command."""

    VALID = 0
    INCOMPLETE = 12
    TAMPERED = 13
    MALFORMED = 16


class BookBroken(Exception):
    """A book is not what it should be; `sequence` is that of the first bad entry, if one is."""

    def __init__(
        self, reason: str, sequence: int | None = None, verdict: Verdict = Verdict.TAMPERED
    ) -> None:
        """Say what is wrong, and where."""
        super().__init__(reason)
        self.sequence = sequence
        self.verdict = verdict


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in one book: `entries` of its `rows` were read, and `accounts` compared."""

    organisation: str
    slug: str
    book: str
    verdict: Verdict
    first_bad_sequence: int | None
    reason: str
    entries: int
    rows: int
    accounts: int | None

    @property
    def coverage(self) -> str:
        """Say in words what was compared."""
        read = f"{self.entries:,} of {self.rows:,} rows"
        if self.accounts is None:
            return f"{read}: bytes, columns"
        return f"{read}, {self.accounts:,} accounts, 1 head: bytes, columns, balances"


class Audit:
    """One book as it is read: what its entries so far add up to."""

    def __init__(self, organisation: str, book: str) -> None:
        """Begin before the genesis."""
        self.organisation = organisation
        self.book = book
        self.size = 0
        self.head_hash: str | None = None
        self.previous: str | None = None
        self.recorded_at = ""
        self.sums: dict[tuple[str, str], list[int]] = {}

    def add(self, row: Sequence[str | None]) -> None:
        """Check the next row: line, hash, and the columns as text, ordered as in a line."""
        text, entry_hash, *columns = row
        match = PLAIN_LINE.match(text or "")
        columns[METADATA] = _canonical(columns[METADATA] or "")
        agrees = match is not None and list(match.groups()) == columns
        parts = columns if agrees else self._parse(text or "")
        head_hash = line.hash_of(text or "")
        self._check_chain(parts, head_hash)
        if entry_hash != head_hash:
            raise BookBroken("the hash beside the line is not that of the line", self.size)
        if parts != columns:
            pairs = zip(PARTS, parts, columns, strict=True)
            names = ", ".join(name for name, part, column in pairs if part != column)
            raise BookBroken(f"the line and the columns disagree: {names}", self.size)
        self._check_entry(parts)
        self.previous, self.head_hash = self.head_hash, head_hash
        self.size += 1

    def finish(self, head: Head | None, accounts: Iterable[Sequence[Any]]) -> None:
        """Compare the head and the accounts with what the entries add up to."""
        self._check_head(head)
        missing = dict(self.sums)
        for currency, name, kind, debits, credits in accounts:
            expected = missing.pop((currency, name), [0, 0])
            if [debits, credits] != expected:
                raise BookBroken(
                    f"the account {name} in {currency} says {debits:,} − {credits:,}, "
                    f"its entries add up to {expected[0]:,} − {expected[1]:,}"
                )
            if kind is None or kind != self.kind_of(currency, name):
                raise BookBroken(f"the account {name} in {currency} cannot be of the kind {kind}")
        if missing:
            names = ", ".join(f"{name} in {currency}" for currency, name in sorted(missing))
            raise BookBroken(f"accounts are missing: {names}")
        self._assert_sides_are_equal()

    def kind_of(self, currency: str, name: str) -> str | None:
        """Return the kind of the account with this name and currency; None where there is none."""
        if currency == "XXX":
            return "genesis" if name in {"genesis", "genesis:end"} else None
        if self.book != PUBLIC:
            is_name = currency == "CREDIT" and 1 <= len(name) <= ACCOUNT_LENGTH_MAX
            kind = "owner" if name.startswith("owner:") and name != "owner:" else "other"
            return kind if is_name and name not in {"genesis", "genesis:end"} else None
        if not CURRENCY.match(currency) or len(name) > ACCOUNT_LENGTH_MAX:
            return None
        return "place" if PLACE.match(name) else "purpose" if PURPOSE.match(name) else None

    def _parse(self, text: str) -> list[str | None]:
        try:
            fields = line.parse(text.encode())
        except line.LineMalformed as error:
            raise BookBroken(str(error), self.size, Verdict.MALFORMED) from error
        fields["metadata"] = line.encoder.encode(fields["metadata"])
        return [None if fields[name] is None else str(fields[name]) for name in PARTS]

    def _check_chain(self, parts: Sequence[str | None], head_hash: str) -> None:
        sequence, previous = parts[-1], parts[PREVIOUS]
        if sequence != str(self.size):
            is_rival = (sequence, previous) == (str(self.size - 1), self.previous)
            if is_rival and head_hash != self.head_hash:
                raise BookBroken("a second, different entry has its place", self.size - 1)
            raise BookBroken(f"the entry in its place has the sequence {sequence}", self.size)
        if previous != self.head_hash:
            # The later line vouches for the earlier one, so the earlier one is named.
            raise BookBroken("the next entry stands on another hash", max(self.size - 1, 0))

    def _check_entry(self, parts: Sequence[Any]) -> None:
        amount, book, credit, currency, debit, entry_id, _metadata = parts[:7]
        nonce, _occurred_at, operation, organisation, _previous, recorded_at, _sequence = parts[7:]
        self._require((organisation, book) == (self.organisation, self.book), "is of another book")
        self._require(ENTRY_ID.match(entry_id), "has an id that cannot be")
        self._require(OPERATION.match(operation), "has an operation that cannot be")
        self._require(1 <= len(nonce) <= NONCE_LENGTH_MAX, "has a nonce that cannot be")
        self._require(recorded_at >= self.recorded_at, "was recorded before its predecessor")
        if self.size == 0 or operation == "GENESIS":
            is_genesis = (operation, currency, debit, credit, nonce) == GENESIS
            self._require(is_genesis and self.size == 0, "is not the one genesis of its book")
        self._move(int(amount), currency, debit, credit)
        self.recorded_at = recorded_at

    def _move(self, amount: int, currency: str, debit: str, credit: str) -> None:
        self._require(amount >= 0, "moves less than nothing")
        self._require(debit != credit, "has one account on both sides")
        self._require(currency != "XXX" or amount == 0, "moves an amount without a currency")
        debited, credited = self._sums_of(currency, debit), self._sums_of(currency, credit)
        debited[0] += amount
        credited[1] += amount
        if self.book != PUBLIC and self.kind_of(currency, debit) == "owner":
            self._require(debited[0] <= debited[1], "spends more than its owner has")

    def _sums_of(self, currency: str, name: str) -> list[int]:
        sums = self.sums.get((currency, name))
        if sums is None:
            self._require(self.kind_of(currency, name), f"names no account: {name} in {currency}")
            sums = self.sums[currency, name] = [0, 0]
        return sums

    def _require(self, condition: object, broken: str) -> None:
        if not condition:
            raise BookBroken(f"the entry {broken}", self.size)

    def _check_head(self, head: Head | None) -> None:
        if head is None:
            raise BookBroken("the book has no head")
        size, head_hash = head
        if size > self.size or self.size == 0:
            reason = f"the head counts {size:,} entries, and there are {self.size:,}"
            raise BookBroken(reason, verdict=Verdict.INCOMPLETE)
        if size < self.size:
            raise BookBroken(f"the head counts only {size:,} entries", size)
        if head_hash != self.head_hash:
            raise BookBroken("the head has another hash than the last entry", self.size - 1)

    def _assert_sides_are_equal(self) -> None:
        # Follows from what was checked: both sides of an entry are the same amount, and in the
        # public book each is a place or a purpose. It is the sentence the product shows.
        totals: dict[str, int] = {}
        for (currency, _name), (debits, credits) in self.sums.items():
            totals[currency] = totals.get(currency, 0) + debits - credits
        assert not any(totals.values()), "places and purposes differ"


def audit_books(*, organisation: str = "", book: str = "") -> Iterator[Report]:
    """Audit every book, or those of an organisation (id or slug) or of a name, one by one."""
    with connection.cursor() as cursor:
        cursor.execute(BOOKS, {"organisation": organisation, "book": book})
        books = cursor.fetchall()
    for name in books:
        yield audit_book(*name)


def audit_book(organisation: str, slug: str, book: str) -> Report:
    """Audit one book, in one snapshot."""
    audit = Audit(organisation, book)
    accounts, broken = None, None
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute(HEAD, [organisation, book])
        head = cursor.fetchone()
        try:
            accounts = _read(audit, head)
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
    )


def _read(audit: Audit, head: Head | None) -> int:
    key = [audit.organisation, audit.book]
    broken = _read_rows(audit, key)
    with connection.cursor() as cursor:
        for reason, statement in ACROSS_ROWS.items():
            cursor.execute(statement, [*key, audit.size])
            [(sequence,)] = cursor.fetchall()
            if sequence is not None and (broken is None or sequence < (broken.sequence or 0)):
                broken = BookBroken(reason, sequence)
        if broken:
            raise broken
        cursor.execute(ACCOUNTS, key)
        accounts = cursor.fetchall()
    audit.finish(head, accounts)
    return len(accounts)


def _read_rows(audit: Audit, key: Sequence[str]) -> BookBroken | None:
    with ServerCursor(connection.connection, "audit") as rows:
        rows.itersize = BATCH_SIZE
        rows.execute(ROWS, key)
        try:
            for row in rows:
                audit.add(row)
        except BookBroken as broken:
            return broken
    return None


def _canonical(metadata: str) -> str:
    try:
        return line.encoder.encode(json.loads(metadata))
    except (ValueError, RecursionError):
        return metadata
