"""The pages about gifts: giving one, following one, and the public book they end in."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import segno
from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from common.errors import DomainError
from donations.errors import IdempotencyConflict
from donations.forms import EntryFilter, GiftForm, Pages, currencies_of, new_key
from donations.models import Donation, Fund
from donations.services.erasure import erase_donor
from donations.services.promises import journey_url, promise_donation
from ledger.log import erasure_of, opening_of, seal_of, vkey_of
from ledger.models import Account, Book, Entry, LineQuerySet, Opening
from ledger.operations import MoneyOperation
from ledger.witnessing import Witnessed
from organisations.models import Organisation

ENTRIES_A_PAGE = 50
SEE_OTHER = 303
SVG = '<svg xmlns="http://www.w3.org/2000/svg"'
FRESH_SECONDS = 600
UNSETTLED = (Donation.Status.PENDING, Donation.Status.PAID)


@require_GET
def ledger(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a public book, newest entries first, filtered and a page at a time."""
    book = get_object_or_404(Book.objects.public(), organisation__slug=slug)
    accounts: list[Any] = list(Account.objects.of(book.organisation).money().with_size())
    if accounts:
        # The verification in the browser compares these balances at this size, so both must be
        # read at one moment: the book may have grown since.
        book.size = accounts[0].size
    names = Fund.objects.names(book.organisation)
    form = EntryFilter(request.GET, accounts=accounts, names=names)
    context: dict[str, Any] = {
        "organisation": book.organisation,
        "book": book,
        "form": form,
        "accounts": accounts,
        "names": names,
        "statements": [row for row in accounts if row.name == request.GET.get("account")],
    }
    if not form.is_valid():
        return render(request, "donations/ledger.html", context, status=400)
    return render(request, "donations/ledger.html", context | _filtered(book, form.cleaned_data))


@require_GET
def entry(request: HttpRequest, slug: str, sequence: int) -> HttpResponse:
    """Show one entry: in words, in figures, and its line as it is stored."""
    book = get_object_or_404(Book.objects.public(), organisation__slug=slug)
    entries = Entry.objects.of(book.organisation).with_corrections()
    found: Any = entries.filter(sequence=sequence).first()
    if found is None:
        context = {"book": book, "organisation": book.organisation, "sequence": sequence}
        return render(request, "donations/no_entry.html", context, status=404)
    context = {
        "organisation": book.organisation,
        "book": book,
        "entry": found,
        "facts": _facts(found),
        **seal_of(found),
        "correction": entries.filter(sequence=found.corrected_by).first(),
        "erasure": erasure_of(found),
        "names": Fund.objects.names(book.organisation),
        "donors": Donation.objects.of(book.organisation).names_shown([sequence]),
        "previous": sequence - 1 if sequence else None,
        "next": sequence + 1 if sequence + 1 < book.size else None,
    }
    return render(request, "donations/entry.html", context)


@require_GET
def entry_code(request: HttpRequest, slug: str, sequence: int) -> HttpResponse:
    """Draw the QR code that leads to where an entry is verified, with the key to do it."""
    book = get_object_or_404(Book.objects.public(), organisation__slug=slug, size__gt=sequence)
    query = urlencode({"organisation": slug, "entry": sequence})
    # What is after the # stays in the browser: a code on paper is the donor's own copy of the key.
    link = f"{settings.BASE_URL}{reverse('verify')}?{query}#{vkey_of(book.organisation_id)}"
    drawing = segno.make(link, micro=False).svg_inline(border=0, omitsize=True)
    response = HttpResponse(drawing.replace("<svg", SVG, 1), content_type="image/svg+xml")
    response["Cache-Control"] = "public, max-age=86400"
    return response


