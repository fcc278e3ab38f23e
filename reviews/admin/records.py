"""What is kept of decisions: holds, screenings, decisions, and the trail of what staff did."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from common.admin import ReadOnlyAdmin
from common.money import format_money
from reviews.admin.reasons import read
from reviews.models import Case, Decision, Hold, Screening

THINGS = {
    "case": "Cases",
    "organisation": "Organisations",
    "apikey": "API keys",
    "ruleversion": "Rules",
    "user": "People",
    "group": "Groups",
    "donation": "Gifts",
    "stripeevent": "Events",
}


def link_to(case: Case) -> SafeString:
    """Return a link to the page of a case."""
    url = reverse("admin:reviews_case_change", args=[case.pk])
    return format_html('<a href="{}">{}</a>', url, case)


class HitFilter(admin.SimpleListFilter):
    """Only where a rule hit: those have an index of their own."""

    title = "what rules found"
    parameter_name = "hits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the one answer beside "all"."""
        return [("some", "A rule in force hit")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Screening]) -> QuerySet[Screening]:
        """Return the screenings that hit, by their moment."""
        if self.value() != "some":
            return queryset
        return queryset.exclude(hits=[]).order_by("-at")


@admin.register(Screening)
class ScreeningAdmin(ReadOnlyAdmin[Screening]):
    """Every screening, the newest first; its page says what each rule found."""

    list_display = ["subject", "occasion", "organisation", "verdict", "score", "rules", "at"]
    list_filter = [HitFilter]
    list_select_related = ["organisation"]
    ordering = ["-id"]
    exact_lookups = ["id", "subject", "organisation__slug"]
    fields = ["id", "organisation", "occasion", "subject", "verdict", "score", "at", "found"]
    readonly_fields = ["found"]

    @admin.display(description="Rules that hit")
    def rules(self, screening: Screening) -> str:
        """Return the names of the rules that hit."""
        return ", ".join(screening.hits).replace("_", " ") or "none"

    @admin.display(description="What each rule found")
    def found(self, screening: Screening) -> str:
        """Return what each rule found, in words."""
        [found] = read([screening])
        return render_to_string("admin/reviews/case/_screening.html", {"found": found})


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin[Hold]):
    """Money that is held, or was; the newest hold first."""

    list_display = ["gift", "status", "kind", "money", "organisation", "opened_at", "lapses_at"]
    list_filter = ["status", "kind"]
    list_select_related = ["organisation"]
    ordering = ["-id"]
    exact_lookups = ["id", "gift", "payment_intent", "organisation__slug"]
    fields = [
        "about",
        "organisation",
        "gift",
        "status",
        "kind",
        "money",
        "purpose",
        "payment_intent",
        "lapses_at",
        "opened_at",
        "decided_at",
        "ended_at",
        "held_at_sequence",
        "released_at_sequence",
        "attempts",
        "next_attempt_at",
        "trouble",
    ]
    readonly_fields = ["about", "money"]

    @admin.display(description="Held")
    def money(self, hold: Hold) -> str:
        """Return how much is held."""
        return format_money(hold.amount, hold.currency)

    @admin.display(description="Case")
    def about(self, hold: Hold) -> SafeString:
        """Return where it is decided."""
        return link_to(hold.case)


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin[Decision]):
    """What people decided and proposed, the newest first."""

    list_display = ["choice", "is_final", "by", "about", "reason", "at"]
    list_filter = ["is_final"]
    list_select_related = ["case", "by"]
    ordering = ["-id"]
    exact_lookups = ["id", "case__id", "by__email"]
    fields = ["about", "round", "choice", "is_final", "confirms", "reason", "by", "at"]
    readonly_fields = ["about"]

    @admin.display(description="Case")
    def about(self, decision: Decision) -> SafeString:
        """Return what it is about."""
        return link_to(decision.case)


class ThingFilter(admin.SimpleListFilter):
    """What was acted on."""

    title = "what it was done to"
    parameter_name = "thing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return what staff act on in the admin."""
        return list(THINGS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
        """Return the acts on one sort of thing."""
        thing = self.value()
        return queryset.filter(content_type__model=thing) if thing in THINGS else queryset


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin[LogEntry]):
    """The trail of what staff did, the newest first: nobody edits it, the database sees to that."""

    list_display = ["what", "about", "user", "action_time"]
    list_filter = [("action_time", admin.DateFieldListFilter), ThingFilter]
    list_select_related = ["user", "content_type"]
    ordering = ["-id"]
    exact_lookups = ["user__email", "object_id"]
    fields = ["what", "about", "user", "content_type", "object_id", "action_time"]
    readonly_fields = ["what", "about"]

    @admin.display(description="What was done")
    def what(self, entry: LogEntry) -> str:
        """Return the act in words."""
        return entry.get_change_message() or entry.get_action_flag_display()

    @admin.display(description="To what")
    def about(self, entry: LogEntry) -> str | SafeString:
        """Return what it was done to, with a link where it has a page."""
        url = entry.get_admin_url()
        shown = entry.object_repr
        return format_html('<a href="{}">{}</a>', url, shown) if url else shown
