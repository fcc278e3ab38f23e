"""The books and their entries, to look at."""

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from common.admin import ReadOnlyAdmin
from common.money import format_money
from ledger.models import Book, BookListing, EntryListing


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


@admin.register(EntryListing)
class EntryAdmin(ReadOnlyAdmin[EntryListing]):
    """
    The entries of all books; within a book the newest first.

    Nothing here sorts or scans millions of rows: the order is that of the primary key, and the
    search goes by keys: an organisation's slug, `<slug>/<sequence>`, an entry's id, a nonce.
    """

    list_display = ["sequence", "organisation", "book", "operation", "money", "debit", "credit"]
    list_select_related = ["organisation"]
    ordering = ["-organisation_id", "-book", "-sequence"]
    exact_lookups = ["organisation__slug", "organisation_id", "entry_id", "nonce"]
    search_help_text = "An organisation's slug, slug/sequence, an entry's id, or a nonce."

    @admin.display(description="amount")
    def money(self, entry: EntryListing) -> str:
        """Return the amount as people read it."""
        return format_money(entry.amount, entry.currency)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> EntryListing | None:
        """Return an entry by the parts of its id."""
        organisation_id, _, rest = object_id.partition("/")
        book, _, sequence = rest.partition("/")
        if not (sequence.isascii() and sequence.isdigit()):
            return None
        rows = self.get_queryset(request).filter(organisation_id=organisation_id, book=book)
        return rows.filter(sequence=sequence).first()

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
