"""Writing to the ledger: `append` is the only writer, one entry or a thousand."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

from django.db import connection, transaction
from psycopg import Cursor

from common.ids import make_id
from common.money import AMOUNT_MAX
from ledger import line
from ledger.errors import DraftRefused, NonceConflict
from ledger.models import Book, Entry
from ledger.operations import Application, BaseLedgerOperation, application_of
from ledger.services.retrying import retried

NONCE_MAX = 255
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BEGIN = "SELECT * FROM ledger_begin_v1(%s, %s, %s, %s, %s)"
COLUMNS = [field.attname for field in Entry._meta.concrete_fields]
COPY = f"COPY ledger_entry ({', '.join(COLUMNS)}) FROM STDIN WITH (NULL '')"
# PostgreSQL gets the entries in chunks: it checks those while the next ones are made.
CHUNK_SIZE = 200


@dataclass(frozen=True, slots=True)
class Draft:
    """
    What shall become an entry: `amount` minor units of `currency` from `credit` to `debit`.

    `nonce` is the caller's idempotency key, unique in the book for ever. `occurred_at` is when
    it happened in the world; left out, it is when it is recorded.
    """

    operation: BaseLedgerOperation
    amount: int
    currency: str
    debit: str
    credit: str
    nonce: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    occurred_at: datetime | None = None

    def check_accounts(self, application: Application) -> None:
        """Raise `UnknownOperation`, `DraftRefused`, `LineMalformed` for what cannot be moved."""
        if self.debit == self.credit:
            raise DraftRefused(f"{self.operation}: debit and credit are the same account.")
        for name in ("currency", "debit", "credit"):
            line.check_text(getattr(self, name), name)
        application.check(self.operation, self.debit, self.credit)

    def check_content(self) -> None:
        """Raise `DraftRefused`, `LineMalformed` for what no line may hold."""
        if type(self.amount) is not int or not 0 <= self.amount <= AMOUNT_MAX:
            raise DraftRefused(f"{self.operation}: the amount is not between 0 and 2^53 - 1.")
        if not 1 <= len(self.nonce) <= NONCE_MAX:
            raise DraftRefused(f"{self.operation}: the nonce must have 1 to 255 characters.")
        moment = self.occurred_at
        if moment and (moment.tzinfo is None or moment.microsecond or moment < EPOCH):
            raise DraftRefused(f"{self.operation}: occurred_at is no whole second since 1970.")
        line.check_text(self.nonce, "nonce")
        line.check_metadata(self.metadata)

    def is_content_of(self, said: "Entry | Draft") -> bool:
        """Tell whether an entry, or an earlier draft of the batch, already says this."""
        return (
            (self.operation, self.amount, self.currency, self.debit, self.credit)
            == (said.operation, said.amount, said.currency, said.debit, said.credit)
            # As written, since True == 1.
            and line.encode_metadata(self.metadata) == line.encode_metadata(said.metadata)
            and self.occurred_at in (None, said.occurred_at)
        )


def saying(operation: BaseLedgerOperation, *, nonce: str, metadata: Mapping[str, Any]) -> Draft:
    """Return the draft of an entry that moves nothing and only says something."""
    return Draft(
        operation=operation,
        amount=0,
        currency="XXX",
        debit="genesis",
        credit="genesis:end",
        nonce=nonce,
        metadata=metadata,
    )


@retried
@transaction.atomic
def append(*, book: Book, drafts: Sequence[Draft]) -> list[Entry]:
    """
    Write drafts to the end of a book, in one transaction; return their entries in order.

    A draft whose nonce is there with the same content returns the stored entry and writes
    nothing. Raises `DraftRefused`, `UnknownOperation` for what the book's application does not
    declare, and `NonceConflict` when a nonce is there with other content. What the database
    refuses for reasons of its own is tried again.
    """
    _check(application_of(book.book), drafts)
    if not drafts:
        return []
    head, known = begin(book, drafts)
    entries = _insert(_chain(book, _fresh(drafts, known), head))
    known |= {entry.nonce: entry for entry in entries}
    return [known[draft.nonce] for draft in drafts]


def _check(application: Application, drafts: Iterable[Draft]) -> None:
    # Thousands of drafts move between a few accounts.
    flows: set[tuple[str, str, str, str]] = set()
    for draft in drafts:
        flow = (draft.operation, draft.currency, draft.debit, draft.credit)
        try:
            if flow not in flows:
                draft.check_accounts(application)
                flows.add(flow)
            draft.check_content()
        except line.LineMalformed as error:
            raise DraftRefused(f"{draft.operation}: {error}.") from error


class Head(NamedTuple):
    """Where a book ends: its size, the last entry's hash, and when that was recorded."""

    size: int
    head_hash: str | None
    recorded_at: datetime | None


