"""The queue: what waits for whom, how old it is, and when it is due."""

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import F, Q
from django.db.models.expressions import OrderBy
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.timesince import timesince, timeuntil

from common.admin import BoundedPaginator
from organisations.models import User
from reviews.choices import needs_two
from reviews.models import Case, CaseQuerySet

TABS = {
    "mine": "Waits for me",
    "open": "All open",
    "put_off": "Put off",
    "decided": "Decided",
}
PEOPLE = {"me": "Me", "nobody": "Nobody", "others": "Somebody else"}
DUE = {"late": "Overdue", "day": "Within a day", "week": "Within a week", "never": "No day"}
# Nobody pages further: who has more before them filters, or begins with the most urgent.
QUEUE_MAX = 1_000
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Due:
    """When a case is due, in words, and how that presses: `late`, `soon`, or not yet."""

    words: str
    press: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A case in the queue, with its age, when it is due, and whether two people decide it."""

    case: Case
    age: str
    due: Due
    needs_two: bool


class QueuePaginator(BoundedPaginator):
    """Counts to 1,000 and no further."""

    @cached_property
    def count(self) -> int:
        """Return how many cases can be paged to."""
        rows: Any = self.object_list
        return int(rows.order_by()[:QUEUE_MAX].count())


class QueueFilter(admin.SimpleListFilter):
    """
    One question about cases; the queue's own form asks it.

    What was selected is acted on wherever it is by now, so an action's rows are not filtered.
    """

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return nothing: the form has the answers."""
        return []

    def has_output(self) -> bool:
        """Filter always."""
        return True

    def queryset(self, request: HttpRequest, queryset: CaseQuerySet) -> CaseQuerySet:  # type: ignore[override]
        """Return the cases that are asked for."""
        if request.method == "POST":
            return queryset
        assert isinstance(request.user, User)
        return self.narrow(queryset, self.value() or "", request.user)

    @abstractmethod
    def narrow(self, cases: CaseQuerySet, value: str, user: User) -> CaseQuerySet:
        """Return the cases that one answer leaves; any other answer leaves all."""


class TabFilter(QueueFilter):
    """Waits for me, all open, put off, decided; a search looks everywhere."""

    title = parameter_name = "tab"

    def queryset(self, request: HttpRequest, queryset: CaseQuerySet) -> CaseQuerySet:  # type: ignore[override]
        """Return the cases of the tab."""
        return queryset if request.GET.get("q") else super().queryset(request, queryset)

    def narrow(self, cases: CaseQuerySet, value: str, user: User) -> CaseQuerySet:
        """Return the cases of a tab."""
        return in_tab(cases, value, user)


class KindFilter(QueueFilter):
    """What the case is about."""

    title = parameter_name = "kind"

    def narrow(self, cases: CaseQuerySet, value: str, user: User) -> CaseQuerySet:
        """Return the cases of a kind."""
        return cases.filter(kind=value) if value in Case.Kind.values else cases


class OrganisationFilter(QueueFilter):
    """Whose case it is, by the organisation's address."""

    title = parameter_name = "organisation"

    def narrow(self, cases: CaseQuerySet, value: str, user: User) -> CaseQuerySet:
        """Return the cases of an organisation."""
        slug = value.strip()
        return cases.filter(organisation__slug=slug) if slug else cases


class PersonFilter(QueueFilter):
    """Who answers for the case."""

    title = parameter_name = "assigned"

    def narrow(self, cases: CaseQuerySet, value: str, user: User) -> CaseQuerySet:
        """Return the cases of a person."""
        match value:
            case "me":
                return cases.filter(assigned_to=user)
            case "nobody":
                return cases.filter(assigned_to__isnull=True)
            case "others":
                return cases.filter(~Q(assigned_to=user), assigned_to__isnull=False)
        return cases


class DueFilter(QueueFilter):
    """By when it must be decided."""

    title = parameter_name = "due"

    def narrow(self, cases: CaseQuerySet, value: str, user: User) -> CaseQuerySet:
        """Return the cases that are due by then."""
        now = timezone.now()
        limits = {"late": now, "day": now + DAY, "week": now + 7 * DAY}
        if value in limits:
            return cases.filter(due_at__lt=limits[value])
        return cases.filter(due_at__isnull=True) if value == "never" else cases


FILTERS = [TabFilter, KindFilter, OrganisationFilter, PersonFilter, DueFilter]


def in_tab(cases: CaseQuerySet, tab: str, user: User) -> CaseQuerySet:
    """Return the cases of a tab; of an unknown one, those that wait for the person."""
    now = timezone.now()
    match tab:
        case "open":
            return cases.open()
        case "put_off":
            return cases.open().filter(snoozed_until__gt=now)
        case "decided":
            return cases.filter(closed_at__isnull=False)
    return cases.for_person(user, now)


def ordering(request: HttpRequest) -> list[str | OrderBy]:
    """Return the order of a tab: most urgent first; what is decided, the newest first."""
    if request.GET.get("tab") == "decided" and not request.GET.get("q"):
        return ["-closed_at", "-id"]
    first = [F("closed_at").desc(nulls_first=True)] if request.GET.get("q") else []
    return [*first, F("due_at").asc(nulls_last=True), "opened_at", "id"]


def tally(cases: CaseQuerySet) -> Counter[str]:
    """Return how many there are of each kind among the most urgent 1,000."""
    return Counter(cases.most_urgent_first().values_list("kind", flat=True)[:QUEUE_MAX])


def rows_of(cases: Iterable[Case]) -> list[Row]:
    """Return cases with their clocks."""
    now = timezone.now()
    return [
        Row(case, age_of(case.opened_at, now), due_of(case, now), needs_two(case)) for case in cases
    ]


def age_of(since: datetime, now: datetime) -> str:
    """Return how long ago something was, in one unit."""
    return timesince(since, now, depth=1)


def due_of(case: Case, now: datetime) -> Due:
    """Return when a case is due; a decided one is not any more."""
    if case.closed_at or case.due_at is None:
        return Due("")
    if case.due_at <= now:
        return Due(f"overdue by {timesince(case.due_at, now, depth=1)}", "late")
    words = f"due in {timeuntil(case.due_at, now, depth=1)}"
    return Due(words, "soon" if case.due_at <= now + DAY else "")
