"""Products and recurring prices, made on the spot from `price_data`."""

from typing import Any

from sandbox import blank, money
from sandbox.blank import Resource
from sandbox.errors import invalid
from sandbox.scope import Scope

# A gift comes at least once in three years.
_COUNTS_MAX = {"day": 1095, "week": 156, "month": 36, "year": 3}


def product(scope: Scope, name: str) -> Resource:
    made = scope.new("product", name=name)
    return scope.save({**made, "updated": made["created"]})


def price(scope: Scope, described: dict[str, Any], *, product: str, where: str) -> Resource:
    """Make the price that a `price_data` with `recurring` describes, for a product's id."""
    amount = money.checked_amount(described["unit_amount"], param=f"{where}[unit_amount]")
    made = scope.new(
        "price",
        currency=money.checked_currency(described["currency"], param=f"{where}[currency]"),
        product=product,
        unit_amount=amount,
        unit_amount_decimal=str(amount),
    )
    recurring = {"interval_count": 1, **described["recurring"]}
    if not 1 <= recurring["interval_count"] <= _COUNTS_MAX[recurring["interval"]]:
        message = "The interval_count must make a period of at most three years."
        raise invalid(message, param=f"{where}[recurring][interval_count]")
    made["recurring"].update(recurring)
    return scope.save(made)


def plan_of(price: Resource) -> Resource:
    """Return the plan that stands beside every recurring price for old clients."""
    shared = {name: price[name] for name in ("id", "created", "currency", "metadata", "product")}
    recurring = price["recurring"]
    return blank.blank(
        "plan",
        amount=price["unit_amount"],
        amount_decimal=price["unit_amount_decimal"],
        interval=recurring["interval"],
        interval_count=recurring["interval_count"],
        **shared,
    )
