"""The desk in figures, for staff: a page with pictures, and its tables and cases as files."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from common.spreadsheets import write_rows
from organisations.models import User
from reviews.figures.cases import (
    each_case,
    oldest_open,
    open_by_kind,
    times_by_kind,
    times_by_week,
)
from reviews.figures.money import held_now, holds_by_week
from reviews.figures.rules import hit_rates
from reviews.figures.tables import Table
from reviews.models import Case
from reviews.services.exports import record_export


class Section(NamedTuple):
    """One part of the page: a table, what to know of it, and how it is drawn."""

    table: Callable[[datetime], Table]
    words: str
    picture: str = ""


SECTIONS = {
    "open": Section(
        open_by_kind,
        "What is open now, put off or not. Overdue is what should be decided by now.",
        "bars",
    ),
    "held": Section(
        held_now,
        "Not captured: the card is authorised and not charged. In “held”: the gift is settled, "
        "and counts nowhere until it is released; the amount is what the public books say.",
    ),
    "holds": Section(
        holds_by_week,
        "The last 13 weeks. Given back is what was refunded or not taken. Lapsed is what the bank "
        "let go before anybody decided, or what the organisation charged itself.",
        "weeks",
    ),
    "times": Section(
        times_by_kind,
        "Cases that people decided in the last 13 weeks, from their opening on. Half of them took "
        "no longer than the median, nine of ten no longer than the 90th percentile.",
    ),
    "weeks": Section(times_by_week, "The same, by the week of the decision.", "weeks"),
    "rules": Section(
        hit_rates,
        "The last 13 weeks. A hit is confirmed where people gave the gift back or did not take it, "
        "and false where they released or kept it. What ran in the shadow is counted apart. A "
        "gift at which several rules hit counts for each.",
        "bars",
    ),
}


@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    """Show the desk in figures."""
    _let_in(request)
    now = timezone.now()
    shown = [
        (name, section.table(now), section.words, section.picture)
        for name, section in SECTIONS.items()
    ]
    context = {"title": "Figures", "sections": shown, "oldest": oldest_open(), "now": now}
    page = "admin/reviews/figures/page.html"
    return render(request, page, {**admin.site.each_context(request), **context})


@require_safe
def export(request: HttpRequest) -> StreamingHttpResponse:
    """Hand one table, or all open or decided cases, as a file; that is in the trail."""
    user = _let_in(request)
    name, now = request.GET.get("table", "cases-open"), timezone.now()
    title, rows = _exported(name, now)
    record_export(by=user, title=title)
    response = StreamingHttpResponse(write_rows(rows), content_type="text/csv; charset=utf-8")
    file_name = f"{name}-{now:%Y-%m-%d}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return response


def _exported(name: str, now: datetime) -> tuple[str, Iterable[Iterable[str]]]:
    match name:
        case "cases-open":
            return "Open cases", each_case(Case.objects.open(), now)
        case "cases-decided":
            return "Decided cases", each_case(Case.objects.filter(closed_at__isnull=False), now)
    if name not in SECTIONS:
        raise Http404("There is no such table.")
    table = SECTIONS[name].table(now)
    return table.title, table.exported()


def _let_in(request: HttpRequest) -> User:
    user = request.user
    if not (isinstance(user, User) and user.has_perm("reviews.view_case")):
        raise PermissionDenied
    return user
