"""How much is held, and how that went week by week."""

from collections import defaultdict
from datetime import UTC, date, datetime

from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncWeek

from ledger.models import PUBLIC, Account
from reviews.figures.tables import Amount, Table, Value, first_week, weeks_since
from reviews.models import Hold

Kind, Status = Hold.Kind, Hold.Status
ENDS = (Status.RELEASED, Status.REFUSED, Status.LAPSED)


def holds_by_week(now: datetime) -> Table:
    """Return how many holds began in each of the last 13 weeks, and how they ended."""
    first = first_week(now)
    opened = _by_week("opened_at", first, Count("pk"))
    ended = _by_week("ended_at", first, *(Count("pk", filter=Q(status=each)) for each in ENDS))
    rows: list[tuple[Value, ...]] = [
        (week, *opened.get(week, [0]), *ended.get(week, [0] * len(ENDS)))
        for week in weeks_since(first)
    ]
    columns = ("Week from", "Opened", "Released", "Given back", "Lapsed")
    return Table("Holds per week", columns, rows, drawn=(1, 2, 3, 4))


def held_now(now: datetime) -> Table:
    """Return what is held per currency: cards that wait for their capture, and in the ledger."""
    under_way = Hold.objects.under_way()
    counts = (
        under_way.values("currency")
        .annotate(
            gifts=Count("pk", filter=Q(kind=Kind.CAPTURE)),
            amount=Sum("amount", filter=Q(kind=Kind.CAPTURE), default=0),
            in_ledger=Count("pk", filter=Q(kind=Kind.LEDGER)),
        )
        .order_by("currency")
    )
    held = _in_ledger()
    rows = [
        (
            row["currency"],
            row["gifts"],
            Amount(int(row["amount"]), row["currency"]),
            row["in_ledger"],
            Amount(held[row["currency"]], row["currency"]),
        )
        for row in counts
    ]
    columns = ("Currency", "Gifts not captured", "Not captured", "Gifts in the ledger", "In “held”")
    return Table("Money held now", columns, rows)


def _by_week(moment: str, first: datetime, *counts: Count) -> dict[date, list[int]]:
    holds = Hold.objects.filter(**{f"{moment}__gte": first}).order_by()
    found = holds.values_list(TruncWeek(moment, tzinfo=UTC)).annotate(
        **{f"count_{place}": count for place, count in enumerate(counts)}
    )
    return {week.date(): counted for week, *counted in found}


def _in_ledger() -> dict[str, int]:
    # What the books say, not the holds: part of a held gift may have gone back.
    holding = Hold.objects.under_way().filter(kind=Kind.LEDGER).values("organisation")
    accounts = Account.objects.filter(organisation__in=holding, book=PUBLIC, name="held")
    sums = accounts.money().order_by("currency").values_list("currency").annotate(Sum("amount"))
    return defaultdict(int, {currency: int(amount) for currency, amount in sums})
