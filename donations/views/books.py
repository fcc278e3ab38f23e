"""The pages of a public book: its entries, one of them, its accounts."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import segno
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from donations.forms.entries import EntryFilter, Pages
from donations.models import Donation, Fund
from ledger.log import erasure_of, seal_of, vkey_of
from ledger.models import Account, Book, Entry, LineQuerySet
from ledger.operations import MoneyOperation
from organisations.models import Organisation

ENTRIES_A_PAGE = 50
SVG = '<svg xmlns="http://www.w3.org/2000/svg"'


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
