"""The admin as a place to look and to decide: nothing is edited in it."""

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from typing import Any, ClassVar, TypeVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import cached_property
from django.utils.text import capfirst

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
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    sortable_by: ClassVar[list[str] | tuple[str, ...] | None] = ()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Name the list as what it lists."""
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, title | (extra_context or {}))

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
        done: str = "",
        reason: str = "",
    ) -> None:
        """
        Decide on each row by itself, say what became of it, and log that with the reason.

        A decision that answers in words says itself what was `done`.
        """
        for row in rows:
            try:
                answer = decision(row)
            except DomainError as error:
                self.message_user(request, f"{row}: {error}", messages.ERROR)
            else:
                said = answer if isinstance(answer, str) else done
                self.log_change(request, row, f"{said}: {reason}" if reason else said)
                self.message_user(request, f"{row}: {said}.", messages.SUCCESS)

    def decide_with_reason(
        self,
        request: HttpRequest,
        rows: Collection[ModelType] | QuerySet[ModelType],
        decision: Callable[[ModelType, str], object],
        *,
        question: str,
        done: str = "",
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
        self,
        request: HttpRequest,
        rows: Collection[ModelType] | QuerySet[ModelType],
        form: ReasonForm,
        question: str,
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


class PageAdmin(DecidingAdmin[ModelType]):
    """A read-only list whose rows have a page of their own, on which staff act."""

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Show a row; a POST does something with it."""
        row = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]
        return self.act(request, row) if request.method == "POST" else self.show(request, row)

    @abstractmethod
    def show(self, request: HttpRequest, row: ModelType) -> HttpResponse:
        """Return the page of a row."""

    @abstractmethod
    def act(self, request: HttpRequest, row: ModelType) -> HttpResponse:
        """Do what was asked with a row."""

    def page(
        self, request: HttpRequest, template: str, title: str, **context: Any
    ) -> TemplateResponse:
        """Return a page of this model's, within the admin."""
        shown = {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        name = f"admin/{self.opts.app_label}/{self.opts.model_name}/{template}.html"
        return TemplateResponse(request, name, shown | context)
