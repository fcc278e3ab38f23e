"""Authorisations: what a card's bank keeps ready until it is captured, given back, or lapses."""

from sandbox import payments, refunds
from sandbox.blank import Resource
from sandbox.errors import invalid
from sandbox.scope import Scope


def capturable_charge(scope: Scope, intent: Resource) -> Resource:
    """Return the intent's authorised charge while it can be captured."""
    payments.require_state(intent, "requires_capture")
    charge = scope.load("charge", intent["latest_charge"])
    if scope.now() >= _end_of(charge):
        message = "The authorisation has expired: this charge cannot be captured any more."
        raise invalid(message, code="charge_expired_for_capture")
    return charge


def cancel(scope: Scope, intent: Resource, *, reason: str | None) -> Resource:
    """Cancel a payment that was not captured; what was authorised is given back."""
    payments.require_state(intent, *payments.OPEN, "requires_capture")
    if intent["status"] == "requires_capture":
        charge = scope.load("charge", intent["latest_charge"])
        refunds.release(scope, charge, told="charge.refunded")
    return _end(scope, intent, reason)


def lapse(scope: Scope, intent: Resource) -> Resource:
    """Let an authorisation end that nobody captured; the account's clock moves on to its end."""
    payments.require_state(intent, "requires_capture")
    charge = scope.load("charge", intent["latest_charge"])
    scope.move_on(_end_of(charge))
    refunds.release(scope, charge, told="charge.expired", reason="expired_uncaptured_charge")
    return _end(scope, intent, "automatic")


def _end_of(charge: Resource) -> int:
    return int(charge["payment_method_details"]["card"]["capture_before"])


def _end(scope: Scope, intent: Resource, reason: str | None) -> Resource:
    intent.update(
        status="canceled",
        amount_capturable=0,
        canceled_at=scope.now(),
        cancellation_reason=reason,
    )
    scope.save(intent)
    scope.emit("payment_intent.canceled", intent)
    return intent
