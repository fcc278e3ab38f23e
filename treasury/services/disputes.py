"""Disputes and fraud warnings: what organisations must answer, and staff must see."""

from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from common.money import format_money
from organisations.models import Membership, Organisation
from organisations.services.mail import mail_members
from reviews.models import Case
from reviews.services import open_case
from treasury.models import BalanceTransaction, Dispute

# What Stripe tells in one second, in the order in which it can come about.
# https://docs.stripe.com/api/disputes/object#dispute_object-status
LIFE = (
    *("warning_needs_response", "warning_under_review", "warning_closed", "needs_response"),
    *("under_review", "prevented", "won", "lost"),
)
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
    return dispute


def warn_of_fraud(
    *, organisation: Organisation, warning_id: str, charge: str, fraud_type: str
) -> Case:
    """Put a card issuer's early fraud warning before staff: a refund in time avoids a dispute."""
    charges = BalanceTransaction.objects.of(organisation).filter(charge=charge)
    paid = charges.filter(reporting_category="charge").first()
    what = f"the gift {paid.donation}" if paid and paid.donation else "no gift that was made here"
    money = f" of {format_money(paid.amount, paid.currency)}" if paid else ""
    return open_case(
        organisation=organisation,
        kind=Case.Kind.FRAUD_WARNING,
        subject=warning_id,
        summary=(
            f"The card's issuer says that the payment {charge}{money} may be fraud "
            f"({fraud_type.replace('_', ' ')}). It belongs to {what}. A refund within a day or "
            "two mostly avoids a dispute and its fee."
        ),
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
