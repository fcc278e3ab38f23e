"""The books and their entries, to look at, and entries to correct."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from common.admin import DecidingAdmin, ReadOnlyAdmin, ReasonForm
from common.errors import DomainError
from common.money import format_money
from ledger.models import Book, BookListing, EntryListing
from ledger.services.corrections import REASON_LENGTH_MAX, check_reason, correct_entry


@admin.register(BookListing)
class BookAdmin(ReadOnlyAdmin[BookListing]):
    """Every book and where it ends."""

    list_display = ["id", "organisation", "book", "size", "head_hash"]
    list_select_related = ["organisation"]
    ordering = ["organisation_id", "book"]
    exact_lookups = ["organisation__slug", "organisation_id", "book"]

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> BookListing | None:
        """Return a book by the parts of its id."""
        organisation_id, _, book = object_id.partition("/")
        rows = self.get_queryset(request)
        return rows.filter(organisation_id=organisation_id, book=book).first()


class PublishedReasonForm(ReasonForm):
    """Why an entry is corrected, as the new entry will say it."""

    reason = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4, "cols": 60, "autofocus": True}),
        max_length=REASON_LENGTH_MAX,
        help_text="Written into the ledger for ever, and public in a public book: "
        "name nobody, and nothing about anybody.",
    )

    def clean_reason(self) -> str:
        """Return the reason as it will be published."""
        try:
            return check_reason(self.cleaned_data["reason"])
        except DomainError as error:
            raise ValidationError(str(error)) from error


@admin.register(EntryListing)
class EntryAdmin(DecidingAdmin[EntryListing]):
    """
    The entries of all books; within a book the newest first.

    Nothing here sorts or scans millions of rows: the order is that of the primary key, and the
    search goes by keys: an organisation's slug, `<slug>/<sequence>`, an entry's id, a nonce.
    """

    list_display = [
        "sequence",
        "organisation",
        "book",
        "operation",
        "money",
        "debit",
        "credit",
        "correction",
    ]
    list_select_related = ["organisation"]
    ordering = ["-organisation_id", "-book", "-sequence"]
    exact_lookups = ["organisation__slug", "organisation_id", "entry_id", "nonce"]
    search_help_text = "An organisation's slug, slug/sequence, an entry's id, or a nonce."
    readonly_fields = ["correction"]
    actions = ["correct"]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the entries, each with what corrected it."""
        rows: Any = super().get_queryset(request)
        return rows.with_corrections()

    @admin.display(description="amount")
    def money(self, entry: Any) -> str:
        """Return the amount as people read it, struck through when it was taken back."""
        money = format_money(entry.amount, entry.currency)
        return format_html("<s>{}</s>", money) if entry.corrected_by else money

    @admin.display(description="correction", empty_value="")
    def correction(self, entry: Any) -> str | None:
        """Return what corrected the entry, and what it corrects itself, with links."""
        words = {"corrected by": entry.corrected_by, "corrects": entry.reverses}
        links = [
            format_html(
                '{} <a href="{}">{}</a>',
                word,
                reverse("admin:ledger_entrylisting_change", args=[id_of(entry, sequence)]),
                sequence,
            )
            for word, sequence in words.items()
            if sequence
        ]
        return format_html_join(", ", "{}", ((link,) for link in links)) or None

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> EntryListing | None:
        """Return an entry by the parts of its id."""
        found: EntryListing | None = self.get_queryset(request).filter(key_of(object_id)).first()
        return found

    def has_correct_permission(self, request: HttpRequest) -> bool:
        """Tell who may correct entries."""
        return request.user.has_perm("ledger.correct_entry")

    @admin.action(description="Correct, with a reason", permissions=["correct"])
    def correct(
        self, request: HttpRequest, queryset: QuerySet[EntryListing]
    ) -> TemplateResponse | None:
        """Write a correction for each of the entries."""
        # By the parts of their ids: only those are found by a key.
        chosen = Q(pk__in=[])
        for object_id in request.POST.getlist(ACTION_CHECKBOX_NAME):
            chosen |= key_of(object_id)

        def decision(entry: EntryListing, reason: str) -> None:
            correct_entry(entry=entry, reason=reason)

        return self.decide_with_reason(
            request,
            self.get_queryset(request).filter(chosen),
            decision,
            question="Correct",
            done="corrected",
            form_class=PublishedReasonForm,
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[EntryListing], search_term: str
    ) -> tuple[QuerySet[EntryListing], bool]:
        """Return the entries that have exactly this."""
        slug, _, sequence = search_term.strip().partition("/")
        if sequence.isascii() and sequence.isdigit():
            return queryset.filter(organisation__slug=slug, sequence=sequence), False
        # Naming the books lets PostgreSQL look each up by its key instead of reading all entries.
        books = Book.objects.filter(organisation=OuterRef("organisation"), book=OuterRef("book"))
        return super().get_search_results(request, queryset.filter(Exists(books)), search_term)


def key_of(object_id: str) -> Q:
    """Return what finds the entry with an id by its key; nothing for what is no id."""
    organisation_id, _, rest = object_id.partition("/")
    book, _, sequence = rest.partition("/")
    if not (sequence.isascii() and sequence.isdigit()) or "\0" in object_id:
        return Q(pk__in=[])
    return Q(organisation_id=organisation_id, book=book, sequence=sequence)


def id_of(entry: EntryListing, sequence: int) -> str:
    """Return the id of another entry of the same book."""
    return f"{entry.organisation_id}/{entry.book}/{sequence}"
