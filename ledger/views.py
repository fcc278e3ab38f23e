"""The page that says how anyone verifies a book."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from ledger.models import Book

BOOKS_SHOWN = 100


@require_GET
def verify(request: HttpRequest) -> HttpResponse:
    """Show three ways to verify a book, and the heads of the public books."""
    books = Book.objects.public()[:BOOKS_SHOWN]
    return render(request, "ledger/verify.html", {"books": books})
