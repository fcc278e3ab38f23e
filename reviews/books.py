"""What the page of a case shows of a book that does not verify, or is not sealed any further."""

from collections.abc import Iterator

from ledger.models import Book, Checkpoint
from reviews.models import Case
from reviews.panels import Panel


def panels(case: Case) -> Iterator[Panel]:
    """Yield the book; the heads log has none."""
    for book in Book.objects.filter(
        organisation=case.organisation_id, book=case.subject.rpartition("/")[2]
    ):
        context = {
            "book": book,
            "organisation": case.organisation,
            "signed": Checkpoint.objects.of(book.organisation_id, book.book).first(),
            "is_audited": case.kind == Case.Kind.AUDIT,
            "is_public": Book.objects.public().filter(pk=book.pk).exists(),
        }
        yield Panel("The book", "reviews/panels/book.html", context)
