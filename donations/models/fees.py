"""What Stripe took of gifts, as the ledger has it: measured, never guessed."""

from datetime import timedelta
from typing import NamedTuple

from django.db.models import Count, OuterRef, Subquery, Sum, Value
from django.db.models.functions import Replace
from django.utils import timezone

from ledger.models import Book, Entry
from ledger.operations import MoneyOperation

DAYS, ENTRIES, GIFTS_MIN = 90, 600, 10
PERMILLE = 1000


class MeasuredFee(NamedTuple):
    """What Stripe took of an organisation's last gifts, in thousandths of them."""

    gifts: int
    permille: int


def measured_fee(book: Book, currency: str) -> MeasuredFee | None:
    """
    Return the fee of the last gifts that settled in a currency; None where they are too few.

    Reads the end of the public book alone; a gift's fee has its nonce but for the last part.
    """
    entries = Entry.objects.of(book.organisation)
    gifts = entries.filter(
        operation=MoneyOperation.DONATION_RECEIVED,
        currency=currency,
        sequence__gte=book.size - ENTRIES,
        occurred_at__gte=timezone.now() - timedelta(days=DAYS),
    )
    fee = entries.filter(
        operation=MoneyOperation.PROCESSING_FEE,
        nonce=Replace(OuterRef("nonce"), Value(":charge"), Value(":fee")),
    )
    sums = gifts.annotate(fee=Subquery(fee.values("amount"))).aggregate(
        gifts=Count("sequence"), given=Sum("amount"), fees=Sum("fee", default=0)
    )
    if sums["gifts"] < GIFTS_MIN:
        return None
    given = sums["given"]
    return MeasuredFee(sums["gifts"], (2 * PERMILLE * sums["fees"] + given) // (2 * given))
