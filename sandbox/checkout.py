"""The calls of Checkout Sessions: create, read, expire."""

import json
import time

from sandbox import hosted_payment, money
from sandbox.blank import Resource
from sandbox.calls import Call, answers
from sandbox.errors import invalid, not_simulated
from sandbox.expansion import included
from sandbox.hosted_payment import LINES_NOTE, PROMISE_NOTE, expire_now, status_now
from sandbox.line_items import lines_of, recurring_line
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
# What a session of a mode may promise of what it makes: under which name, and which parts of it.
_PROMISES = {
    "payment": (
        "payment_intent_data",
        {"capture_method", "description", "metadata", "receipt_email"},
    ),
    "subscription": ("subscription_data", {"description", "metadata"}),
}
_OF_PAYMENTS_ONLY = ("customer_creation", "payment_intent_data", "submit_type")


@answers(
    "post",
    "/v1/checkout/sessions",
    f"{_KEPT} {_IGNORED} currency expires_at line_items mode payment_intent_data"
    " payment_method_collection subscription_data success_url ui_mode",
)
def create(call: Call) -> Resource:
    _require_simulated(call)
    promise = _promise(call)
    session = call.scope.new(KIND, success_url=call.get("success_url"), mode=call.get("mode"))
    if call.get("mode") == "subscription":
        lines = [recurring_line(call.scope, call.get("line_items"))]
        session.update(
            customer_creation="always", invoice_creation=None, payment_method_collection="always"
        )
    else:
        lines = lines_of(call.get("line_items"))
    session.update({name: call.get(name) for name in _KEPT.split() if name in call.parameters})
    total = sum(line["amount_total"] for line in lines)
    session.update(
        amount_subtotal=total,
        amount_total=money.checked_amount(total, param="line_items"),
        currency=lines[0]["currency"],
        expires_at=_expiry(call),
        url=f"{call.scope.base_url}/pay/{session['id']}",
    )
    if _takes_debits(session, promise):
        session["payment_method_types"].append("sepa_debit")
        session["payment_method_options"]["sepa_debit"] = {}
    _remember(call.scope, session, lines, promise)
    return call.scope.save(session)


def _require_simulated(call: Call) -> None:
    for name in ("mode", "success_url", "line_items"):
        if not call.get(name):
            message = f"Missing required param: {name}."
            raise invalid(message, code="parameter_missing", param=name)
    if call.get("mode") not in _PROMISES:
        raise not_simulated(f"mode={call.get('mode')}")
    if call.get("ui_mode", "hosted_page") != "hosted_page":
        raise not_simulated(f"ui_mode={call.get('ui_mode')}")


def _promise(call: Call) -> Resource:
    """Return what the session is to make when it is paid."""
    mode = call.get("mode")
    strange = _OF_PAYMENTS_ONLY if mode == "subscription" else ("subscription_data",)
    for param in strange:
        if param in call.parameters:
            raise invalid(f"You can not pass `{param}` in `{mode}` mode.", param=param)
    name, known = _PROMISES[mode]
    promise: Resource = call.get(name, {})
    for fee in ("application_fee_amount", "application_fee_percent"):
        refuse_fee(promise, fee, param=f"{name}[{fee}]")
    if promise.keys() - known:
        raise not_simulated(f"{name}[{min(promise.keys() - known)}]")
    return promise


def _expiry(call: Call) -> int:
    """
    Return when the session expires, by the account's clock.

    Who asks knows the wall clock alone: what is a proper time from now by it is as long by an
    account's clock that was set.
    """
    now = call.scope.now()
    asked = int(call.get("expires_at", now + _DAY_SECONDS))
    for clock in (now, int(time.time())):
        if _EXPIRY_MIN_SECONDS <= asked - clock <= _DAY_SECONDS:
            return now + asked - clock
    message = "The `expires_at` timestamp must be 30 minutes to 24 hours from now."
    raise invalid(message, param="expires_at")


def _takes_debits(session: Resource, promise: Resource) -> bool:
    is_single = session["mode"] == "payment" and promise.get("capture_method") != "manual"
    return is_single and session["currency"] == "eur"


def _remember(scope: Scope, session: Resource, lines: list[Resource], promise: Resource) -> None:
    scope.store.note(session["id"], LINES_NOTE, json.dumps(lines))
    scope.store.note(session["id"], PROMISE_NOTE, json.dumps(promise))


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


@answers("get", "/v1/checkout/sessions", f"{PAGING} payment_intent status subscription")
def list_sessions(call: Call) -> Resource:
    return page(call, KIND, fields="payment_intent status subscription")


@included(KIND, "line_items")
def line_items(scope: Scope, session: Resource) -> Resource:
    """Return the session's line items, which it shows when it is asked to."""
    lines = hosted_payment.lines_of(scope, session)
    return as_list(lines, f"/v1/checkout/sessions/{session['id']}/line_items")
