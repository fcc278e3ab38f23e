"""Keeping payouts: what became of each, what it is made of, and who hears of it."""

from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import datetime

from django.db import transaction
from django.db.models import Sum

from common.money import format_money
from ledger.services.retrying import retried
from organisations.models import Membership, Organisation
from organisations.services.mail import mail_members
from reviews.models import Case
from reviews.services.cases import open_case, overtake_of
from treasury.errors import PayoutMalformed
from treasury.models import Payout, PayoutItem
from treasury.services.payout_gifts import tell_gifts
from treasury.services.payout_reading import (
    ItemFacts,
    PayoutFacts,
    PayoutReading,
    rank_of,
    read_payouts,
)
from treasury.services.reading import lock_readings
from treasury.signals import payout_arrived

FACTS = [field.name for field in fields(PayoutFacts)]
OURS = ["read_at", "paid_at", "failed_at"]
ITEMS_AT_A_TIME = 1000
WHO_HEARS = (Membership.Role.OWNER, Membership.Role.FINANCE)


def catch_up(*, organisation: Organisation) -> None:
    """
    Read and keep all that there is to know of an organisation's payouts.

    Talks to Stripe and must not run within a transaction. Raises `TryAgainLater`, `StripeRefused`.
    """
    is_partial = True
    while is_partial:
        reading = read_payouts(organisation)
        keep_payouts(organisation=organisation, reading=reading)
        is_partial = reading.is_partial


@retried
@transaction.atomic
def keep_payouts(*, organisation: Organisation, reading: PayoutReading) -> None:
    """
    Keep what was read of payouts, and tell who must know, in one transaction.

    Readings may come twice and in any order: what is known of a payout never goes back. One that
    Stripe tells in no shape that we know, or that does not add up, becomes a case for staff and
    holds up none of the others.
    """
    lock_readings(organisation)
    known = Payout.objects.of(organisation)
    before = known.named(_name_of(told) for told in reading.payouts)
    after = _learn(organisation, reading, before)
    _compose_all(organisation, reading)
    changed = {name for name, one in after.items() if _seen(one) != _seen(before.get(name))}
    tell_gifts(organisation=organisation, payouts={*changed, *reading.compositions})
    for payout in known.filter(stripe_id__in=changed).order_by("created_at"):
        if payout.status != getattr(before.get(payout.stripe_id), "status", None):
            _tell(payout)


def _learn(
    organisation: Organisation, reading: PayoutReading, before: dict[str, Payout]
) -> dict[str, Payout]:
    after = {}
    for told in reading.payouts:
        known = before.get(name := _name_of(told))
        if isinstance(told, PayoutMalformed):
            _report(organisation, f"{name}: fields", str(told))
        elif known and (told.amount, told.currency) != (known.amount, known.currency):
            _report(organisation, f"{name}: fields", _difference(told, known))
        elif known is None or (rank_of(told), reading.read_at) > (rank_of(known), known.read_at):
            after[name] = _payout(organisation, told, known, reading.read_at)
    Payout.objects.bulk_create(
        after.values(),
        update_conflicts=True,
        unique_fields=["organisation", "stripe_id"],
        update_fields=[*FACTS[1:], *OURS],
    )
    return after


def _difference(told: PayoutFacts, known: Payout) -> str:
    was, is_now = (format_money(each.amount, each.currency) for each in (known, told))
    return f"Stripe says that the payout is of {is_now}; it was of {was}, which stays."


def _payout(
    organisation: Organisation, facts: PayoutFacts, known: Payout | None, read_at: datetime
) -> Payout:
    payout = Payout(organisation=organisation, read_at=read_at, **asdict(facts))
    payout.paid_at, payout.failed_at = (known.paid_at, known.failed_at) if known else (None, None)
    if facts.status == Payout.Status.PAID:
        payout.paid_at = payout.paid_at or read_at
    if facts.status == Payout.Status.FAILED:
        payout.failed_at = payout.failed_at or read_at
    return payout


def _seen(payout: Payout | None) -> tuple[object, ...]:
    # What of a payout concerns anybody but itself.
    return (payout.status, payout.arrival_on, payout.failure_transaction) if payout else ()


def _name_of(told: PayoutFacts | PayoutMalformed) -> str:
    return told.stripe_id if isinstance(told, PayoutFacts) else str(told).partition(":")[0]


def _compose_all(organisation: Organisation, reading: PayoutReading) -> None:
    for name, payout in Payout.objects.of(organisation).named(reading.compositions).items():
        items = reading.compositions[name]
        if isinstance(items, PayoutMalformed):
            _report(organisation, f"{name}: composition", str(items))
        else:
            _add(payout, items)
        _compose(payout, reading.read_at)


def _add(payout: Payout, items: Iterable[ItemFacts]) -> None:
    rows = [
        PayoutItem(organisation=payout.organisation, payout=payout.stripe_id, **asdict(item))
        for item in items
    ]
    PayoutItem.objects.bulk_create(rows, batch_size=ITEMS_AT_A_TIME, ignore_conflicts=True)


def _compose(payout: Payout, read_at: datetime) -> None:
    total = PayoutItem.objects.inside(payout).aggregate(total=Sum("net", default=0))["total"]
    is_whole = total == payout.amount
    if not is_whole:
        amount, sum_ = (format_money(each, payout.currency) for each in (payout.amount, total))
        words = f"What Stripe says is in the payout of {amount} adds up to {sum_}."
        _report(payout.organisation, f"{payout.stripe_id}: composition", words)
    Payout.objects.of(payout.organisation).filter(stripe_id=payout.stripe_id).update(
        composed_at=max(read_at, payout.composed_at or read_at), composition_is_whole=is_whole
    )


def _tell(payout: Payout) -> None:
    if payout.status == Payout.Status.PAID:
        payout_arrived.send(Payout, payout=payout)
        _make_good(payout)
    elif payout.status == Payout.Status.FAILED:
        _ask_for_help(payout)


def _make_good(payout: Payout) -> None:
    # The money that came back before is what this one brought.
    same = Payout.objects.of(payout.organisation).filter(currency=payout.currency)
    earlier = same.filter(status=Payout.Status.FAILED, created_at__lt=payout.created_at)
    overtake_of(
        kind=Case.Kind.PAYOUT,
        subjects=earlier.values_list("stripe_id", flat=True),
        reason=f"A later payout of {format_money(payout.amount, payout.currency)} arrived.",
    )


def _ask_for_help(payout: Payout) -> None:
    # One that failed long ago, and was made good, is history.
    organisation, amount = payout.organisation, format_money(payout.amount, payout.currency)
    if payout not in Payout.objects.of(organisation).returned():
        return
    summary = f"A payout of {amount} came back to the Stripe balance. {payout.reason}"
    _report(organisation, payout.stripe_id, summary)
    mail_members(
        organisation=organisation,
        roles=WHO_HEARS,
        template="payout_failed",
        context={"payout": payout, "amount": amount},
    )


def _report(organisation: Organisation, subject: str, summary: str) -> None:
    open_case(organisation=organisation, kind=Case.Kind.PAYOUT, subject=subject, summary=summary)
