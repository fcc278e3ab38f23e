"""Refunds: whole or in part, and those that fail later."""

from typing import Any

from sandbox import balance, charges, disputes
from sandbox.blank import Resource
from sandbox.calls import Call, answers
from sandbox.errors import invalid
from sandbox.lists import PAGING, page
from sandbox.scope import Scope


def refund(scope: Scope, charge: Resource, *, amount: int | None, **fields: Any) -> Resource:
    """Give back a charge or a part of it; the processing fee is not given back."""
    charge = charges.settled(scope, charge)
    left = charge["amount_captured"] - charge["amount_refunded"]
    amount = left if amount is None else amount
    if disputes.prevents_refunds(scope, charge):
        message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise invalid(message, code="charge_disputed", param="charge")
    _require_refundable(charge, amount, left)
    returned = _new(scope, charge, amount=amount, **fields)
    if "sepa_debit" in charge["payment_method_details"]:
        _by_transfer(returned)
    returned["balance_transaction"] = _give_back(scope, charge, returned)["id"]
    scope.save(returned)
    previous = {"amount_refunded": charge["amount_refunded"]}
    charge["amount_refunded"] += amount
    charge["refunded"] = amount == left
    scope.save(charge)
    scope.emit("refund.created", returned)
    scope.emit("charge.refunded", charge, previous)
    if charges.fails_refunds(scope, charge):
        returned = fail(scope, returned)
    return returned


def _new(scope: Scope, charge: Resource, **fields: Any) -> Resource:
    names = ("currency", "payment_intent", "payment_method")
    taken = {name: charge[name] for name in names}
    return scope.new("refund", charge=charge["id"], **taken, **fields)


def _by_transfer(returned: Resource) -> None:
    """Send a refund by bank transfer, as what came by debit goes back."""
    identifier = returned["id"].split("_")[1]
    returned.update(id=f"pyr_{identifier}", destination_details={"type": "eu_bank_transfer"})


def _require_refundable(charge: Resource, amount: int, left: int) -> None:
    if charge["refunded"]:
        message = f"Charge {charge['id']} has already been refunded."
        raise invalid(message, code="charge_already_refunded", param="charge")
    if not charge["balance_transaction"]:
        message = f"Charge {charge['id']} has not been captured."
        raise invalid(message, code="charge_not_refundable", param="charge")
    if amount < 1:
        message = "This value must be greater than or equal to 1."
        raise invalid(message, code="parameter_invalid_integer", param="amount")
    if amount > left:
        message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise invalid(message, code="amount_too_large", param="amount")


def _give_back(scope: Scope, charge: Resource, returned: Resource) -> Resource:
    """Move the refund's share of what the charge settled to: the shares of all add up to it."""
    received = scope.load("balance_transaction", charge["balance_transaction"])
    before = charge["amount_refunded"]
    shares = [
        received["amount"] * refunded // charge["amount_captured"]
        for refunded in (before, before + returned["amount"])
    ]
    return balance.move(
        scope,
        type=f"{received['type']}_refund".removeprefix("charge_"),
        category="refund",
        amount=shares[0] - shares[1],
        currency=received["currency"],
        source=returned["id"],
        description=f"REFUND FOR CHARGE ({charge['description'] or charge['id']})",
        exchange_rate=received["exchange_rate"],
        available_on=max(returned["created"], received["available_on"]),
    )


def release(scope: Scope, charge: Resource, *, told: str, reason: str | None = None) -> None:
    """Give back an authorisation that was never captured, by a refund that moves no money."""
    scope.save(_new(scope, charge, amount=charge["amount"], reason=reason))
    previous = {"amount_refunded": 0, "refunded": False}
    charge.update(amount_refunded=charge["amount"], refunded=True)
    scope.save(charge)
    scope.emit(told, charge, previous)


def can_fail(returned: Resource) -> bool:
    """Tell whether a refund may come back: what was only authorised never left."""
    return returned["status"] == "succeeded" and returned["balance_transaction"] is not None


def fail(scope: Scope, returned: Resource) -> Resource:
    """Let a refund come back: the bank could not credit the card."""
    if not can_fail(returned):
        raise invalid(f"This refund of status {returned['status']} cannot fail.", param="refund")
    sent = scope.load("balance_transaction", returned["balance_transaction"])
    movement = balance.move(
        scope,
        type="refund_failure",
        category="refund_failure",
        amount=-sent["amount"],
        currency=sent["currency"],
        source=returned["id"],
        description=sent["description"].replace("REFUND FOR CHARGE", "REFUND FAILURE"),
        exchange_rate=sent["exchange_rate"],
        available_on=max(scope.now(), sent["available_on"]),
    )
    returned = {
        **returned,
        "status": "failed",
        "failure_reason": "expired_or_canceled_card",
        "failure_balance_transaction": movement["id"],
    }
    scope.save(returned)
    charge = scope.load("charge", returned["charge"])
    charge.update(amount_refunded=charge["amount_refunded"] - returned["amount"], refunded=False)
    scope.save(charge)
    scope.emit("refund.failed", returned)
    scope.emit("charge.refund.updated", returned, {"status": "succeeded"})
    return returned


@answers("post", "/v1/refunds", "amount charge metadata payment_intent reason")
def create(call: Call) -> Resource:
    fields = {name: call.get(name) for name in ("metadata", "reason") if call.get(name)}
    return refund(call.scope, _charge(call), amount=call.get("amount"), **fields)


def _charge(call: Call) -> Resource:
    if "charge" in call.parameters:
        return call.scope.load("charge", call.get("charge"), param="charge")
    if "payment_intent" not in call.parameters:
        message = "One of the following params should be provided: payment_intent or charge."
        raise invalid(message, code="parameter_missing", param="charge")
    intent = call.scope.load("payment_intent", call.get("payment_intent"), param="payment_intent")
    if intent["status"] != "succeeded":
        message = "This PaymentIntent does not have a successful charge to refund."
        raise invalid(message, code="payment_intent_unexpected_state", param="payment_intent")
    return call.scope.load("charge", intent["latest_charge"])


@answers("get", "/v1/refunds/{refund}")
def retrieve(call: Call) -> Resource:
    return call.scope.load("refund", call.values["refund"])


@answers("get", "/v1/refunds", f"{PAGING} charge payment_intent")
def list_refunds(call: Call) -> Resource:
    return page(call, "refund", fields="charge payment_intent")
