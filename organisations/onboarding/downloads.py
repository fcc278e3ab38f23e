"""Handing out papers: as files to be saved, never as pages that a browser would open here."""

from django.http import Http404, HttpResponse
from django.utils.http import content_disposition_header

from organisations.models import Document
from organisations.services.documents import open_document


def download(document: Document) -> HttpResponse:
    """Return a paper to be saved; the caller has asked who may."""
    try:
        with open_document(document) as file:
            response = HttpResponse(file.read(), content_type=document.kind)
    except FileNotFoundError as error:
        raise Http404 from error
    response.headers["Content-Disposition"] = content_disposition_header(True, document.name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "private, no-store"
    return response
