"""Disputes take the money at once, with a fee; inquiries take none, and may become disputes."""

from sandbox import balance, money
from sandbox.blank import Resource
from sandbox.calls import Call, answers
from sandbox.errors import invalid
from sandbox.lists import PAGING, page
from sandbox.scope import Scope

_ANSWER_SECONDS = 10 * 86_400
_DISPUTE, _INQUIRY = "needs_response", "warning_needs_response"
# How what is open may end; the last one is to give in.
_OUTCOMES = {_DISPUTE: ("won", "lost"), _INQUIRY: ("warning_closed",)}


def dispute(
    scope: Scope, charge: Resource, *, amount: int | None = None, reason: str = "fraudulent"
) -> Resource:
    """Open a dispute of a settled charge: its amount and the fee are withdrawn."""
    claim = _claim(scope, charge, amount, reason)
    claim["balance_transactions"] = [_withdraw(scope, claim)]
    scope.save(claim)
    scope.emit("charge.dispute.created", claim)
    scope.emit("charge.dispute.funds_withdrawn", claim)
    return claim


def inquire(
    scope: Scope, charge: Resource, *, amount: int | None = None, reason: str = "general"
) -> Resource:
    """Open an inquiry into a card's gift, which moves no money: it can still be given back."""
    if charge["payment_method_details"]["type"] != "card":
        raise invalid("Only banks of cards inquire.", param="charge")
    claim = _claim(scope, charge, amount, reason)
    claim.update(is_charge_refundable=True, status=_INQUIRY)
    claim["payment_method_details"]["card"]["case_type"] = "inquiry"
    scope.save(claim)
    scope.emit("charge.dispute.created", claim)
    return claim


def _claim(scope: Scope, charge: Resource, amount: int | None, reason: str) -> Resource:
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
    scope.save({**charge, "disputed": True})
    return claim


def escalate(scope: Scope, claim: Resource) -> Resource:
    """Make a dispute of an inquiry: what was not given back is withdrawn, with the fee."""
    charge = scope.load("charge", claim["charge"])
    left = charge["amount_captured"] - charge["amount_refunded"]
    if claim["status"] != _INQUIRY or not left:
        raise invalid("There is no inquiry to escalate.", param="dispute")
    changes = {
        "amount": min(claim["amount"], left),
        "is_charge_refundable": False,
        "status": _DISPUTE,
    }
    previous = {name: claim[name] for name, value in changes.items() if claim[name] != value}
    claim.update(changes)
    claim["payment_method_details"]["card"]["case_type"] = "chargeback"
    claim["balance_transactions"] = [_withdraw(scope, claim)]
    scope.save(claim)
    scope.emit("charge.dispute.updated", claim, previous)
    scope.emit("charge.dispute.funds_withdrawn", claim)
    return claim


def prevents_refunds(scope: Scope, charge: Resource) -> bool:
    """Return whether a dispute has taken the gift away; an inquiry has not."""
    claims = scope.store.related(scope.account, "dispute", "charge", charge["id"])
    return any(not claim["is_charge_refundable"] for claim in claims)


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
    outcomes = _OUTCOMES.get(claim["status"])
    if not outcomes:
        raise invalid(f"This dispute is already closed: {claim['status']}.", param="dispute")
    if outcome not in outcomes:
        message = f"Invalid outcome: must be one of {', '.join(outcomes)}"
        raise invalid(message, param="outcome")
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
    """Give in: the dispute is lost, the inquiry closed."""
    claim = call.scope.load("dispute", call.values["dispute"])
    outcomes = _OUTCOMES.get(claim["status"], ("lost",))
    return close(call.scope, claim, outcome=outcomes[-1])
