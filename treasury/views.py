"""The pages about organisations and their money: all of them, each, and payouts to the bank."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from donations.models import Donation, Fund
from ledger.log import keys_of
from ledger.models import PUBLIC, Account, Book, Entry
from organisations.access import Right, members_only
from organisations.models import SLUG, Membership, Organisation
from reviews.models import PayoutHold
from treasury.models import Payout, PayoutControl, PayoutItem, StripeBalance, StripeReading
from treasury.services.ordering import is_held
from treasury.templatetags.charts import first_month

CARDS_AT_HOME = 6
CARDS_A_PAGE = 24
ENTRIES_SHOWN = 6
MONTHS_KEPT_SECONDS = 3600
PAYOUTS_A_PAGE = 50
ITEMS_A_PAGE = 100


class Card(NamedTuple):
    """An organisation in a list: its book, and what it has on hand in each currency."""

    book: Book
    on_hand: list[tuple[int, str]]


class Comparison(NamedTuple):
    """The ledger's place `stripe` beside the Stripe balance, in one currency."""

    currency: str
    ledger: int
    stripe: int | None
    read_at: datetime | None

    @property
    def is_equal(self) -> bool:
        """Tell whether they agree, to the smallest unit."""
        return self.ledger == self.stripe


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Say what this is, with the balance of the longest book and some organisations."""
    books = Book.objects.public()
    longest = books.order_by("-size", "organisation__slug").first()
    context = {
        "book": longest,
        "accounts": _accounts(longest) if longest else [],
        "names": Fund.objects.names(longest.organisation) if longest else {},
        "cards": _cards(books[:CARDS_AT_HOME]),
    }
    return render(request, "treasury/home.html", context)


@require_GET
def organisation_list(request: HttpRequest) -> HttpResponse:
    """List the approved organisations by name, a page at a time from `after` a slug."""
    after = request.GET.get("after", "")
    books = Book.objects.public()
    if SLUG.match(after):
        books = books.filter(organisation__slug__gt=after)
    found = list(books[: CARDS_A_PAGE + 1])
    context = {
        "cards": _cards(found[:CARDS_A_PAGE]),
        "after": after,
        "next": found[CARDS_A_PAGE - 1].organisation.slug if found[CARDS_A_PAGE:] else "",
    }
    return render(request, "treasury/organisation_list.html", context)


@require_GET
def organisation_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """Show an organisation: where its money is and what it is for, its funds, its last entries."""
    book = get_object_or_404(Book.objects.public(), organisation__slug=slug)
    organisation, accounts = book.organisation, _accounts(book)
    entries = Entry.objects.of(organisation).with_corrections().newest(ENTRIES_SHOWN)
    donors = Donation.objects.of(organisation).names_shown(entry.sequence for entry in entries)
    context = {
        "organisation": organisation,
        "book": book,
        "accounts": accounts,
        "set_aside": Entry.objects.of(organisation).set_aside(),
        "names": Fund.objects.names(organisation),
        "comparisons": _comparisons(book, accounts),
        "reading": StripeReading.objects.filter(organisation=organisation).first(),
        "months": _months(book, accounts),
        "funds": Fund.objects.of(organisation),
        "entries": entries,
        "donors": donors,
        "keys": keys_of(organisation.pk)[::-1],
    }
    return render(request, "treasury/organisation_detail.html", context)


@require_GET
def payout_list(request: HttpRequest, slug: str) -> HttpResponse:
    """List what an organisation's Stripe balance sent to its bank, the newest first."""
    book = get_object_or_404(Book.objects.public(), organisation__slug=slug)
    context = _payouts(request, book.organisation)
    return render(request, "treasury/payout_list.html", context)


