"""Cases: the queue that staff live in, and the page on which they decide."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from common.admin import PageAdmin
from organisations.admin import staff
from reviews.admin.acts import act, decide_so
from reviews.admin.page import page_of
from reviews.admin.queue import (
    DUE,
    FILTERS,
    PEOPLE,
    QUEUE_MAX,
    TABS,
    QueuePaginator,
    in_tab,
    ordering,
    rows_of,
    tally,
)
from reviews.choices import choice_of
from reviews.forms import ActForm, until
from reviews.models import Case
from reviews.services import cases

FIELDS = ("kind", "organisation", "assigned", "due")


@admin.register(Case)
class CaseAdmin(PageAdmin[Case]):
    """What waits for whoever looks, the most urgent on top; each case has a page of its own."""

    change_list_template = "admin/reviews/case/queue.html"
    paginator = QueuePaginator
    list_display = ["subject"]
    list_filter = (*FILTERS,)
    list_select_related = ["organisation", "assigned_to", "closed_by", "payout_hold"]
    exact_lookups = ["id", "subject", "gift", "organisation__slug"]
    actions = ["take", "put_back", "put_off", "close", "keep"]

    def get_ordering(self, request: HttpRequest) -> Sequence[str | Combinable]:  # type: ignore[override]
        """Return the order of the tab."""
        return ordering(request)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Tell who may decide cases."""
        return request.user.has_perm("reviews.decide_case")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the queue, or ask what an action needs."""
        response = super().changelist_view(request, extra_context)
        shown = getattr(response, "context_data", {})
        if "cl" in shown:
            shown |= self._queue(request, shown["cl"])
        return response

    def show(self, request: HttpRequest, row: Case) -> HttpResponse:
        """Show everything that is needed to decide a case."""
        may_decide = self.has_decide_permission(request)
        context = page_of(row, staff(request), may_decide=may_decide)
        return self.page(request, "case", row.get_kind_display(), original=row, **context)

    def act(self, request: HttpRequest, row: Case) -> HttpResponse:
        """Do what was asked on a case's page."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        form = ActForm(request.POST)
        if form.is_valid():
            given, by = form.cleaned_data, staff(request)
            self.decide(request, [row], lambda case: act(case, by, given), reason=given["reason"])
        else:
            for message in [each for errors in form.errors.values() for each in errors]:
                self.message_user(request, str(message), messages.ERROR)
        return HttpResponseRedirect(request.path)

    @admin.action(description="Take", permissions=["decide"])
    def take(self, request: HttpRequest, queryset: QuerySet[Case]) -> None:
        """Answer for cases."""
        by = staff(request)
        self.decide(request, queryset, lambda case: cases.take(case=case, by=by), "taken")

    @admin.action(description="Put back", permissions=["decide"])
    def put_back(self, request: HttpRequest, queryset: QuerySet[Case]) -> None:
        """Leave cases to anybody."""
        by = staff(request)
        self.decide(request, queryset, lambda case: cases.put_back(case=case, by=by), "put back")

    @admin.action(description="Put off until tomorrow", permissions=["decide"])
    def put_off(self, request: HttpRequest, queryset: QuerySet[Case]) -> None:
        """Look at cases again tomorrow."""
        by, moment = staff(request), until("tomorrow")
        done = f"put off until {moment:%d %B %Y, %H:%M} UTC"
        self.decide(
            request, queryset, lambda case: cases.snooze(case=case, by=by, until=moment), done
        )

    @admin.action(description="Close…", permissions=["decide"])
    def close(self, request: HttpRequest, queryset: QuerySet[Case]) -> TemplateResponse | None:
        """Record that cases are dealt with."""
        return self._in_bulk(request, queryset, "close", question="Close")

    @admin.action(description="Keep the gifts…", permissions=["decide"])
    def keep(self, request: HttpRequest, queryset: QuerySet[Case]) -> TemplateResponse | None:
        """Let gifts go on counting."""
        return self._in_bulk(request, queryset, "keep", question="Keep the gifts")

    def _in_bulk(
        self, request: HttpRequest, chosen: QuerySet[Case], key: str, *, question: str
    ) -> TemplateResponse | None:
        """Decide together what may be decided so, and say what was left out."""
        rows = []
        for case in chosen:
            choice = choice_of(case, key)
            if choice and choice.in_bulk:
                rows.append(case)
            else:
                left = f"{case}: left out. Open it: it is decided by itself, and otherwise."
                self.message_user(request, left, messages.WARNING)
        if not rows:
            return None
        by = staff(request)

        def decision(case: Case, reason: str) -> str:
            return decide_so(case, by, key, reason)

        return self.decide_with_reason(request, rows, decision, question=question)

    def _queue(self, request: HttpRequest, changelist: Any) -> dict[str, Any]:
        tab = request.GET.get("tab", "")
        tab = tab if tab in TABS else "mine"
        kinds = {} if tab == "decided" else tally(in_tab(Case.objects.all(), tab, staff(request)))
        chosen = {name: request.GET.get(name, "") for name in FIELDS}
        return {
            "rows": rows_of(changelist.result_list),
            "tab": tab,
            "tabs": [(key, words, f"?{urlencode({'tab': key})}") for key, words in TABS.items()],
            "chosen": chosen,
            "is_narrowed": any(chosen.values()) or bool(request.GET.get("q")),
            "kinds": [
                (Case.Kind(kind).label, count, changelist.get_query_string({"kind": kind}, ["p"]))
                for kind, count in sorted(kinds.items())
            ],
            "total": sum(kinds.values()),
            "queue_max": QUEUE_MAX,
            "kind_choices": Case.Kind.choices,
            "people": PEOPLE.items(),
            "dues": DUE.items(),
            "may_decide": self.has_decide_permission(request),
        }
