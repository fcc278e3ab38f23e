"""Mail about refunds that came to nothing: to who asked, or to those who may."""

from common.money import format_money
from donations.models import RefundRequest
from donations.services.refusals import failure_in_words
from organisations.access import ROLES, Right
from organisations.services.mail import mail_members


def tell_failure(refund: RefundRequest) -> None:
    """Say that a refund came back, and what to do now."""
    _tell(refund, "refund_failed", failure_in_words(refund.failure))


def tell_refusal(refund: RefundRequest) -> None:
    """Say that Stripe refused a refund after whoever asked had gone."""
    _tell(refund, "refund_refused", refund.refusal)


def _tell(refund: RefundRequest, template: str, words: str) -> None:
    # Who asked and has left the organisation is told no more of it.
    mail_members(
        organisation=refund.organisation,
        roles=ROLES[Right.REFUND],
        rather=refund.requested_by,
        template=template,
        context={
            "donation_id": refund.donation_id,
            "amount": format_money(refund.amount, refund.donation.currency),
            "words": words,
        },
    )
