"""Stripe's objects, as far as the product reads them."""

import itertools
from typing import Any

NUMBERS = itertools.count(1)
MORNING = 1_791_191_551


def new(prefix: str) -> str:
    """Return an id."""
    return f"{prefix}_{next(NUMBERS):06}"


def transaction(
    category: str, amount: int, fee: int = 0, *, source: Any = None, **more: Any
) -> dict[str, Any]:
    """Return a balance transaction; `source` is an id or the object itself."""
    return {
        "id": new("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "created": MORNING + next(NUMBERS),
        "currency": "eur",
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [{"amount": fee, "type": "stripe_fee"}] if fee else [],
        "net": amount - fee,
        "reporting_category": category,
        "source": source,
        "type": category,
        **more,
    }


def charge(amount: int = 5000, donation: str = "", **more: Any) -> dict[str, Any]:
    """Return a charge, which may name a gift."""
    return {
        "id": new("ch"),
        "object": "charge",
        "amount": amount,
        "application_fee_amount": None,
        "currency": "eur",
        "livemode": False,
        "metadata": {"donation_id": donation} if donation else {},
        **more,
    }


def refund(of: dict[str, Any], amount: int, **more: Any) -> dict[str, Any]:
    """Return a refund of a charge."""
    return _consequence("re", "refund", of, amount, more)


def dispute(of: dict[str, Any], amount: int, **more: Any) -> dict[str, Any]:
    """Return a dispute of a charge."""
    return _consequence("dp", "dispute", of, amount, more)


def payout(amount: int, **more: Any) -> dict[str, Any]:
    """Return an automatic payout that has arrived, and of which Stripe has said all."""
    return {
        "id": new("po"),
        "object": "payout",
        "amount": amount,
        "arrival_date": MORNING - MORNING % 86_400 + 2 * 86_400,
        "automatic": True,
        "balance_transaction": new("txn"),
        "created": MORNING + next(NUMBERS),
        "currency": "eur",
        "destination": "ba_1",
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "reconciliation_status": "completed",
        "status": "paid",
        "trace_id": {"status": "supported", "value": "TRACE1"},
        **more,
    }


def _consequence(
    prefix: str, name: str, of: dict[str, Any], amount: int, more: dict[str, Any]
) -> dict[str, Any]:
    return {
        "id": new(prefix),
        "object": name,
        "amount": amount,
        "charge": of["id"],
        "currency": of["currency"],
        "metadata": {},
        **more,
    }
