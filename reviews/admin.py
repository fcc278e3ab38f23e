"""Cases: what staff must look at and decide."""

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from common.admin import DecidingAdmin
from organisations.admin import staff
from reviews import services
from reviews.models import Case


@admin.register(Case)
class CaseAdmin(DecidingAdmin[Case]):
    """The open cases first, the oldest of them on top."""

    list_display = ["subject", "kind", "organisation", "opened_at", "closed_at", "closed_by"]
    list_filter = ["kind", ("closed_at", admin.EmptyFieldListFilter)]
    list_select_related = ["organisation", "closed_by"]
    ordering = [F("closed_at").desc(nulls_first=True), "opened_at"]
    exact_lookups = ["subject", "id", "organisation__slug"]
    actions = ["close"]

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Tell who may close cases."""
        return request.user.has_perm("reviews.decide_case")

    @admin.action(description="Close, with a reason", permissions=["decide"])
    def close(self, request: HttpRequest, queryset: QuerySet[Case]) -> TemplateResponse | None:
        """Record that cases are dealt with."""

        def decision(case: Case, reason: str) -> None:
            services.close_case(case=case, closed_by=staff(request), reason=reason)

        return self.decide_with_reason(request, queryset, decision, question="Close", done="closed")
