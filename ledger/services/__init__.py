"""Writing to the ledger: `append` is the only writer, one entry or a thousand."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from psycopg import Cursor

from common.ids import make_id
from common.money import AMOUNT_MAX
from ledger import line
from ledger.errors import DraftRefused, NonceConflict
from ledger.models import Account, Book, Entry
from ledger.operations import BaseLedgerOperation, application_of

NONCE_MAX = 255
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
COLUMNS = (
    "organisation_id, book, sequence, entry_id, operation, amount, currency, debit, credit, "
    "nonce, metadata, occurred_at, recorded_at, prev_entry_hash, entry_hash, line"
)
INSERT = f"""
    INSERT INTO ledger_entry ({COLUMNS})
    SELECT %b, %b, * FROM unnest(
        %b::bigint[], %b::text[], %b::text[], %b::bigint[], %b::text[], %b::text[], %b::text[],
        %b::text[], %b::jsonb[], %b::timestamptz[], %b::timestamptz[], %b::text[], %b::text[],
        %b::text[]
    )
"""  # noqa: S608 - only our own names


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

    def check(self) -> None:
        """Raise `DraftRefused` for what no line may hold."""
        if not 0 <= self.amount <= AMOUNT_MAX:
            raise DraftRefused(f"{self.operation}: the amount is not between 0 and 2^53 - 1.")
        if self.debit == self.credit:
            raise DraftRefused(f"{self.operation}: debit and credit are the same account.")
        if not 1 <= len(self.nonce) <= NONCE_MAX:
            raise DraftRefused(f"{self.operation}: the nonce must have 1 to 255 characters.")
        moment = self.occurred_at
        if moment and (moment.tzinfo is None or moment.microsecond or moment < EPOCH):
            raise DraftRefused(f"{self.operation}: occurred_at is no whole second since 1970.")
        try:
            for name in ("currency", "debit", "credit", "nonce"):
                line.check_text(getattr(self, name), name)
            line.check_metadata(self.metadata)
        except line.LineMalformed as error:
            raise DraftRefused(f"{self.operation}: {error}.") from error

    def is_content_of(self, entry: Entry) -> bool:
        """Tell whether an entry already says this."""
        return (
            (self.operation, self.amount, self.currency, self.debit, self.credit)
            == (entry.operation, entry.amount, entry.currency, entry.debit, entry.credit)
            and self.metadata == entry.metadata
            and self.occurred_at in (None, entry.occurred_at)
        )


@transaction.atomic
def append(*, book: Book, drafts: Sequence[Draft]) -> list[Entry]:
    """
    Write drafts to the end of a book, in one transaction; return their entries in order.

    A draft whose nonce is there with the same content returns the stored entry and writes
    nothing. Raises `DraftRefused`, `UnknownOperation` for what the book's application does not
    declare, and `NonceConflict` when a nonce is there with other content.
    """
    application = application_of(book.book)
    for draft in drafts:
        draft.check()
        application.check(draft.operation, draft.debit, draft.credit)
    if not drafts:
        return []
    size, head_hash = _lock_head(book)
    known, last_recorded_at = _read_known(book, size, drafts)
    fresh = list(_fresh(drafts, known))
    recorded_at = max(datetime.now(UTC).replace(microsecond=0), last_recorded_at)
    entries = list(_chain(book, fresh, size, head_hash, recorded_at))
    _open_accounts(book, fresh)
    _insert(book, entries)
    known |= {entry.nonce: entry for entry in entries}
    return [known[draft.nonce] for draft in drafts]


def _lock_head(book: Book) -> tuple[int, str | None]:
    # The lock is for speed: it makes writers of one book queue instead of collide. What keeps the
    # chain whole without it are the keys of the table.
    return (
        Book.objects.select_for_update()
        .values_list("size", "head_hash")
        .get(organisation_id=book.organisation_id, book=book.book)
    )


def _read_known(
    book: Book, size: int, drafts: Sequence[Draft]
) -> tuple[dict[str, Entry], datetime]:
    is_known = Q(nonce__in=[draft.nonce for draft in drafts]) | Q(sequence=size - 1)
    rows = Entry.objects.filter(is_known, organisation_id=book.organisation_id, book=book.book)
    known = {entry.nonce: entry for entry in rows}
    last = (entry.recorded_at for entry in known.values() if entry.sequence == size - 1)
    return known, next(last, datetime.min.replace(tzinfo=UTC))


def _fresh(drafts: Iterable[Draft], known: Mapping[str, Entry]) -> Iterator[Draft]:
    seen: dict[str, Draft] = {}
    for draft in drafts:
        entry, twin = known.get(draft.nonce), seen.get(draft.nonce)
        if (entry and not draft.is_content_of(entry)) or (twin and twin != draft):
            raise NonceConflict(
                f"The nonce {draft.nonce!r} was used before for something else; "
                "nothing was written."
            )
        if not entry and not twin:
            seen[draft.nonce] = draft
            yield draft


def _chain(
    book: Book,
    drafts: Iterable[Draft],
    size: int,
    head_hash: str | None,
    recorded_at: datetime,
) -> Iterator[Entry]:
    for sequence, draft in enumerate(drafts, start=size):
        fields: dict[str, Any] = {
            "organisation_id": book.organisation_id,
            "book": book.book,
            "sequence": sequence,
            "entry_id": make_id("led"),
            "operation": str(draft.operation),
            "amount": draft.amount,
            "currency": draft.currency,
            "debit": draft.debit,
            "credit": draft.credit,
            "nonce": draft.nonce,
            "metadata": dict(draft.metadata),
            "prev_entry_hash": head_hash,
        }
        moments = {"occurred_at": draft.occurred_at or recorded_at, "recorded_at": recorded_at}
        times = {name: line.format_time(moment) for name, moment in moments.items()}
        text = _encode(fields | times, draft)
        head_hash = line.hash_of(text)
        yield Entry(**fields, **moments, entry_hash=head_hash, line=text)


def _encode(fields: Mapping[str, Any], draft: Draft) -> str:
    try:
        return line.encode({**fields, "version": line.VERSION})
    except line.LineMalformed as error:
        raise DraftRefused(f"{draft.operation}: {error}.") from error


def _open_accounts(book: Book, drafts: Iterable[Draft]) -> None:
    wanted = {(draft.currency, name) for draft in drafts for name in (draft.debit, draft.credit)}
    accounts = Account.objects.filter(organisation_id=book.organisation_id, book=book.book)
    there = set(
        accounts.filter(name__in={name for _, name in wanted}).values_list("currency", "name")
    )
    _execute(
        "INSERT INTO ledger_account (organisation_id, book, currency, name) "
        "SELECT %b, %b, * FROM unnest(%b::text[], %b::text[]) ON CONFLICT DO NOTHING",
        [book.organisation_id, book.book, *_columns(sorted(wanted - there), 2)],
    )


def _insert(book: Book, entries: Sequence[Entry]) -> None:
    rows = [
        (
            entry.sequence, entry.entry_id, entry.operation, entry.amount, entry.currency,
            entry.debit, entry.credit, entry.nonce, line.encode(entry.metadata),
            entry.occurred_at, entry.recorded_at, entry.prev_entry_hash, entry.entry_hash,
            entry.line,
        )
        for entry in entries
    ]  # fmt: skip
    _execute(INSERT, [book.organisation_id, book.book, *_columns(rows, 14)])


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[]] * width


def _execute(statement: str, values: Sequence[Any]) -> None:
    # A plain psycopg cursor binds binary arrays on the server: four times as fast as Django's.
    if not values[-1]:
        return
    connection.ensure_connection()
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        cursor.execute(statement, values)
