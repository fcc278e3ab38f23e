"""What becomes of a gift: facts from Stripe and the ledger, which add up to its status."""

from collections.abc import Iterable, Sequence
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

    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Payment:
    """What Stripe says of a gift's payment, and of who made it."""

    donation_id: str
    paid_at: datetime
    donor_email: str = ""
    donor_name: str = ""


@transaction.atomic
def mark_paid(*, organisation: Organisation, payments: Sequence[Payment]) -> None:
    """Note that Stripe has gifts' money; what is not this organisation's is left alone."""
    locked = lock_gifts(organisation, {payment.donation_id for payment in payments})
    for payment in payments:
        if donation := locked.get(payment.donation_id):
            _learn_payment(donation, payment)


def _learn_payment(donation: Donation, payment: Payment) -> None:
    before = donation.paid_at, donation.donor_email, donation.donor_name
    donation.paid_at = min(donation.paid_at or payment.paid_at, payment.paid_at)
    learn_donor(donation, donor_email=payment.donor_email, donor_name=payment.donor_name)
    if before == (donation.paid_at, donation.donor_email, donation.donor_name):
        return  # it is told several times
    save_facts(donation, "paid_at", "donor_email", "donor_name")
    if before[0] is None:
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
    if donation.held_as:
        return  # It is told of another card or page; how this one ends, the hold says.
    if donation.ended_at:
        # The last end counts, in whatever order they are told.
        before = donation.ended_at, donation.ended_as
        ended_at, ended_as = max(before, (ended_at, ended_as))
    donation.ended_as, donation.ended_at = ended_as, ended_at
    save_facts(donation, "ended_as", "ended_at")
    if donation.status == Donation.Status.FAILED:
        donation_failed.send(Donation, donation=donation)


def lock_gifts(organisation: Organisation, ids: Iterable[str]) -> dict[str, Donation]:
    """Lock those gifts of an organisation that there are, and return them by their ids."""
    own = Donation.objects.of(organisation).filter(id__in=set(ids))
    locked = {donation.id: donation for donation in own.select_for_update().order_by("id")}
    for donation in locked.values():
        donation.organisation = organisation
    return locked


def check_charge(donation: Donation, charge: ChargeFacts) -> None:
    """
    Raise `GiftDiffers` where a charge that names a gift does not pay it.

    An organisation's own charges may claim anything; a gift is paid by one charge of exactly its
    amount and currency.
    """
    is_same = (charge.amount, charge.currency) == (donation.amount, donation.currency)
    if donation.sequence is not None or not is_same:
        raise GiftDiffers


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
    donation.screening_due = True
    facts = ("sequence", "settled_amount", "settled_currency", "settled_at", "paid_at")
    save_facts(donation, *facts, "screening_due", "donor_email", "donor_name")
    if is_news:
        donation_paid.send(Donation, donation=donation)
    donation_settled.send(Donation, donation=donation)


def add_refund(*, organisation: Organisation, donation_id: str, amount: int) -> None:
    """Add a refund (or take back one that failed: negative), in the currency of the gift."""
    donation = _locked(organisation, donation_id)
    if donation is not None:
        donation.refunded_amount += amount
        save_facts(donation, "refunded_amount")


def add_dispute(*, organisation: Organisation, donation_id: str, amount: int) -> None:
    """Add what a dispute took (or gave back: negative), in the currency of the gift."""
    donation = _locked(organisation, donation_id)
    if donation is not None:
        donation.disputed_amount += amount
        save_facts(donation, "disputed_amount")


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


def save_facts(donation: Donation, *fields: str) -> None:
    """Save facts of a locked gift, with the status that they add up to."""
    donation.status = donation.status_now()
    donation.save(update_fields=[*fields, "status"])


def _locked(organisation: Organisation, donation_id: str) -> Donation | None:
    return lock_gifts(organisation, [donation_id]).get(donation_id)
