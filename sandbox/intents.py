"""The calls of PaymentIntents: create, confirm, capture, cancel."""

from sandbox import authorisations
from sandbox.blank import Resource
from sandbox.calls import Call, answers
from sandbox.cards import card_of_payment_method
from sandbox.charges import Payer
from sandbox.errors import invalid
from sandbox.lists import PAGING, page
from sandbox.payments import OPEN, confirm, promise, refuse_fee, require_state, succeed

_KEPT = "capture_method description metadata receipt_email statement_descriptor_suffix"
_IGNORED = (
    "allowed_payment_method_types payment_method_options return_url off_session"
    " error_on_requires_action use_stripe_sdk"
)


@answers(
    "post",
    "/v1/payment_intents",
    f"{_KEPT} {_IGNORED} amount application_fee_amount automatic_payment_methods confirm currency"
    " payment_method",
)
def create(call: Call) -> Resource:
    refuse_fee(call.parameters)
    fields = {name: call.get(name) for name in _KEPT.split() if name in call.parameters}
    intent = promise(call.scope, amount=call.get("amount"), currency=call.get("currency"), **fields)
    if "automatic_payment_methods" in call.parameters:
        intent["automatic_payment_methods"] = {
            "allow_redirects": "always",
            **call.get("automatic_payment_methods"),
        }
    if "payment_method" in call.parameters:
        card_of_payment_method(call.get("payment_method"))
        intent.update(status="requires_confirmation", payment_method=call.get("payment_method"))
    call.scope.save(intent)
    return _confirm(call, intent) if call.get("confirm") else intent


@answers(
    "post",
    "/v1/payment_intents/{intent}/confirm",
    f"{_IGNORED} capture_method payment_method receipt_email",
)
def confirm_by_call(call: Call) -> Resource:
    intent = call.scope.load("payment_intent", call.values["intent"])
    for name in {"capture_method", "receipt_email"} & call.parameters.keys():
        intent[name] = call.get(name)
    return _confirm(call, intent)


def _confirm(call: Call, intent: Resource) -> Resource:
    require_state(intent, *OPEN)
    name = call.get("payment_method", intent["payment_method"])
    if not name:
        message = "You cannot confirm this PaymentIntent because it's missing a payment method."
        raise invalid(message, code="payment_intent_unexpected_state", param="payment_method")
    return confirm(call.scope, intent, card_of_payment_method(name), Payer(intent["receipt_email"]))


@answers(
    "post",
    "/v1/payment_intents/{intent}/capture",
    "amount_to_capture application_fee_amount metadata",
)
def capture(call: Call) -> Resource:
    """Capture all or a part of what was authorised; the rest is released."""
    refuse_fee(call.parameters)
    intent = call.scope.load("payment_intent", call.values["intent"])
    charge = authorisations.capturable_charge(call.scope, intent)
    amount = call.get("amount_to_capture", intent["amount_capturable"])
    if not 0 < amount <= intent["amount_capturable"]:
        message = "The amount to capture must be between 1 and the capturable amount."
        raise invalid(message, code="amount_too_large", param="amount_to_capture")
    intent["metadata"].update(call.get("metadata") or {})
    charge.update(captured=True, amount_captured=amount)
    call.scope.save(charge)
    return succeed(call.scope, intent, charge, "charge.captured")


@answers("post", "/v1/payment_intents/{intent}/cancel", "cancellation_reason")
def cancel(call: Call) -> Resource:
    intent = call.scope.load("payment_intent", call.values["intent"])
    return authorisations.cancel(call.scope, intent, reason=call.get("cancellation_reason"))


@answers("post", "/v1/payment_intents/{intent}", "description metadata receipt_email")
def update(call: Call) -> Resource:
    intent = call.scope.load("payment_intent", call.values["intent"])
    fields = {name: value for name, value in call.parameters.items() if name != "expand"}
    intent.update(fields, metadata=call.metadata(intent))
    return call.scope.save(intent)


@answers("get", "/v1/payment_intents/{intent}", "client_secret")
def retrieve(call: Call) -> Resource:
    return call.scope.load("payment_intent", call.values["intent"])


@answers("get", "/v1/payment_intents", PAGING)
def list_intents(call: Call) -> Resource:
    return page(call, "payment_intent")
