"""
Carrying out what was decided of authorised cards: Stripe is asked once, however often we try.

The decision is committed before anybody asks, and every call has the hold's own idempotency key; so
who takes it up after a crash finds what was done, or does it.
"""

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from common.errors import TryAgainLater, in_words
from common.stripe_api import StripeRefused, client, on_account, translated_errors
from donations.services.holding import note_captured, note_let_go
from reviews.models import Case, Hold
from reviews.services.cases import LAPSE_SPARE, open_case, overtake_of

if TYPE_CHECKING:
    from stripe import PaymentIntent

logger = logging.getLogger("almoner.donations")
# Longer than a call may take, with all that our client tries again.
FIRST_PAUSE, DOUBLINGS_MAX = timedelta(minutes=1), 6
# Staff hear of what Stripe refuses still after so many tries.
TOLD_AFTER = 3
CAPTURED, CANCELED, AUTOMATIC = "succeeded", "canceled", "automatic"


def carry_out_due(*, limit: int) -> int:
    """Carry out what is due, at most `limit` decisions; return how many were."""
    due = list(Hold.objects.to_ask(timezone.now()).order_by("next_attempt_at")[:limit])
    for hold in due:
        try:
            carry_out(hold)
        except Exception as error:  # whatever it is, the others have their turn
            logger.error("hold postponed", extra={"hold": hold.id, "reason": in_words(error)})
    return len(due)


def carry_out(hold: Hold) -> None:
    """
    Ask Stripe to capture or to cancel, unless somebody else does; of an overdue one, how it stands.

    Must not run within a transaction.
    """
    claimed = _claim(hold)
    if claimed is None:
        return
    try:
        status, why = _ask_stripe(claimed)
    except StripeRefused as error:
        _note_trouble(claimed, str(error))
        return
    except TryAgainLater:
        return  # It is logged, and the claim says when somebody asks again.
    _learn(claimed, status, why)


@transaction.atomic
def _claim(hold: Hold) -> Hold | None:
    now = timezone.now()
    rows = Hold.objects.of(hold.organisation).to_ask(now).select_related("organisation")
    claimed = rows.select_for_update(skip_locked=True, of=["self"]).filter(id=hold.id).first()
    if claimed:
        claimed.next_attempt_at = now + FIRST_PAUSE * 2 ** min(claimed.attempts, DOUBLINGS_MAX)
        claimed.attempts += 1
        claimed.save(update_fields=["next_attempt_at", "attempts"])
    return claimed


def _ask_stripe(hold: Hold) -> tuple[str, str]:
    account = str(hold.organisation.stripe_account)
    intents = client().v1.payment_intents
    try:
        with translated_errors(account):
            intent = _do(hold, account)
    except StripeRefused:
        # What was asked for may be done already, or past: the payment itself knows.
        with translated_errors(account):
            intent = intents.retrieve(hold.payment_intent, options=on_account(account))
        if intent.status not in (CAPTURED, CANCELED):
            raise
    return str(intent.status), str(intent.cancellation_reason or "")


def _do(hold: Hold, account: str) -> "PaymentIntent":
    intents, key = client().v1.payment_intents, f"almoner:hold:{hold.id}"
    if hold.status == Hold.Status.RELEASING:
        options = on_account(account, f"{key}:capture")
        return intents.capture(hold.payment_intent, options=options)
    if hold.status == Hold.Status.REFUSING:
        return intents.cancel(hold.payment_intent, options=on_account(account, f"{key}:cancel"))
    return intents.retrieve(hold.payment_intent, options=on_account(account))


def _learn(hold: Hold, status: str, why: str) -> None:
    own, intent = hold.organisation, hold.payment_intent
    if status == CAPTURED:
        note_captured(organisation=own, payment_intent=intent)
    elif status == CANCELED:
        note_let_go(organisation=own, payment_intent=intent, is_lapsed=why == AUTOMATIC)


@transaction.atomic
def _note_trouble(hold: Hold, trouble: str) -> None:
    Hold.objects.of(hold.organisation).filter(id=hold.id).update(trouble=trouble[:500])
    if hold.decided_at and hold.attempts >= TOLD_AFTER:
        assert hold.lapses_at
        open_case(
            organisation=hold.organisation,
            kind=Case.Kind.GIFT,
            subject=_trouble_of(hold),
            summary=f"{trouble} So what was decided of gift {hold.gift} is not done: its card is "
            "neither charged nor let go. It is tried again by itself until the bank lets the card "
            "go; the organisation can do it in Stripe’s dashboard.",
            due_at=hold.lapses_at - LAPSE_SPARE,
        )


def end_trouble(hold: Hold) -> None:
    """End the case of a decision that could not be carried out: its hold is over."""
    reason = "The card is charged, or let go, by now."
    overtake_of(kind=Case.Kind.GIFT, subjects=[_trouble_of(hold)], reason=reason)


def _trouble_of(hold: Hold) -> str:
    return f"{hold.gift}: card"
