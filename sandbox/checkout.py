"""The calls of Checkout Sessions: create, read, expire."""

import json

from sandbox import money
from sandbox.blank import Resource
from sandbox.calls import Call, answers
from sandbox.errors import invalid, not_simulated
from sandbox.expansion import included
from sandbox.hosted_payment import INTENT_NOTE, expire_now, status_now
from sandbox.line_items import lines_of
from sandbox.lists import PAGING, as_list, page
from sandbox.payments import refuse_fee
from sandbox.scope import Scope

KIND = "checkout.session"

_DAY_SECONDS = 86_400
_EXPIRY_MIN_SECONDS = 30 * 60
_KEPT = (
    "billing_address_collection cancel_url client_reference_id customer_creation customer_email"
    " integration_identifier locale metadata submit_type"
)
_IGNORED = (
    "adaptive_pricing allowed_payment_method_types automatic_tax branding_settings custom_text"
    " payment_method_configuration payment_method_options"
)
_OF_INTENT = {"capture_method", "description", "metadata", "receipt_email"}
_LINES_NOTE = "line_items"


@answers(
    "post",
    "/v1/checkout/sessions",
    f"{_KEPT} {_IGNORED} currency expires_at line_items mode payment_intent_data success_url"
    " ui_mode",
)
def create(call: Call) -> Resource:
    _require_simulated(call)
    lines = lines_of(call.get("line_items"))
    promise = call.get("payment_intent_data", {})
    refuse_fee(promise, param="payment_intent_data[application_fee_amount]")
    if promise.keys() - _OF_INTENT:
        raise not_simulated(f"payment_intent_data[{min(promise.keys() - _OF_INTENT)}]")
    session = call.scope.new(KIND, success_url=call.get("success_url"))
    session.update({name: call.get(name) for name in _KEPT.split() if name in call.parameters})
    total = sum(line["amount_total"] for line in lines)
    session.update(
        amount_subtotal=total,
        amount_total=money.checked_amount(total, param="line_items"),
        currency=lines[0]["currency"],
        expires_at=_expiry(call),
        url=f"{call.scope.base_url}/pay/{session['id']}",
    )
    _remember(call.scope, session, lines, promise)
    return call.scope.save(session)


def _require_simulated(call: Call) -> None:
    for name in ("mode", "success_url", "line_items"):
        if not call.get(name):
            message = f"Missing required param: {name}."
            raise invalid(message, code="parameter_missing", param=name)
    if call.get("mode") != "payment":
        raise not_simulated(f"mode={call.get('mode')}")
    if call.get("ui_mode", "hosted_page") != "hosted_page":
        raise not_simulated(f"ui_mode={call.get('ui_mode')}")


def _expiry(call: Call) -> int:
    latest = call.scope.now() + _DAY_SECONDS
    moment = int(call.get("expires_at", latest))
    if not latest - _DAY_SECONDS + _EXPIRY_MIN_SECONDS <= moment <= latest:
        message = "The `expires_at` timestamp must be 30 minutes to 24 hours from now."
        raise invalid(message, param="expires_at")
    return moment


def _remember(scope: Scope, session: Resource, lines: list[Resource], promise: Resource) -> None:
    scope.store.note(session["id"], _LINES_NOTE, json.dumps(lines))
    scope.store.note(session["id"], INTENT_NOTE, json.dumps(promise))


@answers("post", "/v1/checkout/sessions/{session}/expire")
def expire(call: Call) -> Resource:
    session = call.scope.load(KIND, call.values["session"])
    if status_now(call.scope, session) != "open":
        message = "Only Checkout Sessions with a status of open can be expired."
        raise invalid(message, code="checkout_session_not_open", param="session")
    expire_now(call.scope, session)
    return session


@answers("get", "/v1/checkout/sessions/{session}")
def retrieve(call: Call) -> Resource:
    session = call.scope.load(KIND, call.values["session"])
    status_now(call.scope, session)
    return session


@answers("get", "/v1/checkout/sessions", f"{PAGING} payment_intent status")
def list_sessions(call: Call) -> Resource:
    return page(call, KIND, fields="payment_intent status")


@included(KIND, "line_items")
def line_items(scope: Scope, session: Resource) -> Resource:
    """Return the session's line items, which it shows when it is asked to."""
    lines = json.loads(scope.store.noted(session["id"], _LINES_NOTE) or "[]")
    return as_list(lines, f"/v1/checkout/sessions/{session['id']}/line_items")
