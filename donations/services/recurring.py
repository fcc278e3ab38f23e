"""
Gifts that repeat: what Stripe tells of them, and the payments that they bring.

How a subscription stands is read at Stripe whenever an event tells of it, so that lost, late
and reordered events do not matter.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from donations.models import EMAIL_LENGTH_MAX, Donation, RecurringGift
from donations.services import gifts
from donations.services.gifts import ChargeFacts
from donations.services.notices import tell_trouble, tell_what_changed
from donations.services.subscriptions import (
    Claim,
    InvoiceFacts,
    SubscriptionFacts,
)
from organisations.models import Organisation

TOLD = (
    *("told_status", "amount", "next_at", "read_at"),
    *("started_at", "ended_at", "ended_reason"),
)


def begin_recurring(*, donation: Donation, interval: str) -> None:
    """Let a gift that was just promised be the first payment of one that repeats."""
    donation.recurring = RecurringGift.objects.create(
        organisation=donation.organisation,
        fund=donation.fund,
        interval=interval,
        amount=donation.amount,
        currency=donation.currency,
        donor_email=donation.donor_email,
        public_name=donation.public_name,
        owner_id=donation.owner_id,
    )
    donation.save(update_fields=["recurring"])


@transaction.atomic
def learn_subscription(
    *, organisation: Organisation, facts: SubscriptionFacts
) -> RecurringGift | None:
    """
    Note how a subscription stood when it was read; return its gift, if it is one of ours.

    What was read later counts, and what ended stays ended. What Stripe did not say stays as it was
    known.
    """
    recurring = claimed(organisation, facts.claim)
    if recurring is None:
        return None
    if recurring.read_at is None or facts.read_at >= recurring.read_at:
        recurring.told_status = facts.status or recurring.told_status
        recurring.amount = facts.amount or recurring.amount
        recurring.next_at = facts.next_at or recurring.next_at
        recurring.read_at = facts.read_at
    recurring.started_at = recurring.started_at or facts.started_at
    if facts.ended_at and not recurring.ended_at:
        recurring.ended_at, recurring.ended_reason = facts.ended_at, facts.ended_reason
    _save(recurring, *TOLD)
    return recurring


@transaction.atomic
def learn_trouble(*, organisation: Organisation, invoice: InvoiceFacts, must_confirm: bool) -> None:
    """Let the donor know that a payment failed, or that their bank wants them to confirm it."""
    recurring = claimed(organisation, invoice.claim)
    if recurring is not None:
        tell_trouble(recurring=recurring, invoice=invoice, must_confirm=must_confirm)


@transaction.atomic
def learn_payer(*, organisation: Organisation, claim: Claim, donor_email: str) -> None:
    """Note who makes the payments, unless that is known or was erased."""
    recurring = claimed(organisation, claim)
    if recurring is not None and not recurring.erased_at:
        recurring.donor_email = recurring.donor_email or donor_email[:EMAIL_LENGTH_MAX]
        _save(recurring)


@transaction.atomic
def learn_expiry(*, organisation: Organisation, claim: Claim, ended_at: datetime) -> None:
    """Note that nobody paid on the page that was to begin a gift."""
    recurring = claimed(organisation, claim)
    if recurring is not None:
        recurring.ended_at = recurring.ended_at or ended_at
        _save(recurring, "ended_at")


def payment_of(
    *, organisation: Organisation, invoice: InvoiceFacts, charge: ChargeFacts
) -> Donation | None:
    """
    Return the gift that an invoice's charge pays, None where nothing of ours repeats there.

    The first one was promised; each later one begins here. Raises `GiftDiffers`.
    """
    recurring = claimed(organisation, invoice.claim)
    if recurring is None:
        return None
    payments = recurring.payments.select_for_update().order_by("created_at", "id")
    gift = payments.filter(invoice=invoice.id).first()
    if gift is None and invoice.is_first:
        gift = _first_payment(payments.first(), invoice)
    gift = gift or _next_payment(recurring, invoice, charge)
    gifts.check_charge(gift, charge)
    return gift


def is_ours(organisation: Organisation, claim: Claim) -> bool:
    """Tell whether a subscription is, or claims to be, of a gift that was promised here."""
    return RecurringGift.objects.of(organisation).filter(_named(organisation, claim)).exists()


def claimed(organisation: Organisation, claim: Claim) -> RecurringGift | None:
    """
    Return the gift that a subscription is of, locked; from now on it has this subscription only.

    What names none of ours, or one that has another subscription, is left alone. Where an earlier
    page had expired, the gift begins after all.
    """
    own = RecurringGift.objects.of(organisation).select_for_update()
    recurring = own.filter(_named(organisation, claim)).order_by("subscription").first()
    if recurring is not None and claim.subscription and not recurring.subscription:
        recurring.subscription, recurring.ended_at = claim.subscription, None
        recurring.status = recurring.status_now()
        recurring.save(update_fields=["subscription", "ended_at", "status"])
    return recurring


def _named(organisation: Organisation, claim: Claim) -> Q:
    promised = Donation.objects.of(organisation).filter(id=claim.donation_id)
    named = Q(id=claim.recurring_id) | Q(id__in=promised.values("recurring_id"))
    return Q(subscription=claim.subscription) | (named & Q(subscription=None))


def _first_payment(promised: Donation | None, invoice: InvoiceFacts) -> Donation | None:
    if promised is None or promised.invoice or promised.sequence is not None:
        return None
    promised.invoice = invoice.id
    promised.save(update_fields=["invoice"])
    return promised


def _next_payment(recurring: RecurringGift, invoice: InvoiceFacts, charge: ChargeFacts) -> Donation:
    # Where the promised payment is not there yet, this one is looked at in its stead.
    waiting = recurring.payments.filter(review_due=True, sequence=None)
    is_looked_at = waiting.update(review_due=False) > 0
    return Donation.objects.create(
        organisation=recurring.organisation,
        recurring=recurring,
        invoice=invoice.id,
        fund=recurring.fund,
        flow=Donation.Flow.CHECKOUT,
        amount=charge.amount,
        currency=charge.currency,
        donor_email="" if recurring.erased_at else recurring.donor_email,
        public_name=recurring.public_name,
        owner_id=recurring.owner_id,
        erased_at=recurring.erased_at,
        review_due=is_looked_at,
    )


def _save(recurring: RecurringGift, *fields: str) -> None:
    recurring.status = recurring.status_now()
    tell_what_changed(recurring)
    if recurring.erased_at and recurring.ended_at:
        # Its donor had to be reached while it ran, and no longer.
        recurring.donor_email = ""
    recurring.save(update_fields=[*fields, "status", "donor_email"])
