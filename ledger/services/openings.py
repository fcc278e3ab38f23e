"""The personal details behind commitments: kept beside the ledger, and erased on the record."""

from collections.abc import Iterable

from django.db import transaction

from ledger.commitments import PREFIX, Detail
from ledger.errors import NothingToErase
from ledger.models import Book, Entry, Opening
from ledger.operations import MoneyOperation
from ledger.services import append, saying


@transaction.atomic
def keep_details(*, details: Iterable[tuple[Entry, Detail]]) -> None:
    """Keep what new entries commit to; the database refuses what does not open its entry."""
    Opening.objects.bulk_create(
        Opening(
            organisation_id=entry.organisation_id,
            book=entry.book,
            sequence=entry.sequence,
            **detail._asdict(),
        )
        for entry, detail in details
    )


@transaction.atomic
def erase_details(*, entry: Entry) -> Entry:
    """
    Delete the personal details of an entry for ever; return the entry that says so.

    The same again changes nothing. Every proof stays valid. Raises `NothingToErase`.
    """
    if not any(key.startswith(PREFIX) for key in entry.metadata):
        raise NothingToErase
    metadata = {"erases": entry.sequence}
    if "donation" in entry.metadata:
        metadata["donation"] = entry.metadata["donation"]
    draft = saying(MoneyOperation.ERASURE, nonce=f"erasure:{entry.sequence}", metadata=metadata)
    book = Book.objects.get(organisation=entry.organisation_id, book=entry.book)
    [erasure] = append(book=book, drafts=[draft])
    Opening.objects.of(entry).delete()
    return erasure
