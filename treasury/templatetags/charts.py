"""What came in and went out month by month, as the geometry of a drawing and as a table."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from django.template import Library
from django.utils import timezone

from common.drawing import Bar, Scale, Tick, scale_of
from common.money import exponent_of, format_amount

register = Library()

MONTHS = 12


class Month(NamedTuple):
    """One month, drawn and in words."""

    name: str
    short: str
    x: str
    received_bar: Bar
    gone_bar: Bar
    received: int
    gone: int
    difference: str


class Chart(NamedTuple):
    """Twelve months in one currency."""

    currency: str
    left: str
    label_x: str
    ticks: list[Tick]
    months: list[Month]
    received: int
    gone: int
    difference: str


def first_month() -> datetime:
    """Return when the first of the last twelve months began, this one included."""
    return months_ago(timezone.now(), MONTHS - 1)


def months_ago(now: datetime, count: int) -> datetime:
    """Return the beginning of the month that was `count` months before."""
    year, month = divmod(now.year * 12 + now.month - 1 - count, 12)
    return now.replace(year=year, month=month + 1, day=1, hour=0, minute=0, second=0, microsecond=0)


@register.simple_tag
def month_charts(rows: Iterable[Mapping[str, Any]], main: str) -> list[Chart]:
    """Return a chart per currency of `Entry.objects.by_month()`, the main currency first."""
    now = timezone.now()
    starts = [months_ago(now, count) for count in reversed(range(MONTHS))]
    charts = [
        _chart(currency, {row["month"]: row for row in group}, starts)
        for currency, group in groupby(rows, key=lambda row: row["currency"])
    ]
    return sorted(charts, key=lambda chart: chart.currency != main)


def _chart(
    currency: str, rows: Mapping[datetime, Mapping[str, Any]], starts: list[datetime]
) -> Chart:
    nothing = {"received": 0, "gone": 0}
    sums = [(start, rows.get(start, nothing)) for start in starts]
    highest = max(max(row["received"], row["gone"]) for _, row in sums)
    scale = scale_of(highest, MONTHS, 10 ** exponent_of(currency))
    months = [_month(scale, position, *month, currency) for position, month in enumerate(sums)]
    received = sum(month.received for month in months)
    gone = sum(month.gone for month in months)
    left = f"{scale.left:.1f}"
    label_x = f"{scale.label_x:.1f}"
    difference = _signed(received - gone, currency)
    return Chart(currency, left, label_x, scale.ticks, months, received, gone, difference)


def _month(
    scale: Scale, position: int, start: datetime, row: Mapping[str, Any], currency: str
) -> Month:
    middle = scale.middle(position)
    width = scale.step / 3
    return Month(
        name=f"{start:%b %Y}",
        short=f"{start:%b}",
        x=f"{middle:.1f}",
        received_bar=scale.bar(middle - width - 1, width, row["received"]),
        gone_bar=scale.bar(middle + 1.75, width - 1.5, row["gone"]),
        received=row["received"],
        gone=row["gone"],
        difference=_signed(row["received"] - row["gone"], currency),
    )


def _signed(amount: int, currency: str) -> str:
    return f"{'' if amount < 0 else '+'}{format_amount(amount, currency)}"
