"""The balance of an account: the sum of its balance transactions, and nothing else."""

from sandbox.blank import Resource
from sandbox.calls import Call, answers
from sandbox.errors import invalid
from sandbox.expansion import shown
from sandbox.lists import PAGING, Filter, page_of
from sandbox.platform_controls import pays_fees
from sandbox.scope import Scope

PAYOUT_NOTE = "payout"

_SUMS = """
SELECT json_extract(body, '$.currency'), json_extract(body, '$.available_on') <= ?,
       sum(json_extract(body, '$.net'))
FROM resources WHERE account = ? AND kind = 'balance_transaction' GROUP BY 1, 2
"""


def move(
    scope: Scope,
    *,
    type: str,
    category: str,
    amount: int,
    currency: str,
    fee: int = 0,
    fee_name: str = "Stripe processing fees",
    **fields: object,
) -> Resource:
    """Record one movement; `amount` is signed, and the fee comes off it, or off the platform."""
    if not pays_fees(scope.load("account", scope.account)):
        fee = 0
    fee_detail = {
        "amount": fee,
        "application": None,
        "currency": currency,
        "description": fee_name,
        "type": "stripe_fee",
    }
    movement = scope.new(
        "balance_transaction",
        type=type,
        reporting_category=category,
        amount=amount,
        currency=currency,
        fee=fee,
        fee_details=[fee_detail] if fee else [],
        net=amount - fee,
    )
    movement["available_on"] = movement["created"]
    return scope.save({**movement, **fields})


def totals(scope: Scope) -> dict[bool, dict[str, int]]:
    """Return the sums of the nets by currency: available ones under True, pending under False."""
    sums: dict[bool, dict[str, int]] = {True: {}, False: {}}
    for currency, is_available, net in scope.store.rows(_SUMS, scope.now(), scope.account):
        sums[bool(is_available)][currency] = net
    return sums


def balance(scope: Scope) -> Resource:
    """Return the account's balance as it stands."""
    settlement = scope.load("account", scope.account)["default_currency"]
    sums = totals(scope)
    currencies = sorted({settlement, *sums[True], *sums[False]})
    return {
        "object": "balance",
        "available": [_part(currency, sums[True]) for currency in currencies],
        "livemode": False,
        "pending": [_part(currency, sums[False]) for currency in currencies],
    }


def _part(currency: str, sums: dict[str, int]) -> Resource:
    amount = sums.get(currency, 0)
    return {"amount": amount, "currency": currency, "source_types": {"card": amount}}


@shown("balance_transaction")
def as_of_now(scope: Scope, movement: Resource) -> Resource:
    """Return the movement with the status that the account's clock gives it."""
    is_available = movement["available_on"] <= scope.now()
    return {**movement, "status": "available" if is_available else "pending"}


@answers("get", "/v1/balance")
def retrieve_balance(call: Call) -> Resource:
    return balance(call.scope)


@answers("get", "/v1/balance_transactions/{id}")
def retrieve(call: Call) -> Resource:
    movement = call.scope.load("balance_transaction", call.values["id"])
    return as_of_now(call.scope, movement)


@answers("get", "/v1/balance_transactions", f"{PAGING} currency payout source type")
def list_movements(call: Call) -> Resource:
    wanted = Filter()
    for name in {"currency", "source", "type"} & call.parameters.keys():
        wanted.add(f"json_extract(body, '$.{name}') = ?", call.get(name))
    if "payout" in call.parameters:
        _add_payout(wanted, call)
    return page_of(call, "balance_transaction", wanted, shown=as_of_now)


def _add_payout(wanted: Filter, call: Call) -> None:
    payout = call.scope.load("payout", call.get("payout"), param="payout", status=400)
    if not payout["automatic"]:
        message = "Balance transaction history can only be filtered on automatic payouts."
        raise invalid(message, param="payout")
    wanted.add(
        "id IN (SELECT id FROM notes WHERE name = ? AND value = ?)", PAYOUT_NOTE, payout["id"]
    )
