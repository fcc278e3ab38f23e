"""Disputes and fraud warnings: what organisations must answer, and staff must see."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from common.money import format_money
from donations.models import Donation
from organisations.models import Membership, Organisation
from organisations.services.mail import mail_members
from reviews.models import Case
from reviews.services.cases import open_case, overtake_of
from reviews.traits import key_of
from treasury.models import BalanceTransaction, Dispute

# What Stripe tells in one second, in the order in which it can come about.
# https://docs.stripe.com/api/disputes/object#dispute_object-status
LIFE = (
    *("warning_needs_response", "warning_under_review", "warning_closed", "needs_response"),
    *("under_review", "prevented", "won", "lost"),
)
# Nothing is left to answer then, and why.
ANSWERED = "The organisation answered, and the bank decides now."
SETTLED = {
    "warning_under_review": ANSWERED,
    "under_review": ANSWERED,
    "warning_closed": "The bank's inquiry ended, and became no dispute.",
    "prevented": "The dispute was prevented.",
    "won": "The dispute was won: the money is back.",
    "lost": "The dispute was lost: the money stays with the donor.",
}
# Staff hear of it when a day is left to answer, even if the organisation does nothing.
SPARE = timedelta(days=1)
ANSWERING = (Membership.Role.OWNER, Membership.Role.FINANCE)


@dataclass(frozen=True, slots=True)
class DisputeTold:
    """What Stripe said of a dispute at `told_at`; `amount` in minor units of `currency`."""

    stripe_id: str
    charge: str
    amount: int
    currency: str
    reason: str
    status: str
    answer_by: datetime | None
    opened_at: datetime
    told_at: datetime


@transaction.atomic
def note_dispute(*, organisation: Organisation, told: DisputeTold) -> Dispute:
    """
    Keep what was told last of a dispute, and tell those who can answer it.

    They hear of an inquiry and of a dispute that it becomes, of each once, in whatever order and
    however often that is told; what is kept is the same, too.
    """
    fields = asdict(told)
    dispute, is_new = Dispute.objects.select_for_update().get_or_create(
        organisation=organisation, stripe_id=fields.pop("stripe_id"), defaults=fields
    )
    if not is_new and _place(told) > _place(dispute):
        for name, value in fields.items():
            setattr(dispute, name, value)
        dispute.save(update_fields=list(fields))
    if dispute.asked_as != dispute.status and dispute.awaits_answer(timezone.now()):
        _ask_for_answer(dispute)
        _open_case(dispute)
    if why := SETTLED.get(dispute.status):
        overtake_of(kind=Case.Kind.DISPUTE, subjects=[dispute.stripe_id], reason=why)
    return dispute


def warn_of_fraud(
    *, organisation: Organisation, warning_id: str, charge: str, fraud_type: str
) -> Case:
    """Put a card issuer's early fraud warning before staff: a refund in time avoids a dispute."""
    paid, gift = _paid_with(organisation, charge)
    what = f"the gift {gift.id}" if gift else "no gift that was made here"
    money = f" of {format_money(paid.amount, paid.currency)}" if paid else ""
    return open_case(
        organisation=organisation,
        kind=Case.Kind.FRAUD_WARNING,
        subject=warning_id,
        gift=gift.id if gift else "",
        donor_key=key_of("email", gift.donor_email) if gift else "",
        amount=paid.amount if paid else None,
        currency=paid.currency if paid else "",
        summary=(
            f"The card's issuer says that the payment {charge}{money} may be fraud "
            f"({fraud_type.replace('_', ' ')}). It belongs to {what}. A refund within a day or "
            "two mostly avoids a dispute and its fee."
        ),
    )


def _paid_with(
    organisation: Organisation, charge: str
) -> tuple[BalanceTransaction | None, Donation | None]:
    """Return what a charge brought, and the gift that it paid."""
    charges = BalanceTransaction.objects.of(organisation).filter(charge=charge)
    paid = charges.filter(reporting_category="charge").first()
    gift = Donation.objects.of(organisation).filter(id=paid.donation).first() if paid else None
    return paid, gift


def _open_case(dispute: Dispute) -> None:
    """Put before staff that somebody should answer: also when an inquiry becomes a dispute."""
    _, gift = _paid_with(dispute.organisation, dispute.charge)
    money = format_money(dispute.amount, dispute.currency)
    asks = "asks about" if dispute.is_inquiry else "took back"
    open_case(
        organisation=dispute.organisation,
        kind=Case.Kind.DISPUTE,
        subject=dispute.stripe_id,
        gift=gift.id if gift else "",
        donor_key=key_of("email", gift.donor_email) if gift else "",
        amount=dispute.amount or None,
        currency=dispute.currency if dispute.amount else "",
        due_at=dispute.answer_by and dispute.answer_by - SPARE,
        summary=(
            f"A donor's bank {asks} {money} (payment {dispute.charge}); the reason it gives: "
            f"{dispute.reason}. The organisation has mail and answers at Stripe. See that it does, "
            "or close this when it will not."
        ),
        again=True,
    )


def _place(told: DisputeTold | Dispute) -> tuple[datetime, int]:
    return told.told_at, LIFE.index(told.status) if told.status in LIFE else -1


def _ask_for_answer(dispute: Dispute) -> None:
    dispute.asked_as = dispute.status
    dispute.save(update_fields=["asked_as"])
    mail_members(
        organisation=dispute.organisation,
        roles=ANSWERING,
        template="dispute",
        context={"dispute": dispute, "amount": format_money(dispute.amount, dispute.currency)},
    )
