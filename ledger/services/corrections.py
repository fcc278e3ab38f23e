"""Taking an entry back: by a new one that reverses it, once, and says why."""

import unicodedata

from django.db import IntegrityError, transaction

from ledger.errors import AlreadyCorrected, CorrectionOverdraws, NotCorrectable, ReasonRefused
from ledger.models import Book, Correction, Entry, EntryFields
from ledger.operations import BookOperation
from ledger.services import Draft, append
from ledger.services.retrying import retried

REASON_LENGTH_MAX = 500
OVERDRAWN = "account_is_not_overdrawn"
HOLDS = ("DONATION_HELD", "HOLD_RELEASED")


@retried
@transaction.atomic
def correct_entry(*, entry: EntryFields, reason: str) -> Entry:
    """
    Reverse an entry by a new one that names it and gives the reason; return the new one.

    The same again returns what is stored. A correction is corrected like any entry: what it took
    back then counts again, by the last entry of the three. Raises `ReasonRefused`,
    `NotCorrectable`, `AlreadyCorrected`, `CorrectionOverdraws`.
    """
    reason = check_reason(reason)
    if not entry.amount:
        raise NotCorrectable
    if entry.operation in HOLDS:
        raise NotCorrectable(
            "A hold is not corrected: decide its case, and the money is released or given back."
        )
    book = Book.objects.select_for_update().get(pk=(entry.organisation_id, entry.book))
    if stored := _correction_of(entry):
        if stored.metadata["reason"] == reason:
            return stored
        raise AlreadyCorrected(
            f"Entry {entry.sequence:,} was corrected before, by entry {stored.sequence:,}."
        )
    try:
        [correction] = append(book=book, drafts=[_reversal(entry, reason)])
    except IntegrityError as error:
        if OVERDRAWN in str(error):
            raise CorrectionOverdraws from error
        raise
    return correction


def check_reason(reason: str) -> str:
    """Return a reason as it is published: one line, in normal form. Raises `ReasonRefused`."""
    reason = unicodedata.normalize("NFC", " ".join(reason.split()))
    if not 1 <= len(reason) <= REASON_LENGTH_MAX or not reason.isprintable():
        raise ReasonRefused
    return reason


def _correction_of(entry: EntryFields) -> Entry | None:
    key = {"organisation": entry.organisation_id, "book": entry.book}
    corrections = Correction.objects.filter(reverses=entry.sequence, **key)
    return Entry.objects.filter(sequence__in=corrections.values("sequence"), **key).first()


def _reversal(entry: EntryFields, reason: str) -> Draft:
    metadata = {"reverses": entry.sequence, "reason": reason}
    if "donation" in entry.metadata:
        metadata["donation"] = entry.metadata["donation"]
    return Draft(
        operation=BookOperation.CORRECTION,
        amount=entry.amount,
        currency=entry.currency,
        debit=entry.credit,
        credit=entry.debit,
        nonce=f"correction:{entry.sequence}",
        metadata=metadata,
    )
