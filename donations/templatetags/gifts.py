"""What a gift came to, in short, and the states of gifts and refunds in a word."""

from collections.abc import Iterable
from typing import NamedTuple

from django.template import Library

from donations.models import Donation, RefundRequest
from donations.services.refusals import failure_in_words
from ledger.models import Entry
from ledger.operations import MoneyOperation
from ledger.templatetags.entries import account_mark, operation_words

register = Library()


class State(NamedTuple):
    """How a state is shown: a word, its icon, and the colour that helps."""

    words: str
    icon: str
    tone: str = ""


GIFT_STATES = {
    Donation.Status.PENDING: State("Not paid yet", "clock"),
    Donation.Status.PAID: State("Paid, not in the ledger yet", "clock", "wait"),
    Donation.Status.SETTLED: State("In the ledger", "check", "good"),
    Donation.Status.HELD: State("Held for review", "hold", "wait"),
    Donation.Status.PARTIALLY_REFUNDED: State("Given back in part", "out", "move"),
    Donation.Status.REFUNDED: State("Given back", "out", "move"),
    Donation.Status.DISPUTED: State("Disputed", "flag", "bad"),
    Donation.Status.FAILED: State("Payment failed", "alert"),
    Donation.Status.EXPIRED: State("Payment page expired", "clock"),
    Donation.Status.CANCELED: State("Canceled", "info"),
}
REFUND_STATES = {
    RefundRequest.Status.REQUESTED: State("Waits to be sent", "clock", "wait"),
    RefundRequest.Status.SENT: State("Waits for Stripe’s answer", "clock", "wait"),
    RefundRequest.Status.PENDING: State("On its way", "moved", "move"),
    RefundRequest.Status.SUCCEEDED: State("Given back", "check", "good"),
    RefundRequest.Status.FAILED: State("Came back", "broken", "bad"),
    RefundRequest.Status.REFUSED: State("Refused by Stripe", "alert", "bad"),
}


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


@register.simple_tag
def gift_state(donation: Donation) -> State:
    """Return how the state of a gift is shown."""
    return GIFT_STATES[Donation.Status(donation.status)]


@register.simple_tag
def refund_state(refund: RefundRequest) -> State:
    """Return how the state of a refund is shown."""
    return REFUND_STATES[RefundRequest.Status(refund.status)]


@register.filter
def failure_words(refund: RefundRequest) -> str:
    """Return why a refund came back."""
    return failure_in_words(refund.failure)


class Forecast(NamedTuple):
    """
    What a refund will cost, in the currency that the gift settled in.

    `after` is what is left of the gift then, and `short` what the Stripe balance lacks for it; both
    are None where Stripe changes the money at the rate of that day.
    """

    fee: int
    after: int | None
    short: int | None


@register.simple_tag
def refund_forecast(
    donation: Donation, entries: Iterable[Entry], amount: int, on_stripe: int
) -> Forecast:
    """
    Return what giving back an amount of a gift will cost; `on_stripe` is the balance there.

    `amount` includes what is under way already and no entry yet.
    """
    sums = gift_sums(donation, entries)
    fee = -dict(sums.parts)[operation_words(MoneyOperation.PROCESSING_FEE)]
    if donation.currency != donation.settled_currency:
        return Forecast(fee, None, None)
    return Forecast(fee, sums.received - amount, max(0, amount - on_stripe))
