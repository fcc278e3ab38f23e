"""The members' pages about credits: applications, owners and their balances, what gifts grant."""

import re
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from common.errors import DomainError
from common.money import exponent_of
from common.pages import see_other
from credits import services
from credits.forms import ON, GrantRuleForm
from credits.handles import HandleUnknown, handle_of, owner_of
from credits.models import OWNER, CreditGrant, GrantRule, Owner, owners_of, totals_of
from ledger.models import PUBLIC, Book
from organisations.access import Right, may, members_only
from organisations.models import Membership, Organisation

OWNERS_A_PAGE = 50
ENTRIES_A_PAGE = 50
SEQUENCE = re.compile(r"[0-9]{1,15}\Z")


@members_only(Right.LOOK)
def overview(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Show an organisation's applications, and the rules by which gifts grant credits."""
    currency = membership.organisation.currency
    usual = {
        "currency": currency,
        "minor_units_per_credit": 10 ** exponent_of(currency),
        "state": ON,
    }
    form = GrantRuleForm(applications=installed(), initial=usual)
    return show_overview(request, membership, form)


@members_only(Right.SET_UP, "POST")
def set_rule(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Set a rule, for members who may."""
    form = GrantRuleForm(request.POST, applications=installed())
    if form.is_valid():
        try:
            keep_rule(membership, form.cleaned_data)
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            return see_other("credits", membership.organisation.slug)
    return show_overview(request, membership, form, status=400)


@members_only(Right.LOOK)
def owners(request: HttpRequest, membership: Membership, application: str) -> HttpResponse:
    """List an application's owners and what they have, a page at a time."""
    book = book_of(membership.organisation, application)
    return show_owners(request, book)


@members_only(Right.LOOK, "POST")
def find(request: HttpRequest, membership: Membership, application: str) -> HttpResponse:
    """Go to the owner with exactly this id; it is posted, so that it stands in no URL."""
    book = book_of(membership.organisation, application)
    wanted = Owner(book.organisation, application, request.POST.get("owner_id", ""))
    if not wanted.exists():
        return show_owners(request, book, wanted=wanted.id)
    return see_other("credit-owner", book.organisation.slug, application, handle_of(wanted))


@members_only(Right.LOOK)
def owner(
    request: HttpRequest, membership: Membership, application: str, handle: str
) -> HttpResponse:
    """Show what happened to one owner's credits, newest first, with the balance after each."""
    book = book_of(membership.organisation, application)
    shown = owner_or_404(handle, book)
    before = request.GET.get("before", "")
    start = int(before) if SEQUENCE.match(before) else None
    rows = shown.with_balances(
        shown.legs().with_corrections().newest(ENTRIES_A_PAGE + 1, before=start)
    )
    context = {
        "organisation": book.organisation,
        "book": book,
        "owner": shown,
        "balance": shown.balance(),
        "entries": rows[:ENTRIES_A_PAGE],
        "is_first": start is None,
        "older": rows[ENTRIES_A_PAGE - 1].sequence if rows[ENTRIES_A_PAGE:] else None,
    }
    return render(request, "credits/owner.html", context)


def book_of(organisation: Organisation, application: str) -> Book:
    """Return the book of one of an organisation's applications, or say that there is none."""
    books = Book.objects.exclude(book=PUBLIC).select_related("organisation")
    return get_object_or_404(books, organisation=organisation, book=application)


def owner_or_404(handle: str, book: Book) -> Owner:
    """Return the owner that a URL stands for."""
    try:
        return owner_of(handle, book.organisation, book.book)
    except HandleUnknown as error:
        raise Http404 from error


def installed() -> list[str]:
    """Return the names of the applications that can grant credits."""
    return [application.book for application in services.applications()]


def keep_rule(membership: Membership, fields: dict[str, Any]) -> None:
    """Set a rule as it was typed. Raises `DomainError`."""
    services.set_grant_rule(
        organisation=membership.organisation,
        application=fields["application"],
        currency=fields["currency"],
        minor_units_per_credit=fields["minor_units_per_credit"],
        is_active=fields["state"] == ON,
        changed_by=membership.user,
    )


def show_overview(
    request: HttpRequest, membership: Membership, form: GrantRuleForm, status: int = 200
) -> HttpResponse:
    """Return the page of all applications."""
    organisation = membership.organisation
    context = {
        "organisation": organisation,
        "applications": applications_of(organisation),
        "rules": GrantRule.objects.of(organisation).select_related("changed_by"),
        "grants": CreditGrant.objects.of(organisation).counts(),
        "may_set_up": may(membership, Right.SET_UP),
        "form": form,
    }
    return render(request, "credits/overview.html", context, status=status)


def applications_of(organisation: Organisation) -> list[dict[str, Any]]:
    """Return what there is of each application: those installed, and those that left a book."""
    books = {
        book.book: book
        for book in Book.objects.filter(organisation=organisation).exclude(book=PUBLIC)
    }
    totals = totals_of(organisation)
    return [
        {**totals.get(name, {"owners": 0, "total": 0}), "name": name, "book": books.get(name)}
        for name in sorted({*books, *installed()})
    ]


def show_owners(request: HttpRequest, book: Book, wanted: str | None = None) -> HttpResponse:
    """Return the page of an application's owners; `wanted` is an id that none of them has."""
    after = request.GET.get("after", "")
    accounts = owners_of(book.organisation, book.book).order_by("name")
    if after:
        accounts = accounts.filter(name__gt=owner_or_404(after, book).account)
    found = [
        (
            Owner(book.organisation, book.book, row.name.removeprefix(OWNER)),
            row.credits - row.debits,
        )
        for row in accounts[: OWNERS_A_PAGE + 1]
    ]
    context = {
        "organisation": book.organisation,
        "book": book,
        "owners": [(owner, handle_of(owner), balance) for owner, balance in found[:OWNERS_A_PAGE]],
        "after": after,
        "next": handle_of(found[OWNERS_A_PAGE - 1][0]) if found[OWNERS_A_PAGE:] else "",
        "wanted": wanted,
    }
    return render(request, "credits/owners.html", context, status=200 if wanted is None else 404)
