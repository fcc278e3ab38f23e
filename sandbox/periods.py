"""The periods of a subscription, and how people call them."""

import calendar
from datetime import UTC, datetime

from sandbox.blank import Resource

_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}
_DAY_SECONDS = 86_400
_WORDS = {"day": "daily", "week": "weekly", "month": "monthly", "year": "yearly"}


def period_end(recurring: Resource, *, start: int, anchor: int) -> int:
    """Return when a period ends: months end on the anchor's day, or on their last if earlier."""
    interval, count = str(recurring["interval"]), int(recurring["interval_count"])
    if interval in _DAYS:
        return start + _DAYS[interval] * count * _DAY_SECONDS
    begun, first = (datetime.fromtimestamp(moment, UTC) for moment in (start, anchor))
    months = begun.year * 12 + begun.month - 1 + _MONTHS[interval] * count
    year, month = months // 12, months % 12 + 1
    day = min(first.day, calendar.monthrange(year, month)[1])
    return int(first.replace(year=year, month=month, day=day).timestamp())


def rhythm(recurring: Resource) -> str:
    """Return how often a period comes round: `monthly`, `every 3 months`."""
    interval, count = recurring["interval"], recurring["interval_count"]
    return _WORDS[interval] if count == 1 else f"every {count} {interval}s"