@require_GET
def payout_detail(request: HttpRequest, slug: str, payout: str) -> HttpResponse:
    """Show what one payout is made of, added up to the cent; its rows a page at a time."""
    book = get_object_or_404(Book.objects.public(), organisation__slug=slug)
    payouts = Payout.objects.of(book.organisation)
    found = get_object_or_404(payouts.select_related("organisation"), stripe_id=payout)
    inside = PayoutItem.objects.inside(found)
    after = inside.filter(stripe_id=request.GET.get("after", "")).first()
    rows = inside.after(after) if after else inside
    items = list(rows.with_entries()[: ITEMS_A_PAGE + 1])
    later = payouts.filter(stripe_id__in=PayoutItem.objects.bringing(found).values("payout"))
    context = {
        "organisation": book.organisation,
        "payout": found,
        "sums": list(inside.sums()),
        "items": items[:ITEMS_A_PAGE],
        "is_first": after is None,
        "next": items[ITEMS_A_PAGE - 1].stripe_id if items[ITEMS_A_PAGE:] else "",
        "later": later.newest().first(),
    }
    return render(request, "treasury/payout_detail.html", context)


@members_only(Right.LOOK)
def console_payouts(request: HttpRequest, membership: Membership) -> HttpResponse:
    """List payouts for members, with what only they may know: the bank, and why one came back."""
    organisation = membership.organisation
    context = {
        **_payouts(request, organisation),
        "hold": PayoutHold.objects.of(organisation).in_force().first(),
        "control": PayoutControl.objects.filter(organisation=organisation).first(),
        "is_held": is_held(organisation),
        "support": settings.SUPPORT_EMAIL,
    }
    return render(request, "treasury/console_payouts.html", context)


def _payouts(request: HttpRequest, organisation: Organisation) -> dict[str, Any]:
    payouts = Payout.objects.of(organisation).newest()
    before = payouts.filter(stripe_id=request.GET.get("before", "")).first()
    found = list((payouts.before(before) if before else payouts)[: PAYOUTS_A_PAGE + 1])
    return {
        "organisation": organisation,
        "payouts": found[:PAYOUTS_A_PAGE],
        "is_first": before is None,
        "older": found[PAYOUTS_A_PAGE - 1].stripe_id if found[PAYOUTS_A_PAGE:] else "",
    }


def _accounts(book: Book) -> list[Any]:
    return list(Account.objects.of(book.organisation).money())


def _cards(books: Iterable[Book]) -> list[Card]:
    books = list(books)
    ids = [book.organisation_id for book in books]
    on_hand: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    places = Account.objects.filter(organisation_id__in=ids, book=PUBLIC, kind=Account.Kind.PLACE)
    rows: Iterable[Any] = places.money()
    for account in rows:
        on_hand[account.organisation_id][account.currency] += account.amount
    return [Card(book, _sums(book, on_hand[book.organisation_id])) for book in books]


def _sums(book: Book, sums: dict[str, int]) -> list[tuple[int, str]]:
    main = book.organisation.currency
    others = [(amount, currency) for currency, amount in sums.items() if currency != main]
    return [(sums.get(main, 0), main), *(other for other in others if other[0])]


def _comparisons(book: Book, accounts: Iterable[Any]) -> list[Comparison]:
    ledger = {row.currency: row.amount for row in accounts if row.name == "stripe"}
    balances = StripeBalance.objects.filter(organisation=book.organisation)
    stripe = {balance.currency: balance for balance in balances}
    return [
        Comparison(
            currency,
            ledger.get(currency, 0),
            stripe[currency].total if currency in stripe else None,
            stripe[currency].read_at if currency in stripe else None,
        )
        for currency in sorted(ledger.keys() | stripe.keys())
    ]


def _months(book: Book, accounts: Iterable[Any]) -> Any:
    # What a book says of its months follows from its head: a new entry is a new key.
    since = first_month()
    places = {account.name for account in accounts if account.kind == Account.Kind.PLACE}
    return caches["memory"].get_or_set(
        f"months:{book.organisation_id}:{since:%Y-%m}:{book.head_hash}",
        lambda: Entry.objects.of(book.organisation).by_month(since=since, places=places),
        MONTHS_KEPT_SECONDS,
    )
