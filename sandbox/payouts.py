"""Payouts: sent, arrived, returned."""

from sandbox import balance, money
from sandbox.blank import Resource
from sandbox.calls import Call, answers
from sandbox.errors import invalid
from sandbox.lists import PAGING, page
from sandbox.platform_controls import has_automatic_payouts
from sandbox.scope import Scope

_DAY_SECONDS = 86_400
_UNSENT = """
SELECT id FROM resources WHERE account = ? AND kind = 'balance_transaction'
AND json_extract(body, '$.currency') = ? AND json_extract(body, '$.available_on') <= ?
AND id NOT IN (SELECT id FROM notes WHERE name = ?)
"""


def send(scope: Scope, *, amount: int, currency: str, **fields: object) -> Resource:
    """Send money to the bank: it leaves the available balance at once."""
    bank = _bank_of(scope.load("account", scope.account))
    available = balance.totals(scope)[True].get(currency, 0)
    if not 0 < amount <= available:
        message = f"You have insufficient funds in your Stripe account: {available} {currency}."
        raise invalid(message, code="balance_insufficient", param="amount")
    payout = scope.new("payout", amount=amount, currency=currency)
    payout.update(
        arrival_date=(payout["created"] // _DAY_SECONDS + 2) * _DAY_SECONDS,
        description="STRIPE PAYOUT",
        destination=bank["id"],
    )
    payout.update(fields)
    movement = _move(scope, payout, "payout", "payout", -amount)
    payout["balance_transaction"] = movement["id"]
    scope.save(payout)
    scope.emit("payout.created", payout)
    return payout


def _bank_of(account: Resource) -> Resource:
    banks: list[Resource] = account["external_accounts"]["data"]
    if not account["payouts_enabled"] or not banks:
        message = "Payouts are disabled on this account: see what its requirements ask for."
        raise invalid(message, code="payouts_not_allowed")
    return banks[0]


def send_all(scope: Scope, *, currency: str) -> Resource:
    """
    Send all that is available, as Stripe's automatic payouts do, and note what is in it.

    That is everything available that no earlier automatic payout accounts for, so the movements
    of an automatic payout always add up to it.
    """
    if not has_automatic_payouts(scope.load("account", scope.account)):
        raise invalid("This account is paid out by its platform only: its schedule is manual.")
    rows = scope.store.rows(_UNSENT, scope.account, currency, scope.now(), balance.PAYOUT_NOTE)
    available = balance.totals(scope)[True].get(currency, 0)
    payout = send(
        scope,
        amount=available,
        currency=currency,
        automatic=True,
        reconciliation_status="in_progress",
    )
    for identifier in [*(row[0] for row in rows), payout["balance_transaction"]]:
        scope.store.note(identifier, balance.PAYOUT_NOTE, payout["id"])
    return payout


def _move(scope: Scope, payout: Resource, type: str, category: str, amount: int) -> Resource:
    words = {"payout": "", "payout_failure": " FAILURE", "payout_cancel": " CANCEL"}
    return balance.move(
        scope,
        type=type,
        category=category,
        amount=amount,
        currency=payout["currency"],
        source=payout["id"],
        description=f"STRIPE PAYOUT{words[type]}",
    )


def pay(scope: Scope, payout: Resource) -> Resource:
    """Let a payout arrive at the bank."""
    _require(payout, "pending", "in_transit")
    trace = {"status": "supported", "value": f"SANDBOX{payout['id'][-9:]}"}
    payout.update(status="paid", trace_id=trace)
    if payout["automatic"]:
        payout["reconciliation_status"] = "completed"
    scope.save(payout)
    scope.emit("payout.paid", payout)
    if payout["automatic"]:
        scope.emit("payout.reconciliation_completed", payout)
    return payout


def fail(scope: Scope, payout: Resource) -> Resource:
    """Let the bank send a payout back, also after it had arrived."""
    _require(payout, "pending", "in_transit", "paid")
    movement = _move(scope, payout, "payout_failure", "payout_reversal", payout["amount"])
    payout.update(
        status="failed",
        failure_balance_transaction=movement["id"],
        failure_code="account_closed",
        failure_message="The bank account has been closed",
    )
    scope.save(payout)
    scope.emit("payout.failed", payout)
    return payout


def _require(payout: Resource, *states: str) -> None:
    if payout["status"] not in states:
        message = f"This payout is {payout['status']}."
        raise invalid(message, code="payout_unexpected_state", param="payout")


@answers("post", "/v1/payouts", "amount currency description metadata method statement_descriptor")
def create(call: Call) -> Resource:
    fields = {name: value for name, value in call.parameters.items() if name != "expand"}
    currency = money.checked_currency(fields.pop("currency"))
    return send(call.scope, currency=currency, **fields)


@answers("post", "/v1/payouts/{payout}/cancel")
def cancel(call: Call) -> Resource:
    payout = call.scope.load("payout", call.values["payout"])
    _require(payout, "pending")
    movement = _move(call.scope, payout, "payout_cancel", "payout_reversal", payout["amount"])
    payout.update(status="canceled", failure_balance_transaction=movement["id"])
    call.scope.save(payout)
    call.scope.emit("payout.canceled", payout)
    return payout


@answers("get", "/v1/payouts/{payout}")
def retrieve(call: Call) -> Resource:
    return call.scope.load("payout", call.values["payout"])


@answers("get", "/v1/payouts", f"{PAGING} arrival_date destination status")
def list_payouts(call: Call) -> Resource:
    return page(call, "payout", fields="destination status")
