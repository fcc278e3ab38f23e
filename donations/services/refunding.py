"""
Making refunds: Stripe is asked once for each row, however often we try, and its answers are kept.

The row is committed before anybody asks, every call has the row's own idempotency key and names the
row at Stripe. So who takes it up after a crash finds the refund that was made, or makes it.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import stripe
from django.db import transaction
from django.utils import timezone

from common.errors import TryAgainLater, in_words
from common.money import to_stripe
from common.stripe_api import StripeRefused, client, on_account, translated_errors
from donations.models import RefundRequest
from donations.services.holding import follow_gift
from donations.services.refund_mail import tell_failure, tell_refusal
from donations.services.refunds import STAFF, Wish, take_down
from donations.services.refusals import failure_in_words, refusal_in_words
from ledger.models import Entry
from ledger.services.retrying import retried
from organisations.models import Organisation
from reviews.models import Case
from reviews.services.holds import undo

if TYPE_CHECKING:
    from stripe.params import RefundCreateParams

logger = logging.getLogger("almoner.donations")
Status = RefundRequest.Status
# Longer than a call may take, with all that our client tries again.
FIRST_PAUSE, DOUBLINGS_MAX = timedelta(minutes=1), 6
NAME = "refund_request"
# https://docs.stripe.com/api/refunds/object#refund_object-status
STATUSES = {
    "succeeded": Status.SUCCEEDED,
    "failed": Status.FAILED,
    "canceled": Status.FAILED,
}
ORDER = list(Status)


@dataclass(frozen=True, slots=True)
class Told:
    """What Stripe says of one refund: in an answer or in an event, in whatever order."""

    id: str
    request: str
    status: str
    failure: str

    @classmethod
    def by(cls, refund: dict[str, Any]) -> "Told":
        """Read a refund of Stripe; one of an unheard-of status is on its way."""
        status = STATUSES.get(str(refund.get("status")), Status.PENDING)
        reason = str(refund.get("failure_reason") or refund.get("status"))
        metadata = refund.get("metadata") or {}
        return cls(
            id=str(refund.get("id") or ""),
            request=str(metadata.get(NAME) or ""),
            status=status,
            failure=reason[:100] if status == Status.FAILED else "",
        )


def request_refund(
    *, organisation: Organisation, donation_id: str, wish: Wish
) -> tuple[RefundRequest, bool]:
    """
    Take down a refund and ask Stripe for it; tell whether it is new. Raises as `take_down` does.

    Must not run within a transaction: the row has to be there when Stripe is asked. Where the
    answer does not come, the row waits for the worker.
    """
    refund, is_new = take_down(organisation=organisation, donation_id=donation_id, wish=wish)
    return (ask(refund) if is_new else refund), is_new


def ask(refund: RefundRequest) -> RefundRequest:
    """Ask Stripe for a refund, unless somebody else does or the answer is known; return the row."""
    claimed = _claim(refund)
    if claimed:
        try:
            answer = _ask_stripe(claimed)
        except StripeRefused as error:
            _refuse(claimed, error)
        except TryAgainLater:
            pass  # It is logged, and the claim says when somebody asks again.
        else:
            learn_refund(organisation=claimed.organisation, told=Told.by(answer))
    refund.refresh_from_db()
    return refund


def ask_due(*, limit: int) -> int:
    """Ask for refunds that nobody has an answer for, at most `limit`; return how many were due."""
    due = list(RefundRequest.objects.due(timezone.now()).order_by("next_attempt_at")[:limit])
    for refund in due:
        try:
            ask(refund)
        except Exception as error:  # whatever it is, the others have their turn
            facts = {"refund": refund.id, "reason": in_words(error)}
            logger.error("refund postponed", extra=facts)
    return len(due)


@retried
@transaction.atomic
def learn_refund(*, organisation: Organisation, told: Told) -> None:
    """
    Keep what Stripe says of a refund; what is not asked for here is left alone.

    Who was told the last word first learns nothing new from the others. One that came back is told
    to whoever asked for it.
    """
    refund = _named(organisation, told)
    if refund is None or ORDER.index(Status(told.status)) <= ORDER.index(Status(refund.status)):
        return
    refund.stripe_refund, refund.status, refund.failure = told.id, told.status, told.failure
    refund.save(update_fields=["stripe_refund", "status", "failure"])
    if refund.status == Status.FAILED:
        tell_failure(refund)
        _put_before_staff(refund, f"The refund came back: {failure_in_words(refund.failure)}")
    follow_gift(organisation=organisation, donation_id=refund.donation_id)


def _named(organisation: Organisation, told: Told) -> RefundRequest | None:
    rows = RefundRequest.objects.of(organisation).select_for_update()
    known = rows.filter(stripe_refund=told.id).exclude(stripe_refund="").first()
    # An event may be faster than the answer to the call, which perhaps never came.
    return known or rows.unanswered().filter(id=told.request).first()


@transaction.atomic
def _claim(refund: RefundRequest) -> RefundRequest | None:
    # From here on Stripe may know of it; a worker that is killed has only put it off.
    now = timezone.now()
    rows = RefundRequest.objects.of(refund.organisation).due(now)
    claimed = rows.select_for_update(skip_locked=True).filter(id=refund.id).first()
    if claimed:
        claimed.status = Status.SENT
        claimed.next_attempt_at = now + FIRST_PAUSE * 2 ** min(claimed.attempts, DOUBLINGS_MAX)
        claimed.attempts += 1
        claimed.save(update_fields=["status", "next_attempt_at", "attempts"])
    return claimed


def _ask_stripe(refund: RefundRequest) -> dict[str, Any]:
    account, charge = str(refund.organisation.stripe_account), _charge(refund)
    made = _made_before(refund, account, charge) if refund.attempts > 1 else None
    if made:
        return made
    params: RefundCreateParams = {
        "charge": charge,
        "amount": to_stripe(refund.amount, refund.donation.currency),
        "metadata": {"donation_id": refund.donation_id, NAME: refund.id},
    }
    if refund.reason != RefundRequest.Reason.NOT_ACCEPTED:  # Stripe has no word for it
        params["reason"] = refund.reason
    with translated_errors(account):
        options = on_account(account, f"almoner:refund:{refund.id}")
        return client().v1.refunds.create(params, options).to_dict(for_json=True)


def _charge(refund: RefundRequest) -> str:
    # Only a gift in the ledger is given back, and its entry names the charge that paid it.
    assert refund.donation.sequence is not None
    entries = Entry.objects.of(refund.organisation_id)
    return str(entries.get(sequence=refund.donation.sequence).metadata["charge"])


def _made_before(refund: RefundRequest, account: str, charge: str) -> dict[str, Any] | None:
    # Stripe forgets idempotency keys after a day, but no refund.
    try:
        with translated_errors(account):
            listed = client().v1.refunds.list({"charge": charge}, on_account(account))
            for made in listed.auto_paging_iter():
                told = made.to_dict(for_json=True)
                if Told.by(told).request == refund.id:
                    return told
    except StripeRefused as error:
        raise TryAgainLater("That we may not look says nothing of what was made.") from error
    return None


@retried
@transaction.atomic
def _refuse(claimed: RefundRequest, error: StripeRefused) -> None:
    refund = RefundRequest.objects.of(claimed.organisation).select_for_update().get(id=claimed.id)
    if refund.status != Status.SENT:
        return
    refund.status, refund.refusal_code = Status.REFUSED, _code(error)[:100]
    refund.refusal = refusal_in_words(refund.refusal_code)
    refund.save(update_fields=["status", "refusal_code", "refusal"])
    if refund.attempts > 1:
        tell_refusal(refund)
    _put_before_staff(refund, f"Stripe refused the refund: {refund.refusal}")
    follow_gift(organisation=refund.organisation, donation_id=refund.donation_id)


def _put_before_staff(refund: RefundRequest, why: str) -> None:
    kind, _, decided = refund.key.partition(":")
    if kind == STAFF:
        undo(case=Case.objects.get(pk=decided.partition(":")[0]), why=why)


def _code(refusal: StripeRefused) -> str:
    error = refusal.__cause__
    assert isinstance(error, stripe.StripeError)
    # The library keeps the code of a 401 or 403 in the error's body alone.
    return str(error.code or getattr(error.error, "code", None) or type(error).__name__)
