"""The page that says how anyone verifies a book, and the public logs for those who do."""

import re
from hashlib import sha256

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_GET, require_safe

from ledger import log
from ledger.models import Book
from ledger.tiles import WIDTH, path_of
from organisations.models import Organisation

BOOKS_SHOWN = 100
TILE = re.compile(
    r"(?P<level>[0-6]|entries)/(?P<groups>(?:x[0-9]{3}/){0,5}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?\Z"
)
FOR_EVER = "public, max-age=31536000, immutable"
FOR_SECONDS = "public, max-age=2"


@require_GET
def verify(request: HttpRequest) -> HttpResponse:
    """Show three ways to verify a book, and the heads of the public books."""
    books = Book.objects.public()[:BOOKS_SHOWN]
    return render(request, "ledger/verify.html", {"books": books})


@require_safe
def log_checkpoint(request: HttpRequest, organisation_id: str) -> HttpResponseBase:
    """Return what was signed last of a public book."""
    checkpoint = log.newest_checkpoint(_organisation(organisation_id))
    if checkpoint is None:
        raise Http404("This book is not sealed yet: try again in a few seconds.")
    text = "text/plain; charset=utf-8"
    return _published(request, checkpoint.note.encode(), text, FOR_SECONDS)


@require_safe
def log_tile(request: HttpRequest, organisation_id: str, tile: str) -> HttpResponseBase:
    """Return a tile of a public log's tree, or a bundle of its entries."""
    organisation = _organisation(organisation_id)
    match = TILE.match(tile)
    if not match:
        raise Http404("This is no tile's address.")
    number, width = int(re.sub("[x/]", "", match["groups"])), int(match["width"] or WIDTH)
    if path_of(match["level"], number, width) != f"tile/{tile}":
        raise Http404("A tile has one address only.")
    content = log.read_tile(organisation, match["level"], number, width)
    if content is None:
        raise Http404("The last checkpoint needs no such tile.")
    return _published(request, content, "application/octet-stream", FOR_EVER)


def _organisation(organisation_id: str) -> Organisation:
    return get_object_or_404(Organisation.objects.public(), pk=organisation_id)


def _published(
    request: HttpRequest, content: bytes, content_type: str, caching: str
) -> HttpResponseBase:
    # Whoever verifies may do so from a page of their own.
    headers = {"Cache-Control": caching, "Access-Control-Allow-Origin": "*"}
    headers["ETag"] = quote_etag(sha256(content).hexdigest())
    response = HttpResponse(content, content_type=content_type, headers=headers)
    shown = get_conditional_response(request, etag=headers["ETag"], response=response)
    assert shown is not None
    return shown
