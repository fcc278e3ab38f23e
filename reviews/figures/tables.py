"""A table of figures: on the staff's page, in a picture, and as rows for spreadsheets."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from common.money import exponent_of, format_amount

WEEKS = 13
CENT = Decimal("0.01")


class Amount(NamedTuple):
    """Minor units of a currency."""

    value: int
    currency: str


Value = str | int | Decimal | date | Amount | None


@dataclass(frozen=True, slots=True)
class Table:
    """
    Rows under their columns; the first cell of each row names it.

    `drawn` are the places of the columns that its picture shows.
    """

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Value, ...]]
    drawn: tuple[int, ...] = ()

    @property
    def shown(self) -> list[list[tuple[str, str]]]:
        """Return the rows as people read them, each cell after its column."""
        words = ([in_words(value) for value in row] for row in self.rows)
        return [list(zip(self.columns, row, strict=True)) for row in words]

    def exported(self) -> Iterator[Iterable[str]]:
        """Return the columns' names and the rows as spreadsheets read them."""
        yield self.columns
        yield from ([exact(value) for value in row] for row in self.rows)


def in_words(value: Value) -> str:
    """Return a cell as people read it."""
    match value:
        case None:
            return "–"
        case Amount():
            return format_amount(*value)
        case datetime():
            return f"{value.day} {value:%b %Y, %H:%M}"
        case date():
            return f"{value.day} {value:%b %Y}"
        case str():
            return value
    return f"{value:,}"


def exact(value: Value) -> str:
    """Return a cell as a spreadsheet reads it."""
    match value:
        case None:
            return ""
        case Amount():
            return str(Decimal(value.value).scaleb(-exponent_of(value.currency)))
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    return str(value)


def hours(span: timedelta | None) -> Decimal | None:
    """Return a span of time in hours."""
    if span is None:
        return None
    return (Decimal(span // timedelta(seconds=1)) / 3600).quantize(CENT)


def first_week(now: datetime) -> datetime:
    """Return when the first of the last 13 weeks began, this one included: a Monday, in UTC."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=today.weekday(), weeks=WEEKS - 1)


def weeks_since(first: datetime) -> list[date]:
    """Return the Mondays of the 13 weeks."""
    return [(first + timedelta(weeks=count)).date() for count in range(WEEKS)]
