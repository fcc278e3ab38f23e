"""What becomes of a gift: facts from Stripe and the ledger, which add up to its status."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from donations.errors import GiftDiffers
from donations.models import EMAIL_LENGTH_MAX, NAME_LENGTH_MAX, Donation
from donations.signals import donation_failed, donation_paid, donation_settled
from ledger.models import Entry
from organisations.models import Organisation


@dataclass(frozen=True, slots=True)
class ChargeFacts:
    """What Stripe says of the charge that paid a gift, in the currency that the donor gave."""

    id: str
    amount: int
    currency: str


@transaction.atomic
def mark_paid(
    *,
    organisation: Organisation,
    donation_id: str,
    paid_at: datetime,
    donor_email: str = "",
    donor_name: str = "",
) -> None:
    """Note that Stripe has a gift's money; what is not this organisation's is left alone."""
    donation = _locked(organisation, donation_id)
    if donation is None:
        return
    is_news = donation.paid_at is None
    donation.paid_at = min(donation.paid_at or paid_at, paid_at)
    learn_donor(donation, donor_email=donor_email, donor_name=donor_name)
    _save(donation, "paid_at", "donor_email", "donor_name")
    if is_news:
        donation_paid.send(Donation, donation=donation)


@transaction.atomic
def mark_ended(
    *, organisation: Organisation, donation_id: str, flow: str, ended_as: str, ended_at: datetime
) -> None:
    """
    Note that a gift failed, expired or was canceled; a payment, early or late, outweighs it.

    Each flow ends in its own words: a card declined on the checkout page ends nothing yet.
    """
    donation = _locked(organisation, donation_id)
    if donation is None or donation.flow != flow:
        return
    if donation.ended_at:
        # The last end counts, in whatever order they are told.
        before = donation.ended_at, donation.ended_as
        ended_at, ended_as = max(before, (ended_at, ended_as))
    donation.ended_as, donation.ended_at = ended_as, ended_at
    _save(donation, "ended_as", "ended_at")
    if donation.status == Donation.Status.FAILED:
        donation_failed.send(Donation, donation=donation)


def gift_of(
    *, organisation: Organisation, donation_id: str, charge: ChargeFacts
) -> Donation | None:
    """
    Return the gift of this organisation that a charge names, or None when there is no such gift.

    An organisation's own charges may claim anything; a gift is paid by one charge of exactly its
    amount and currency. Raises `GiftDiffers`.
    """
    donation = _locked(organisation, donation_id)
    if donation is None:
        return None
    is_same = (charge.amount, charge.currency) == (donation.amount, donation.currency)
    if donation.sequence is not None or not is_same:
        raise GiftDiffers
    return donation


def learn_donor(donation: Donation, *, donor_email: str, donor_name: str) -> None:
    """Fill in what is not known of the donor, unless it was erased; saves nothing."""
    if not donation.erased_at:
        donation.donor_email = donation.donor_email or donor_email[:EMAIL_LENGTH_MAX]
        donation.donor_name = donation.donor_name or donor_name[:NAME_LENGTH_MAX]


def settle(*, donation: Donation, entry: Entry) -> None:
    """Note where in the public book a gift stands, and tell it."""
    is_news = donation.paid_at is None
    donation.sequence = entry.sequence
    donation.settled_amount, donation.settled_currency = entry.amount, entry.currency
    donation.settled_at = entry.recorded_at
    donation.paid_at = min(donation.paid_at or entry.occurred_at, entry.occurred_at)
    facts = ("sequence", "settled_amount", "settled_currency", "settled_at", "paid_at")
    _save(donation, *facts, "donor_email", "donor_name")
    if is_news:
        donation_paid.send(Donation, donation=donation)
    donation_settled.send(Donation, donation=donation)


def add_refund(*, organisation: Organisation, donation_id: str, amount: int) -> None:
    """Add a refund (or take back one that failed: negative), in the currency of the gift."""
    donation = _locked(organisation, donation_id)
    if donation is not None:
        donation.refunded_amount += amount
        _save(donation, "refunded_amount")


def add_dispute(*, organisation: Organisation, donation_id: str, amount: int) -> None:
    """Add what a dispute took (or gave back: negative), in the currency of the gift."""
    donation = _locked(organisation, donation_id)
    if donation is not None:
        donation.disputed_amount += amount
        _save(donation, "disputed_amount")


def note_payout(
    *,
    organisation: Organisation,
    donation_ids: Iterable[str],
    payout: str,
    arrived_on: date | None,
) -> None:
    """Note in which payout gifts go to the bank (in none: ""), and when it arrived there."""
    own = Donation.objects.of(organisation).filter(id__in=list(donation_ids))
    own.update(payout=payout, payout_arrived_on=arrived_on)


def _locked(organisation: Organisation, donation_id: str) -> Donation | None:
    own = Donation.objects.of(organisation).select_for_update()
    return own.filter(id=donation_id).first()


def _save(donation: Donation, *fields: str) -> None:
    donation.status = donation.status_now()
    donation.save(update_fields=[*fields, "status"])
