"""What a Checkout Session is for: its lines and their sum."""

from typing import Any

from sandbox import blank, money, prices
from sandbox.blank import Resource
from sandbox.errors import invalid, not_simulated
from sandbox.scope import Scope

_PRICE = "currency product_data unit_amount"


def lines_of(sent: list[dict[str, Any]]) -> list[Resource]:
    """Return the line items of a single gift that a caller describes, all in one currency."""
    for index, line in enumerate(sent):
        if "recurring" in line.get("price_data", {}):
            message = "You specified `payment` mode but passed a recurring price."
            raise invalid(message, param=f"line_items[{index}][price_data][recurring]")
    lines = [_line(line, f"line_items[{index}]", _PRICE) for index, line in enumerate(sent)]
    if len({line["currency"] for line in lines}) > 1:
        raise invalid("All line items must have the same currency.", param="line_items")
    return lines


def recurring_line(scope: Scope, sent: list[dict[str, Any]]) -> Resource:
    """Return the one line item of a gift that comes again, with the price that is made for it."""
    if len(sent) > 1 or sent[0].get("quantity") != 1:
        raise not_simulated("a subscription to more than one thing")
    where = "line_items[0][price_data]"
    line = _line(sent[0], "line_items[0]", f"{_PRICE} recurring")
    product = prices.product(scope, line["description"])
    described = sent[0]["price_data"]
    return {**line, "price": prices.price(scope, described, product=product["id"], where=where)}


def _line(line: dict[str, Any], where: str, needed: str) -> Resource:
    _require(line, where, "price_data quantity", "metadata")
    price = line["price_data"]
    _require(price, f"{where}[price_data]", needed, "tax_behavior")
    total = price["unit_amount"] * line["quantity"]
    return {
        "id": f"li_1{blank.random_text(23)}",
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": money.checked_currency(
            price["currency"], param=f"{where}[price_data][currency]"
        ),
        "description": price["product_data"]["name"],
        "metadata": {},
        "price": None,
        "quantity": line["quantity"],
    }


def _require(fields: dict[str, Any], where: str, needed: str, ignored: str) -> None:
    for name in fields.keys() - {*needed.split(), *ignored.split()}:
        raise not_simulated(f"{where}[{name}]")
    for name in needed.split():
        if name not in fields:
            param = f"{where}[{name}]"
            raise invalid(
                f"Missing required param: {param}.", code="parameter_missing", param=param
            )