@require_GET
def account(request: HttpRequest, slug: str, currency: str, name: str) -> HttpResponse:
    """Show what moved on one account, the newest first, and what was there after each entry."""
    book = get_object_or_404(Book.objects.public(), organisation__slug=slug)
    organisation = book.organisation
    accounts = Account.objects.of(organisation).money()
    found = get_object_or_404(accounts.named(name, currency))
    form = Pages(request.GET)
    context: dict[str, Any] = {
        "organisation": organisation,
        "account": found,
        "others": accounts.filter(name=name).exclude(currency=currency),
        "form": form,
        "names": Fund.objects.names(organisation),
    }
    if not form.is_valid():
        return render(request, "donations/account.html", context, status=400)
    context |= _page(organisation, found.legs(), **form.cleaned_data)
    found.with_balances(context["entries"])
    return render(request, "donations/account.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def donate(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask what to give; take the promise down and send the donor to the payment page."""
    book = get_object_or_404(Book.objects.public(), organisation__slug=slug)
    organisation = book.organisation
    currencies = currencies_of(organisation)
    wanted = request.POST.get("currency") or request.GET.get("currency")
    currency = wanted if wanted in currencies else organisation.currency
    funds = list(Fund.objects.of(organisation))
    typed = request.POST if request.method == "POST" else None
    first = {"fund": request.GET.get("fund")}
    form = GiftForm(typed, funds=funds, currency=currency, initial=first)
    status = 400 if form.is_bound else 200
    if form.is_valid():
        try:
            return _promise(book, form)
        except DomainError as error:
            form.add_error(None, ValidationError(_sentence(error), error.code))
            status = error.status
    context = {
        "organisation": organisation,
        "funds": funds,
        "accounts": list(Account.objects.of(organisation).money()),
        "currencies": currencies,
        "form": form,
        "key": _key(form),
    }
    return render(request, "donations/donate.html", context, status=status)


@never_cache
@require_GET
def donation_detail(request: HttpRequest, donation_id: str) -> HttpResponse:
    """Show the donor, and nobody else, what became of a gift."""
    donation = _own_gift(request, donation_id)
    rows = Entry.objects.of(donation.organisation).of_gift(donation.id).with_corrections()
    entries = list(rows) if donation.sequence else []
    entry = next((row for row in entries if row.sequence == donation.sequence), None)
    seal = seal_of(entry) if entry else {}
    context = {
        "donation": donation,
        "organisation": donation.organisation,
        "entries": entries,
        "entry": entry,
        **seal,
        "donors": {donation.sequence: "You"},
        "openings": Opening.objects.of(entry) if entry else (),
        "purpose": f"fund:{donation.fund}",
        "names": Fund.objects.names(donation.organisation),
        "refresh_seconds": _refresh_seconds(donation, is_proven=not entry or _is_proven(seal)),
    }
    return _private(render(request, "donations/donation_detail.html", context))


@never_cache
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
    return _private(response)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def donation_erase(request: HttpRequest, donation_id: str) -> HttpResponse:
    """Ask the donor once more, then erase who gave."""
    donation = _own_gift(request, donation_id)
    if request.method == "POST":
        erase_donor(donation=donation)
    if request.method == "POST" or donation.erased_at:
        response = redirect(journey_url(donation))
        response.status_code = SEE_OTHER
        return _private(response)
    context = {"donation": donation, "organisation": donation.organisation}
    return _private(render(request, "donations/erase.html", context))


def _own_gift(request: HttpRequest, donation_id: str) -> Donation:
    donation = get_object_or_404(Donation.objects.select_related("organisation"), id=donation_id)
    if not donation.is_opened_by(request.GET.get("token", "")):
        raise Http404
    return donation


def _private(response: HttpResponse) -> HttpResponse:
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _filtered(book: Book, wanted: dict[str, Any]) -> dict[str, Any]:
    filters = {name: wanted[name] for name in ("operation", "account", "since", "until")}
    entries = Entry.objects.of(book.organisation).matching(**filters)
    query = urlencode({name: str(value) for name, value in filters.items() if value})
    page = _page(book.organisation, entries, wanted["before"], wanted["after"], query)
    shown = page["entries"]
    return {
        **page,
        "first": shown[-1].sequence if shown else None,
        "last": shown[0].sequence if shown else None,
        "is_filtered": bool(query),
    }


def _page(
    organisation: Organisation,
    entries: LineQuerySet[Any],
    before: int | None,
    after: int | None,
    query: str = "",
) -> dict[str, Any]:
    found = entries.with_corrections().newest(ENTRIES_A_PAGE + 1, before=before, after=after)
    # One more than fits tells that there is another page; it is the one farthest from here.
    is_more = len(found) > ENTRIES_A_PAGE
    shown = found[is_more:] if after is not None else found[:ENTRIES_A_PAGE]
    gifts = Donation.objects.of(organisation)
    return {
        "entries": shown,
        "donors": gifts.names_shown(row.sequence for row in shown),
        **_neighbours(
            shown,
            query,
            has_newer=is_more if after is not None else before is not None,
            has_older=is_more if after is None else True,
        ),
    }


def _facts(entry: Entry) -> dict[str, Any]:
    # What an attestation says of each account has a table of its own.
    is_attestation = entry.operation == MoneyOperation.BALANCE_ATTESTATION
    metadata = entry.metadata.items()
    return {name: it for name, it in metadata if not (is_attestation and isinstance(it, dict))}


def _neighbours(
    shown: Sequence[Entry], query: str, *, has_newer: bool, has_older: bool
) -> dict[str, str]:
    if not shown:
        return {"newer": "", "older": ""}
    query = f"{query}&" if query else ""
    return {
        "newer": f"?{query}after={shown[0].sequence}" if has_newer else "",
        "older": f"?{query}before={shown[-1].sequence}" if has_older else "",
    }


def _promise(book: Book, form: GiftForm) -> HttpResponse:
    gift = form.cleaned_data
    promised = promise_donation(
        organisation=book.organisation,
        amount=gift["minor"],
        currency=form.currency_code,
        flow=Donation.Flow.CHECKOUT,
        fund=gift["fund"],
        donor_email=gift["email"],
        public_name=gift["name"],
        idempotency_key=f"form:{gift['key']}",
    )
    donation = promised.donation
    is_open = donation.status == Donation.Status.PENDING
    response = redirect(donation.checkout_url if is_open else journey_url(donation))
    response.status_code = SEE_OTHER
    return response


def _sentence(error: DomainError) -> str:
    if isinstance(error, IdempotencyConflict):
        return "You changed the gift after sending it once. Send it again to give what stands here."
    return str(error)


def _key(form: GiftForm) -> str:
    if not form.is_bound or form.has_error(NON_FIELD_ERRORS, IdempotencyConflict.code):
        return new_key()
    return str(form.cleaned_data.get("key") or new_key())


def _is_proven(seal: dict[str, Any]) -> bool:
    witnessed: Witnessed | None = seal["witnessed"]
    return witnessed is not None and not witnessed.is_awaited


def _refresh_seconds(donation: Donation, *, is_proven: bool) -> int | None:
    # Quickly while somebody waits; a page that was left open asks twice a minute.
    if donation.status not in UNSETTLED and is_proven:
        return None
    waited = timezone.now() - (donation.paid_at or donation.created_at)
    return 2 if waited.total_seconds() < FRESH_SECONDS else 30
