"""How long decisions take, and what is open: by kind and by week, never by person."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Aggregate, Count, DurationField, F, Min, Q, QuerySet
from django.db.models.functions import TruncWeek

from reviews.figures.tables import Table, Value, exact, first_week, hours, weeks_since
from reviews.models import Case

MEASURES = ("Decided", "Median, hours", "90th percentile, hours")
CASE_COLUMNS = (
    "Case",
    "Kind",
    "Organisation",
    "Opened, UTC",
    "Due, UTC",
    "Decided, UTC",
    "Choice",
    "Days",
    "Amount, smallest units",
    "Currency",
)
FIELDS = ("pk", "kind", "organisation__slug", "opened_at", "due_at", "closed_at", "choice")
BATCH_SIZE = 2_000
DAY = timedelta(days=1)


class Percentile(Aggregate):
    """The span of time that a `share` of all do not exceed."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


def times_by_kind(now: datetime) -> Table:
    """Return how long people took for cases that they decided in the last 13 weeks, by kind."""
    decided = _decided(now).values_list("kind")
    rows = [
        (Case.Kind(kind).label, count, hours(median), hours(most))
        for kind, count, median, most in _measured(decided).order_by("kind")
    ]
    return Table("Decision times per kind", ("Kind", *MEASURES), rows)


def times_by_week(now: datetime) -> Table:
    """Return how long people took for cases that they decided, by the week of the decision."""
    decided = _decided(now).values_list(TruncWeek("closed_at", tzinfo=UTC))
    found = {week.date(): measures for week, *measures in _measured(decided).order_by()}
    rows = []
    for week in weeks_since(first_week(now)):
        count, median, most = found.get(week, (0, None, None))
        rows.append((week, count, hours(median), hours(most)))
    return Table("Decision times per week", ("Week from", *MEASURES), rows, drawn=(2, 3))


def open_by_kind(now: datetime) -> Table:
    """Return how many cases are open, how many of them are overdue, and since when, by kind."""
    late = Q(due_at__lte=now)
    found = (
        Case.objects.open()
        .values_list("kind")
        .annotate(count=Count("kind"), late=Count("kind", filter=late), oldest=Min("opened_at"))
        .order_by("kind")
    )
    rows = [
        (Case.Kind(kind).label, count, late, count - late, oldest)
        for kind, count, late, oldest in found
    ]
    columns = ("Kind", "Open", "Overdue", "In time", "Oldest opened, UTC")
    return Table("Open cases per kind", columns, rows, drawn=(2, 3))


def oldest_open() -> Case | None:
    """Return the case that has been open for longest."""
    return Case.objects.open().order_by("opened_at", "id").first()


def each_case(cases: QuerySet[Case], now: datetime) -> Iterator[tuple[str, ...]]:
    """Return the columns' names and then every case, without persons, read in small parts."""
    yield CASE_COLUMNS
    last = ""
    while batch := list(_part(cases, last)):
        for *about, amount, currency in batch:
            yield tuple(exact(value) for value in _row(about, amount, currency, now))
        last = batch[-1][0]


def _part(cases: QuerySet[Case], last: str) -> QuerySet[Case, Any]:
    following = cases.filter(pk__gt=last).order_by("pk")
    return following.values_list(*FIELDS, "amount", "currency")[:BATCH_SIZE]


def _row(about: list[Any], amount: int | None, currency: str, now: datetime) -> tuple[Value, ...]:
    key, kind, slug, opened, due, closed, choice = about
    days = Decimal(((closed or now) - opened) / DAY).quantize(Decimal("0.01"))
    label = Case.Kind(kind).label
    return key, label, slug, opened, due, closed, choice, days, amount, currency


def _decided(now: datetime) -> QuerySet[Case]:
    return Case.objects.filter(closed_at__gte=first_week(now), closed_by__isnull=False)


def _measured(cases: QuerySet[Case, Any]) -> QuerySet[Case, Any]:
    span = F("closed_at") - F("opened_at")
    return cases.annotate(
        count=Count("pk"), median=Percentile(span, share=0.5), most=Percentile(span, share=0.9)
    )
