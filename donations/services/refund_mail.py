"""Mail about refunds that came to nothing: to who asked, or to those who may."""

from common.money import format_money
from donations.models import RefundRequest
from donations.services.refusals import failure_in_words
from organisations.access import ROLES, Right
from organisations.models import Membership
from organisations.services.mail import queue_mail


def tell_failure(refund: RefundRequest) -> None:
    """Say that a refund came back, and what to do now."""
    _tell(refund, "refund_failed", failure_in_words(refund.failure))


def tell_refusal(refund: RefundRequest) -> None:
    """Say that Stripe refused a refund after whoever asked had gone."""
    _tell(refund, "refund_refused", refund.refusal)


def _tell(refund: RefundRequest, template: str, words: str) -> None:
    context = {
        "organisation": refund.organisation,
        "donation_id": refund.donation_id,
        "amount": format_money(refund.amount, refund.donation.currency),
        "words": words,
    }
    for address in _addressees(refund):
        queue_mail(to=address, template=template, context=context)


def _addressees(refund: RefundRequest) -> list[str]:
    # Who has left the organisation is told no more of it.
    members = Membership.objects.filter(
        organisation=refund.organisation_id, role__in=ROLES[Right.REFUND], user__is_active=True
    )
    who_asked = members.filter(user=refund.requested_by_id)
    chosen = who_asked if who_asked.exists() else members
    return list(chosen.order_by("id").values_list("user__email", flat=True))
