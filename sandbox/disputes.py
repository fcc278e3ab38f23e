"""Disputes: the money leaves at once with a fee, and comes back when the dispute is won."""

from sandbox import balance, money
from sandbox.blank import Resource
from sandbox.calls import Call, answers
from sandbox.errors import invalid
from sandbox.lists import PAGING, page
from sandbox.scope import Scope

_ANSWER_SECONDS = 10 * 86_400


def dispute(
    scope: Scope, charge: Resource, *, amount: int | None = None, reason: str = "fraudulent"
) -> Resource:
    """Open a dispute of a settled charge: its amount and the fee are withdrawn."""
    left = charge["amount_captured"] - charge["amount_refunded"]
    amount = left if amount is None else amount
    if charge["disputed"] or not charge["balance_transaction"] or not 0 < amount <= left:
        raise invalid(f"Charge {charge['id']} cannot be disputed.", param="charge")
    claim = scope.new(
        "dispute",
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        payment_intent=charge["payment_intent"],
        reason=reason,
    )
    claim["evidence_details"]["due_by"] = claim["created"] + _ANSWER_SECONDS
    _show_method(claim, charge["payment_method_details"])
    claim["balance_transactions"] = [_withdraw(scope, claim)]
    scope.save(claim)
    scope.save({**charge, "disputed": True})
    scope.emit("charge.dispute.created", claim)
    scope.emit("charge.dispute.funds_withdrawn", claim)
    return claim


def _show_method(claim: Resource, method: Resource) -> None:
    """Show the card; a dispute of a bank debit shows none."""
    if method["type"] == "card":
        claim["payment_method_details"]["card"]["brand"] = method["card"]["brand"]
    else:
        del claim["payment_method_details"], claim["network_reason_code"]


def _withdraw(scope: Scope, claim: Resource) -> Resource:
    settlement = scope.load("account", scope.account)["default_currency"]
    return balance.move(
        scope,
        type="adjustment",
        category="dispute",
        amount=-money.converted(claim["amount"], claim["currency"], settlement),
        currency=settlement,
        fee=money.DISPUTE_FEE,
        fee_name="Dispute fee",
        source=claim["id"],
        description=f"Chargeback withdrawal for {claim['charge']}",
        exchange_rate=money.shown_rate(claim["currency"], settlement),
    )


def close(scope: Scope, claim: Resource, *, outcome: str) -> Resource:
    """Decide a dispute, once: `won` brings the amount back without the fee, `lost` does not."""
    if claim["status"] != "needs_response":
        raise invalid(f"This dispute is already closed: {claim['status']}.", param="dispute")
    if outcome not in ("won", "lost"):
        raise invalid("Invalid outcome: must be one of won, lost", param="outcome")
    previous = {"status": claim["status"]}
    claim["status"] = outcome
    if outcome == "won":
        claim["balance_transactions"].append(_reinstate(scope, claim))
        scope.emit("charge.dispute.funds_reinstated", claim)
    scope.save(claim)
    scope.emit("charge.dispute.closed", claim, previous)
    return claim


def _reinstate(scope: Scope, claim: Resource) -> Resource:
    withdrawn = claim["balance_transactions"][0]
    return balance.move(
        scope,
        type="adjustment",
        category="dispute_reversal",
        amount=-withdrawn["amount"],
        currency=withdrawn["currency"],
        source=claim["id"],
        description=f"Chargeback reversal for {claim['charge']}",
        exchange_rate=withdrawn["exchange_rate"],
    )


@answers("get", "/v1/disputes/{dispute}")
def retrieve(call: Call) -> Resource:
    return call.scope.load("dispute", call.values["dispute"])


@answers("get", "/v1/disputes", f"{PAGING} charge payment_intent")
def list_disputes(call: Call) -> Resource:
    return page(call, "dispute", fields="charge payment_intent")


@answers("post", "/v1/disputes/{dispute}/close")
def accept(call: Call) -> Resource:
    """Give in: the dispute is lost."""
    claim = call.scope.load("dispute", call.values["dispute"])
    return close(call.scope, claim, outcome="lost")
