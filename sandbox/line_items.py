"""What a Checkout Session is for: its lines and their sum."""

from typing import Any

from sandbox import blank, money
from sandbox.blank import Resource
from sandbox.errors import invalid, not_simulated


def lines_of(sent: list[dict[str, Any]]) -> list[Resource]:
    """Return the line items that a caller describes, all in one currency."""
    lines = [_line(line, f"line_items[{index}]") for index, line in enumerate(sent)]
    if len({line["currency"] for line in lines}) > 1:
        raise invalid("All line items must have the same currency.", param="line_items")
    return lines


def _line(line: dict[str, Any], where: str) -> Resource:
    _require(line, where, "price_data quantity", "metadata")
    price = line["price_data"]
    _require(price, f"{where}[price_data]", "currency product_data unit_amount", "tax_behavior")
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
