"""Payouts in words, and what is in them as a sum."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.template import Library

from common.money import MINUS, format_amount, format_money
from organisations.models import Organisation
from treasury.models import GIFT, Payout

register = Library()
Status = Payout.Status


class State(NamedTuple):
    """What became of a payout: in words, and as the tag that they stand in."""

    words: str
    tone: str
    icon: str


class Kind(NamedTuple):
    """What one thing in a payout is called, and what several are."""

    words: str
    plural: str
    icon: str


class Part(NamedTuple):
    """All things of one kind: their amounts added up, before fees."""

    words: str
    amount: int


class PayoutSum(NamedTuple):
    """What is in a payout, kind by kind; the same as an equation."""

    parts: list[Part]
    total: int
    equation: str


STATES = {
    Status.PENDING: State("Being prepared", "wait", "clock"),
    Status.IN_TRANSIT: State("On its way to the bank", "move", "moved"),
    Status.PAID: State("Arrived at the bank", "good", "check"),
    Status.FAILED: State("Came back", "bad", "alert"),
    Status.CANCELED: State("Called off", "", "info"),
}
# A balance below zero is filled up from the bank.
DEBIT_STATES = STATES | {
    Status.IN_TRANSIT: State("On its way from the bank", "move", "moved"),
    Status.PAID: State("Taken from the bank", "good", "check"),
}
FEE = Kind("Fee of Stripe", "Other fees of Stripe", "out")
OTHER = Kind("Something else", "Anything else", "info")
KINDS = {
    GIFT: Kind("Gift", "Gifts", "in"),
    "charge": Kind("Payment outside Almoner", "Payments outside Almoner", "in"),
    "refund": Kind("Refund", "Refunds", "out"),
    "refund_failure": Kind("Refund that came back", "Refunds that came back", "in"),
    "dispute": Kind("Dispute", "Disputes", "flag"),
    "dispute_reversal": Kind("Dispute won", "Disputes won", "in"),
    "payout_reversal": Kind("Payout that came back", "Payouts that came back", "moved"),
    "fee": FEE,
    "network_cost": FEE,
    "tax": FEE,
}
ORDER = list(dict.fromkeys([*(kind.plural for kind in KINDS.values()), OTHER.plural]))
FEES = "Processing fees"


@register.filter
def payout_state(payout: Payout) -> State:
    """Return what became of a payout."""
    return (DEBIT_STATES if payout.amount < 0 else STATES)[Status(payout.status)]


@register.filter
def item_kind(kind: str) -> Kind:
    """Return what a thing in a payout is called."""
    return KINDS.get(kind, OTHER)


@register.simple_tag
def payout_sum(sums: Iterable[Mapping[str, Any]], currency: str) -> PayoutSum:
    """Return what `PayoutItem.objects.sums()` adds up to."""
    gross: dict[str, int] = defaultdict(int)
    fees = 0
    for row in sums:
        gross[item_kind(row["kind"]).plural] += row["gross"]
        fees += row["fees"]
    parts = [Part(words, gross[words]) for words in ORDER if words in gross]
    parts += [Part(FEES, -fees)] if fees else []
    total = sum(part.amount for part in parts)
    return PayoutSum(parts, total, _equation(parts, total, currency))


@register.simple_tag
def returned_payout(organisation: Organisation) -> Payout | None:
    """Return the payout that came back last and that no later one has made good."""
    return Payout.objects.of(organisation).returned().first()


def _equation(parts: Iterable[Part], total: int, currency: str) -> str:
    terms = "".join(
        f" {MINUS if part.amount < 0 else '+'} {format_amount(abs(part.amount), currency)}"
        for part in parts
    )
    return f"{terms.removeprefix(' + ').strip()} = {format_money(total, currency)}"
