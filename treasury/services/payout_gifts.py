"""Which payout brings a gift to the bank: from its charge on, through payouts that failed."""

from collections import defaultdict
from collections.abc import Iterable

from donations.services import gifts
from organisations.models import Organisation
from treasury.models import BalanceTransaction, Payout, PayoutItem


def tell_gifts(*, organisation: Organisation, payouts: Iterable[str]) -> None:
    """
    Let every gift in these payouts know in which one its money is now, or that it is in none.

    Also those in payouts that failed and whose money is in one of these, and those that were
    booked after their payout was read.
    """
    names = {*payouts, *_note_booked(organisation)}
    names |= _carried_by(organisation, names)
    found: dict[str, set[str]] = defaultdict(set)
    for gift, payout in _pairs(organisation, names):
        found[gift].add(payout)
    carriers = _carriers(organisation, {name for each in found.values() for name in each})
    together: dict[Payout | None, list[str]] = defaultdict(list)
    for gift, inside in found.items():
        alive = [carrier for name in inside if (carrier := carriers[name])]
        together[max(alive, key=lambda one: one.created_at, default=None)].append(gift)
    for carrier, donation_ids in together.items():
        has_arrived = carrier and carrier.status == Payout.Status.PAID
        gifts.note_payout(
            organisation=organisation,
            donation_ids=donation_ids,
            payout=carrier.stripe_id if carrier else "",
            arrived_on=carrier.arrival_on if carrier and has_arrived else None,
        )


def _note_booked(organisation: Organisation) -> set[str]:
    items = PayoutItem.objects.of(organisation)
    waiting = items.filter(is_booked=False)
    booked = BalanceTransaction.objects.of(organisation).filter(
        stripe_id__in=waiting.values("stripe_id")
    )
    found = waiting.filter(stripe_id__in=list(booked.values_list("stripe_id", flat=True)))
    payouts = set(found.values_list("payout", flat=True))
    found.update(is_booked=True)
    return payouts


def _carried_by(organisation: Organisation, payouts: Iterable[str]) -> set[str]:
    # The payouts that failed and whose money went into these, and those that went into them.
    known, carried = Payout.objects.of(organisation), set[str]()
    latest = set(payouts)
    while latest:
        returns = PayoutItem.objects.of(organisation).filter(payout__in=latest)
        before = known.filter(failure_transaction__in=returns.values("stripe_id"))
        latest = set(before.values_list("stripe_id", flat=True)) - carried
        carried |= latest
    return carried


def _pairs(organisation: Organisation, payouts: Iterable[str]) -> list[tuple[str, str]]:
    # A gift may be in other payouts, too, than in these.
    items = PayoutItem.objects.of(organisation)
    inside = items.filter(payout__in=payouts).values("stripe_id")
    charges = BalanceTransaction.objects.of(organisation).filter(reporting_category="charge")
    paid = charges.filter(stripe_id__in=inside).exclude(donation="")
    gift_of = dict(paid.values_list("stripe_id", "donation"))
    rows = items.filter(stripe_id__in=gift_of).values_list("stripe_id", "payout")
    return [(gift_of[charge], payout) for charge, payout in rows]


def _carriers(organisation: Organisation, payouts: Iterable[str]) -> dict[str, Payout | None]:
    # Where the money of each is now: in itself, or in the payout after the one that failed.
    known = Payout.objects.of(organisation)
    carriers: dict[str, Payout | None] = {}
    for name, first in known.named(payouts).items():
        carrier: Payout | None = first
        while carrier and carrier.has_failed:
            inside = PayoutItem.objects.bringing(carrier).values("payout")
            later = known.filter(stripe_id__in=inside, created_at__gt=carrier.created_at)
            carrier = later.newest().first()
        carriers[name] = carrier
    return carriers
