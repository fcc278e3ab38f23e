"""A donor's private page of a gift, and what they may do there."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from common.pages import private, see_other
from donations.models import Donation, Fund
from donations.services.erasure import erase_donor
from donations.services.promises import journey_url
from donations.services.refunds import unbooked_refunds
from donations.views.console import entries_of
from ledger.log import opening_of, seal_of
from ledger.models import Entry, Opening
from ledger.witnessing import Witnessed
from reviews.models import Hold

FRESH_SECONDS = 600
UNSETTLED = (Donation.Status.PENDING, Donation.Status.PAID, Donation.Status.HELD)


@private
@require_GET
def donation_detail(request: HttpRequest, donation_id: str) -> HttpResponse:
    """Show the donor, and nobody else, what became of a gift."""
    donation = _own_gift(request, donation_id)
    entries = entries_of(donation)
    entry = next((row for row in entries if row.sequence == donation.sequence), None)
    seal = seal_of(entry) if entry else {}
    context = {
        "donation": donation,
        "organisation": donation.organisation,
        "entries": entries,
        "entry": entry,
        **seal,
        "donors": {donation.sequence: "You"},
        "refunds_under_way": unbooked_refunds(donation, entries) if entries else [],
        "openings": Opening.objects.of(entry) if entry else (),
        "names": Fund.objects.names(donation.organisation),
        "again": _again(donation),
        "hold": _hold(donation),
        "support": settings.SUPPORT_EMAIL,
        "is_first": _is_first(donation),
        "refresh_seconds": _refresh_seconds(donation, is_proven=not entry or _is_proven(seal)),
    }
    return render(request, "donations/donation_detail.html", context)


@private
@require_GET
def donation_opening(request: HttpRequest, donation_id: str) -> HttpResponse:
    """Give the donor, and nobody else, what opens the commitments of the gift's entry."""
    donation = _own_gift(request, donation_id)
    entry = get_object_or_404(Entry.objects.of(donation.organisation), sequence=donation.sequence)
    content = opening_of(entry)
    if content is None:
        raise Http404
    response = HttpResponse(content, content_type="application/json")
    name = f"{donation.organisation.slug}-{entry.sequence}.opening.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@private
@require_http_methods(["GET", "HEAD", "POST"])
def donation_erase(request: HttpRequest, donation_id: str) -> HttpResponse:
    """Ask the donor once more, then erase who gave."""
    donation = _own_gift(request, donation_id)
    if request.method == "POST":
        erase_donor(donation=donation)
    if request.method == "POST" or donation.erased_at:
        return see_other(journey_url(donation))
    context = {"donation": donation, "organisation": donation.organisation}
    return render(request, "donations/erase.html", context)


def _own_gift(request: HttpRequest, donation_id: str) -> Donation:
    every = Donation.objects.select_related("organisation", "recurring")
    donation = get_object_or_404(every, id=donation_id)
    if not donation.is_opened_by(request.GET.get("token", "")):
        raise Http404
    return donation


def _hold(donation: Donation) -> Hold | None:
    if not (donation.held_as or donation.authorise_only):
        return None
    own = Hold.objects.of(donation.organisation).filter(gift=donation.id)
    return own.order_by("-opened_at").first()


def _again(donation: Donation) -> str:
    # The same gift once more; who gives is not for a URL to say.
    gift = {"fund": donation.fund, "currency": donation.currency, "amount": donation.amount}
    return f"{reverse('donate', args=[donation.organisation.slug])}?{urlencode(gift)}"


def _is_first(donation: Donation) -> bool:
    # Whatever comes before it was paid: a gift that repeats begins with one promise.
    if donation.recurring is None:
        return True
    return not donation.recurring.payments.filter(created_at__lt=donation.created_at).exists()


def _is_proven(seal: dict[str, Any]) -> bool:
    witnessed: Witnessed | None = seal["witnessed"]
    return witnessed is not None and not witnessed.is_awaited


def _refresh_seconds(donation: Donation, *, is_proven: bool) -> int | None:
    # Quickly while somebody waits; a page that was left open asks twice a minute.
    if donation.status not in UNSETTLED and is_proven:
        return None
    waited = timezone.now() - (donation.paid_at or donation.created_at)
    return 2 if waited.total_seconds() < FRESH_SECONDS else 30