def begin(book: Book, drafts: Sequence[Draft]) -> tuple[Head, dict[str, Entry]]:
    """
    Lock a book and open the accounts that drafts move; return its end, and what has their nonces.

    The lock is for speed: it makes writers of one book queue instead of collide. What keeps the
    chain whole without it are the keys of the table.
    """
    accounts = {(draft.currency, name) for draft in drafts for name in (draft.debit, draft.credit)}
    lists = ([draft.nonce for draft in drafts], *zip(*accounts, strict=True))
    with server_cursor() as cursor:
        cursor.execute(BEGIN, [book.organisation_id, book.book, *map("\n".join, lists)])
        row = cursor.fetchone()
    assert row is not None
    *head, known = row
    return Head(*head), _stored(book, known) if known else {}


def _stored(book: Book, nonces: Sequence[str]) -> dict[str, Entry]:
    entries = Entry.objects.filter(organisation_id=book.organisation_id, book=book.book)
    return {entry.nonce: entry for entry in entries.filter(nonce__in=nonces)}


def _fresh(drafts: Iterable[Draft], known: Mapping[str, Entry]) -> Iterator[Draft]:
    seen: dict[str, Draft] = {}
    for draft in drafts:
        said = known.get(draft.nonce) or seen.get(draft.nonce)
        if said is None:
            seen[draft.nonce] = draft
            yield draft
        elif not draft.is_content_of(said):
            raise NonceConflict(
                f"The nonce {draft.nonce!r} was used before for something else; "
                "nothing was written."
            )


def _chain(book: Book, drafts: Iterable[Draft], head: Head) -> Iterator[tuple[Entry, str]]:
    # Yields each entry, and its row as COPY takes it.
    now = datetime.now(UTC).replace(microsecond=0)
    recorded_at = max(now, head.recorded_at) if head.recorded_at else now
    recorded = line.format_time(recorded_at)
    head_hash = head.head_hash
    for sequence, draft in enumerate(drafts, start=head.size):
        fields: dict[str, Any] = {
            "organisation_id": book.organisation_id,
            "book": book.book,
            "sequence": sequence,
            "entry_id": make_id("led"),
            "operation": draft.operation.value,
            "amount": draft.amount,
            "currency": draft.currency,
            "debit": draft.debit,
            "credit": draft.credit,
            "nonce": draft.nonce,
            "metadata": dict(draft.metadata),
            "occurred_at": line.format_time(draft.occurred_at) if draft.occurred_at else recorded,
            "recorded_at": recorded,
            "prev_entry_hash": head_hash,
        }
        try:
            text = line.encode(fields)
        except line.LineMalformed as error:
            raise DraftRefused(f"{draft.operation}: {error}.") from error
        head_hash = line.hash_of(text)
        fields |= {"entry_hash": head_hash, "line": text}
        row = row_of(fields)
        fields |= {"occurred_at": draft.occurred_at or recorded_at, "recorded_at": recorded_at}
        yield Entry.from_db(connection.alias, COLUMNS, list(fields.values())), row


def row_of(fields: Mapping[str, Any]) -> str:
    """Return an entry as COPY takes it; there are no tabs or line ends to escape in a line."""
    row = (
        f"{fields['organisation_id']}\t{fields['book']}\t{fields['sequence']}\t"
        f"{fields['entry_id']}\t{fields['operation']}\t{fields['amount']}\t"
        f"{fields['currency']}\t{fields['debit']}\t{fields['credit']}\t{fields['nonce']}\t"
        f"{line.encode_metadata(fields['metadata'])}\t{fields['occurred_at']}\t"
        f"{fields['recorded_at']}\t{fields['prev_entry_hash'] or ''}\t{fields['entry_hash']}\t"
        f"{fields['line']}\n"
    )
    return row.replace("\\", "\\\\")


def _insert(rows: Iterator[tuple[Entry, str]]) -> list[Entry]:
    written: list[Entry] = []
    chunk = list(islice(rows, CHUNK_SIZE))
    if not chunk:
        return written
    with server_cursor() as cursor, cursor.copy(COPY) as copy:
        while chunk:
            copy.write("".join([row for _, row in chunk]))
            written += [entry for entry, _ in chunk]
            chunk = list(islice(rows, CHUNK_SIZE))
    return written


@contextmanager
def server_cursor() -> Iterator[Cursor[Any]]:
    """Provide psycopg's own cursor in Django's connection: it binds on the server, and copies."""
    connection.ensure_connection()
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        yield cursor
