"""The admin as a place to look and to decide: nothing is edited in it."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, ClassVar, TypeVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.functional import cached_property

from common.errors import DomainError

ModelType = TypeVar("ModelType", bound=Model)
COUNT_MAX = 10_000
REASON_LENGTH_MAX = 2_000


class BoundedPaginator(Paginator[Any]):
    """Counts to 10,000 and no further: beyond that one searches, and no page counts millions."""

    @cached_property
    def count(self) -> int:
        """Return how many rows can be paged to."""
        rows: Any = self.object_list
        return int(rows.order_by()[:COUNT_MAX].count())


class ReadOnlyAdmin(admin.ModelAdmin[ModelType]):
    """
    Lists and shows rows; adds, changes and deletes none.

    `exact_lookups` are what a search tries in turn: the first that finds anything wins. Each must
    have an index.
    """

    exact_lookups: Sequence[str] = ()
    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    sortable_by: ClassVar[list[str] | tuple[str, ...] | None] = ()

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Refuse: rows come from services."""
        return False

    def has_change_permission(self, request: HttpRequest, instance: Any = None) -> bool:
        """Refuse: rows change by services."""
        return False

    def has_delete_permission(self, request: HttpRequest, instance: Any = None) -> bool:
        """Refuse: rows stay."""
        return False

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Return what is searched in, so that there is a field to type into."""
        return list(self.exact_lookups)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ModelType], search_term: str
    ) -> tuple[QuerySet[ModelType], bool]:
        """Return the rows that have exactly this."""
        term = search_term.strip()
        if not term:
            return queryset, False
        for lookup in self.exact_lookups:
            with suppress(ValueError, ValidationError):
                found = queryset.filter(**{lookup: term})
                if found.exists():
                    return found, False
        return queryset.none(), False


class ReasonForm(forms.Form):
    """Why staff decide as they do."""

    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4, "cols": 60, "autofocus": True}),
        max_length=REASON_LENGTH_MAX,
        help_text="Kept with the decision, for whoever asks later.",
    )


class DecidingAdmin(ReadOnlyAdmin[ModelType]):
    """A read-only list with decisions in it: each one is a call of a service, and is logged."""

    def decide(
        self,
        request: HttpRequest,
        rows: Iterable[ModelType],
        decision: Callable[[ModelType], object],
        done: str,
        reason: str = "",
    ) -> None:
        """Decide on each row by itself, say what became of it, and log that with the reason."""
        for row in rows:
            try:
                decision(row)
            except DomainError as error:
                self.message_user(request, f"{row}: {error}", messages.ERROR)
            else:
                self.log_change(request, row, f"{done}: {reason}" if reason else done)
                self.message_user(request, f"{row}: {done}.", messages.SUCCESS)

    def decide_with_reason(
        self,
        request: HttpRequest,
        rows: QuerySet[ModelType],
        decision: Callable[[ModelType, str], object],
        *,
        question: str,
        done: str,
        form_class: type[ReasonForm] = ReasonForm,
    ) -> TemplateResponse | None:
        """Ask for a reason on a page of its own, then decide."""
        form = form_class(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            return self._ask(request, rows, form, question)
        reason = form.cleaned_data["reason"]
        self.decide(request, rows, lambda row: decision(row, reason), done, reason)
        return None

    def _ask(
        self, request: HttpRequest, rows: QuerySet[ModelType], form: ReasonForm, question: str
    ) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": question,
            "opts": self.model._meta,
            "rows": rows,
            "form": form,
            "media": self.media,
            "action": request.POST["action"],
            "checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/reason.html", context)
