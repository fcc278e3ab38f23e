"""Tables of figures as the geometry of drawings: upright bars by week, lying bars by row."""

from decimal import Decimal
from math import ceil
from typing import Any, NamedTuple

from django.template import Library

from common.drawing import Bar, scale_of
from reviews.figures.tables import Table, Value, in_words

register = Library()

# How the columns of a table are drawn, in their order.
KEYS = ("in", "out", "back", "rest")
BARS_SHARE = 0.8
GAP = 1.5
# Lying bars: how long the longest is, how high a line with its words above the bar, and the bar.
LONGEST, LINE, THICKNESS = 310, 44, 14


class Drawn(NamedTuple):
    """A bar, and how it looks."""

    key: str
    bar: Bar


class Row(NamedTuple):
    """One row of the table, drawn."""

    label: str
    x: str
    bars: list[Drawn]
    total: str = ""
    y: str = ""
    total_y: str = ""


@register.inclusion_tag("admin/reviews/figures/_weeks.html")
def picture_of_weeks(name: str, table: Table) -> dict[str, Any]:
    """Return upright bars side by side, a place for each row."""
    amounts = [[_amount(row[place]) for place in table.drawn] for row in table.rows]
    scale = scale_of(ceil(max(map(max, amounts))), len(amounts))
    width = BARS_SHARE * scale.step / len(table.drawn)
    rows = []
    for place, (row, values) in enumerate(zip(table.rows, amounts, strict=True)):
        start = scale.middle(place) - BARS_SHARE * scale.step / 2
        bars = [
            Drawn(key, scale.bar(start + width * count, width - GAP, value))
            for count, (key, value) in enumerate(zip(KEYS, values, strict=False))
            if value
        ]
        label = in_words(row[0]).rsplit(" ", 1)[0]
        rows.append(Row(label, f"{scale.middle(place):.1f}", bars))
    left, label_x = f"{scale.left:.1f}", f"{scale.label_x:.1f}"
    return _legend(name, table, rows) | {"left": left, "label_x": label_x, "ticks": scale.ticks}


@register.inclusion_tag("admin/reviews/figures/_bars.html")
def picture_of_rows(name: str, table: Table) -> dict[str, Any]:
    """Return lying bars end to end, a line for each row that has any."""
    found = [(row, [_amount(row[place]) for place in table.drawn]) for row in table.rows]
    found = [(row, values) for row, values in found if any(values)]
    most = max((sum(values) for _, values in found), default=1)
    rows = [
        _lying(place, in_words(row[0]), values, LONGEST / most)
        for place, (row, values) in enumerate(found)
    ]
    return _legend(name, table, rows) | {"height": LINE * len(rows)}


def _lying(place: int, label: str, values: list[float], unit: float) -> Row:
    top, x = place * LINE, 0.0
    bars = []
    for key, value in zip(KEYS, values, strict=False):
        width = value * unit
        if value:
            bar = Bar(f"{x + 1:.1f}", f"{top + 20}", f"{max(width - GAP, 1):.1f}", f"{THICKNESS}")
            bars.append(Drawn(key, bar))
        x += width
    total = f"{sum(values):,.0f}"
    return Row(label, f"{x + 6:.1f}", bars, total, f"{top + 14}", f"{top + 32}")


def _legend(name: str, table: Table, rows: list[Row]) -> dict[str, Any]:
    legend = [(key, table.columns[place]) for key, place in zip(KEYS, table.drawn, strict=False)]
    is_empty = not any(row.bars for row in rows)
    return {
        "name": name,
        "title": table.title,
        "legend": legend,
        "rows": rows,
        "is_empty": is_empty,
    }


def _amount(value: Value) -> float:
    return float(value) if isinstance(value, int | Decimal) else 0.0
