"""The ways out when sealing has halted: bring back what is lost, or say that nothing is."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.db import IntegrityError, transaction

from common.errors import in_words
from ledger import line, notes
from ledger.errors import RestoreRefused, SealingHalted
from ledger.models import AnyLog, Book
from ledger.operations import BaseLedgerOperation, BookOperation, application_of
from ledger.services import COPY, Draft, begin, row_of, server_cursor
from ledger.services.checkpoints import keep, kept_file, kept_note
from ledger.services.sealing import seal_locked

BATCH_SIZE = 1000


@transaction.atomic(durable=True)
def restore_entries(*, book: Book, lines: Iterable[bytes]) -> int:
    """
    Write back the entries that an export has and a book has lost, byte for byte; say how many.

    The database checks them like new ones, and the log is sealed with them: all of it or nothing.
    Raises `RestoreRefused`, and `SealingHalted` when it still lacks what was signed.
    """
    restored = 0
    missing = _missing(book, lines)
    try:
        while batch := list(islice(missing, BATCH_SIZE)):
            begin(book, [_draft(fields) for fields in batch])
            with server_cursor() as cursor, cursor.copy(COPY) as copy:
                copy.write("".join(map(row_of, batch)))
            restored += len(batch)
    except line.LineMalformed as error:
        raise RestoreRefused(f"The file is no export: {error}.") from error
    except IntegrityError as error:
        raise RestoreRefused(
            f"The file does not go on from this book: {in_words(error)}"
        ) from error
    seal_locked(book)
    return restored


@transaction.atomic(durable=True)
def trust_checkpoint(*, log: AnyLog) -> notes.Checkpoint:
    """
    Keep the database's last checkpoint outside again, where none is kept; return it.

    For an operator who knows that this database is the last one. Raises `SealingHalted` where a
    checkpoint is kept, or none was ever signed.
    """
    if kept_note(log):
        raise SealingHalted(f"{kept_file(log)} is there: sealing goes on from it.")
    last = log.checkpoints().first()
    if last is None:
        raise SealingHalted("Nothing of this log was ever signed: there is nothing to trust.")
    note = notes.parse_note(last.note.encode())
    keep(log, note)
    return notes.parse_checkpoint(note.text)


def _missing(book: Book, lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    size = Book.objects.select_for_update().get(pk=book.pk).size
    for content in lines:
        fields = line.parse(content.removesuffix(b"\n"))
        if (fields["organisation_id"], fields["book"]) != (book.organisation_id, book.book):
            raise RestoreRefused("The file is an export of another book.")
        if fields["sequence"] >= size:
            text = line.encode(fields)
            yield {**fields, "entry_hash": line.hash_of(text), "line": text}


def _draft(fields: dict[str, Any]) -> Draft:
    names = ("amount", "currency", "debit", "credit", "nonce")
    try:
        operation = _operations_of(fields)(fields["operation"])
    except ValueError as error:
        raise RestoreRefused(f"The file is no export: {error}.") from error
    return Draft(operation=operation, **{name: fields[name] for name in names})


def _operations_of(fields: dict[str, Any]) -> type[BaseLedgerOperation]:
    is_own = fields["operation"] in BookOperation.__members__
    return BookOperation if is_own else application_of(fields["book"]).operations
