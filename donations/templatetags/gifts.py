"""What a gift came to, in short."""

from collections.abc import Iterable
from typing import NamedTuple

from django.template import Library

from donations.models import Donation
from ledger.models import Entry
from ledger.operations import MoneyOperation
from ledger.templatetags.entries import account_mark, operation_words

register = Library()


class GiftSums(NamedTuple):
    """What came off a gift or back to it, in words and signed amounts, and what was received."""

    parts: list[tuple[str, int]]
    received: int


@register.simple_tag
def gift_sums(donation: Donation, entries: Iterable[Entry]) -> GiftSums:
    """Return what a gift's entries add up to in the currency that it settled in."""
    sums = {MoneyOperation.PROCESSING_FEE.value: 0}
    for entry in entries:
        marks = account_mark(entry.debit), account_mark(entry.credit)
        if entry.currency == donation.settled_currency and marks[0] != marks[1]:
            change = entry.amount if marks[0] == "place" else -entry.amount
            sums[entry.operation] = sums.get(entry.operation, 0) + change
    received = sum(sums.values())
    sums.pop(MoneyOperation.DONATION_RECEIVED, None)
    parts = [(operation_words(operation), amount) for operation, amount in sums.items()]
    return GiftSums(parts, received)
