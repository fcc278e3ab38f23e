"""The pages about verifying and about witnesses, and the public logs for those who verify."""

import re
from hashlib import sha256

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_GET, require_safe

from common.ranges import part_of
from ledger import log, offline, witness_page
from ledger.errors import NotYetSealed
from ledger.models import AnyLog, Book, Entry, HeadsCheckpoint, HeadsLog, HeadsTimestamp, Log
from ledger.notes import SIZE_MAX, NoteMalformed, decode_size
from ledger.tiles import WIDTH, path_of
from ledger.witnessing import cosigned_note, witness_policy
from organisations.models import Organisation

BOOKS_SHOWN = 100
SEQUENCE = re.compile(r"[0-9]{1,15}\Z", re.ASCII)
TILE = re.compile(
    r"(?P<level>[0-6]|entries)/(?P<groups>(?:x[0-9]{3}/){0,5}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?\Z"
)


@require_GET
def verify(request: HttpRequest) -> HttpResponse:
    """Show three ways to verify a book, and the heads of all; or the receipt of one entry."""
    shown = {
        "books": Book.objects.public()[:BOOKS_SHOWN],
        "heads": log.state_of_heads(),
        "offline": offline.FILENAME,
        "digest": offline.digest(),
        "wanted": _wanted(request.GET.get("organisation", ""), request.GET.get("entry", "")),
    }
    return render(request, "ledger/verify.html", shown)


@require_safe
def verify_offline(request: HttpRequest) -> HttpResponseBase:
    """Return the page as one file, which verifies files without any network."""
    response = _published(request, offline.page(), "text/html; charset=utf-8", "no-cache")
    response["Content-Disposition"] = f'attachment; filename="{offline.FILENAME}"'
    return response


@require_GET
def witnesses(request: HttpRequest) -> HttpResponse:
    """Show who vouches for the public books, and how far."""
    context = {
        "standings": witness_page.standings(),
        "quorum": list(witness_page.quorum_in_words(witness_policy())),
        "logs": Organisation.objects.public().count(),
        "is_demo": settings.DEMO and settings.USES_STRIPE_SANDBOX,
    }
    return render(request, "ledger/witnesses.html", context)


@require_safe
def policy_file(request: HttpRequest) -> HttpResponseBase:
    """Return the policy: our logs, the witnesses, and how many of them must have signed."""
    content = witness_page.policy_file().encode(errors="surrogateescape")
    response = _published(request, content, log.TEXT, log.FOR_SECONDS)
    response["Content-Disposition"] = 'attachment; filename="witnesses.policy"'
    return response


@require_safe
def log_checkpoint(request: HttpRequest, organisation_id: str) -> HttpResponseBase:
    """Return what was signed last of a public book, and by which witnesses."""
    return _checkpoint(request, _public_log(organisation_id))


@require_safe
def log_tile(request: HttpRequest, organisation_id: str, tile: str) -> HttpResponseBase:
    """Return a tile of a public log's tree, or a bundle of its entries."""
    return _tile(request, _public_log(organisation_id), tile)


@require_safe
def heads_checkpoint(request: HttpRequest) -> HttpResponseBase:
    """Return what was signed last of the heads log."""
    return _checkpoint(request, HeadsLog())


@require_safe
def heads_tile(request: HttpRequest, tile: str) -> HttpResponseBase:
    """Return a tile of the heads log's tree, or a bundle of its leaves."""
    return _tile(request, HeadsLog(), tile)


@require_safe
def heads_proof(request: HttpRequest) -> HttpResponseBase:
    """Return the proof that the heads log has the checkpoint with an origin and a size."""
    try:
        size = decode_size(request.GET.get("size", ""))
    except NoteMalformed as error:
        raise Http404("Name a checkpoint: ?origin=…&size=…") from error
    leaf = log.head_of(request.GET.get("origin", ""), size)
    if leaf is None:
        raise Http404("The heads log has no such checkpoint.")
    try:
        proof = log.proof_of_head(leaf)
    except NotYetSealed as error:
        raise Http404(str(error)) from error
    response = _published(request, proof.encode(), log.TEXT, log.FOR_SECONDS)
    filename = f"heads-{leaf.sequence}.tlog-proof"
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


@require_safe
def heads_note(request: HttpRequest, size: int) -> HttpResponseBase:
    """Return a checkpoint of the heads log that may not be the last: what was time-stamped."""
    checkpoint = get_object_or_404(HeadsCheckpoint, pk=min(size, SIZE_MAX))
    return _published(request, checkpoint.note.encode(), log.TEXT, log.FOR_EVER)


@require_safe
def heads_timestamp(request: HttpRequest, size: int) -> HttpResponseBase:
    """Return what a time stamper answered about this checkpoint (RFC 3161)."""
    stamped = get_object_or_404(HeadsTimestamp, pk=min(size, SIZE_MAX))
    return _published(request, bytes(stamped.response), "application/timestamp-reply", log.FOR_EVER)


def _public_log(organisation_id: str) -> Log:
    return log.public_log(get_object_or_404(Organisation.objects.public(), pk=organisation_id))


def _checkpoint(request: HttpRequest, of: AnyLog) -> HttpResponseBase:
    checkpoint = of.checkpoints().first()
    if checkpoint is None:
        raise Http404("This log is not sealed yet: try again in a few seconds.")
    return _published(request, cosigned_note(checkpoint).encode(), log.TEXT, log.FOR_SECONDS)


def _tile(request: HttpRequest, of: AnyLog, tile: str) -> HttpResponseBase:
    match = TILE.match(tile)
    if not match:
        raise Http404("This is no tile's address.")
    number, width = int(re.sub("[x/]", "", match["groups"])), int(match["width"] or WIDTH)
    if path_of(match["level"], number, width) != f"tile/{tile}":
        raise Http404("A tile has one address only.")
    content = log.read_tile(of, match["level"], number, width)
    if content is None:
        raise Http404("The last checkpoint needs no such tile.")
    return _published(request, content, log.BYTES, log.FOR_EVER)


def _wanted(slug: str, sequence: str) -> Entry | None:
    # Who comes by a QR code; an address that somebody has altered shows the page as it always is.
    book = Book.objects.public().filter(organisation__slug=slug.replace("\0", "")).first()
    if book is None or not SEQUENCE.match(sequence):
        return None
    entries = Entry.objects.of(book.organisation).select_related("organisation")
    return entries.filter(sequence=sequence).first()


def _published(
    request: HttpRequest, content: bytes, content_type: str, caching: str
) -> HttpResponseBase:
    # Whoever verifies may do so from a page of their own.
    headers = {"Cache-Control": caching, "Access-Control-Allow-Origin": "*"}
    headers["ETag"] = quote_etag(sha256(content).hexdigest())
    response = HttpResponse(content, content_type=content_type, headers=headers)
    shown = get_conditional_response(request, etag=headers["ETag"], response=response)
    assert shown is not None
    return part_of(request, response) if shown is response else shown
