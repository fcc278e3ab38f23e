"""Payments: a PaymentIntent is promised, then confirmed with a card."""

from typing import Any

from sandbox import blank, charges, money
from sandbox.blank import Resource
from sandbox.cards import Card
from sandbox.charges import Payer
from sandbox.errors import CardDeclined, StripeError, invalid
from sandbox.scope import Scope

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")


def promise(scope: Scope, *, amount: int, currency: str, **fields: Any) -> Resource:
    """Make a PaymentIntent."""
    intent = scope.new(
        "payment_intent",
        amount=money.checked_amount(amount),
        currency=money.checked_currency(currency),
        application=scope.application,
    )
    intent["client_secret"] = f"{intent['id']}_secret_{blank.random_text(25)}"
    intent.update(fields)
    scope.save(intent)
    scope.emit("payment_intent.created", intent)
    return intent


def confirm(scope: Scope, intent: Resource, card: Card, payer: Payer) -> Resource:
    """
    Charge the card; a manual capture leaves the charge authorised only.

    Raises `CardDeclined` after keeping and telling the failed charge.
    """
    require_state(intent, *OPEN)
    is_captured = intent["capture_method"] != "manual"
    charge = charges.make(scope, card, payer, captured=is_captured, **charged(intent))
    intent = {**intent, "latest_charge": charge["id"]}
    if card.decline_code:
        _decline(scope, intent, charge, card.decline_code)
    intent.update(
        payment_method=charge["payment_method"], last_payment_error=None, next_action=None
    )
    if is_captured:
        return succeed(scope, intent, charge, "charge.succeeded")
    return _authorise(scope, intent, charge)


def charged(intent: Resource) -> dict[str, Any]:
    """Return what a charge takes over from its intent."""
    names = (
        "amount", "application", "currency", "customer", "description", "metadata", "receipt_email",
    )  # fmt: skip
    return {name: intent[name] for name in names} | {"payment_intent": intent["id"]}


def _decline(scope: Scope, intent: Resource, charge: Resource, decline_code: str) -> None:
    refusal = {"code": "card_declined", "decline_code": decline_code, "charge": charge["id"]}
    message = charge["failure_message"]
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        last_payment_error={**refusal, "message": message, "type": "card_error"},
    )
    scope.save(intent)
    scope.emit("charge.failed", charge)
    scope.emit("payment_intent.payment_failed", intent)
    raise CardDeclined(
        message, decline_code=decline_code, charge=charge["id"], payment_intent=intent
    )


def require_action(scope: Scope, intent: Resource) -> None:
    """Let the bank ask for the payer's consent, whom only a page can ask; nothing is charged."""
    action = {"type": "use_stripe_sdk", "use_stripe_sdk": {}}
    intent.update(status="requires_action", next_action=action)
    scope.save(intent)
    scope.emit("payment_intent.requires_action", intent)


def succeed(scope: Scope, intent: Resource, charge: Resource, told: str) -> Resource:
    """Note that the charge was captured, and tell it; it settles a moment later."""
    intent.update(
        status="succeeded", amount_capturable=0, amount_received=charge["amount_captured"]
    )
    scope.save(intent)
    charges.settle_later(scope, charge)
    scope.emit(told, charge)
    scope.emit("payment_intent.succeeded", intent)
    return intent


def _authorise(scope: Scope, intent: Resource, charge: Resource) -> Resource:
    intent.update(status="requires_capture", amount_capturable=intent["amount"])
    scope.save(intent)
    scope.emit("charge.succeeded", charge)
    scope.emit("payment_intent.amount_capturable_updated", intent)
    return intent


def require_state(intent: Resource, *states: str) -> None:
    """Refuse what cannot be done with an intent that is in none of these states."""
    if intent["status"] not in states:
        message = f"This PaymentIntent's status is {intent['status']}: this cannot be done now."
        raise StripeError(
            400, message, code="payment_intent_unexpected_state", payment_intent=intent
        )


def refuse_fee(
    parameters: dict[str, Any], name: str = "application_fee_amount", *, param: str = ""
) -> None:
    """Refuse an application fee: donations carry none."""
    if name in parameters:
        message = "The sandbox refuses application fees: donations carry no platform fee."
        raise invalid(message, code="application_fees_not_allowed", param=param or name)
