"""The members' pages about gifts: the start of the console, all gifts, and each."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from common.pages import see_other
from donations.errors import NotRefundable
from donations.forms.console import FindGift, GiftFilter
from donations.models import Donation, Fund, RefundRequest
from donations.services.refunds import left_to_refund, unbooked_refunds
from ledger.models import Account, Entry
from organisations.access import Right, may, members_only
from organisations.models import Membership

GIFTS_A_PAGE = 50
GIFTS_SHOWN = 6
DISPUTES_SHOWN = 10
CAME_BACK = timedelta(days=30)
STRIPE = "https://dashboard.stripe.com"


@members_only(Right.LOOK)
def overview(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Begin: what waits for somebody, where the money is, and the last gifts."""
    organisation = membership.organisation
    gifts = Donation.objects.of(organisation)
    watched = RefundRequest.objects.of(organisation).to_watch(timezone.now() - CAME_BACK)
    context = {
        **frame(membership),
        "disputed": gifts.matching(status=Donation.Status.DISPUTED).newest(DISPUTES_SHOWN),
        "refunds": watched.select_related("donation"),
        "accounts": list(Account.objects.of(organisation).money()),
        "gifts": gifts.newest(GIFTS_SHOWN),
    }
    return render(request, "donations/console/overview.html", context)


@members_only(Right.LOOK)
def gifts(request: HttpRequest, membership: Membership) -> HttpResponse:
    """List an organisation's gifts, newest first, filtered and a page at a time."""
    return show_gifts(request, membership, FindGift(may_see_donors=may_see_donors(membership)))


@members_only(Right.LOOK, "POST")
def find(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Find a gift by its id or by who gave; it is posted, so that it stands in no URL."""
    form = FindGift(request.POST, may_see_donors=may_see_donors(membership))
    if not form.is_valid():
        return show_gifts(request, membership, form, status=400)
    own, wanted = Donation.objects.of(membership.organisation), form.cleaned_data["wanted"]
    if form.is_for_an_address:
        found = own.given_by(wanted).newest(GIFTS_A_PAGE)
        context = {**frame(membership), "find": form, "gifts": found, "most": GIFTS_A_PAGE}
        status = 200 if found else 404
        return render(request, "donations/console/found.html", context, status=status)
    if own.filter(id=wanted).exists():
        return see_other("gift", membership.organisation.slug, wanted)
    form.add_error("wanted", "Your organisation has no gift with this id.")
    return show_gifts(request, membership, form, status=404)


@members_only(Right.LOOK)
def gift(request: HttpRequest, membership: Membership, donation_id: str) -> HttpResponse:
    """Show what became of one gift, and what can be done about it."""
    donation = gift_or_404(membership, donation_id)
    entries = entries_of(donation)
    under_way = unbooked_refunds(donation, entries)
    charge = charge_of(donation, entries)
    context = {
        **frame(membership),
        "donation": donation,
        "entries": entries,
        "donors": {donation.sequence: donation.public_name},
        "charge": charge,
        "stripe_url": stripe_url(donation, charge),
        "refunds": RefundRequest.objects.of_gift(donation).select_related("requested_by"),
        "refunds_under_way": under_way,
        "may_refund": may(membership, Right.REFUND),
        "why_not": left_of(donation, under_way)[1],
    }
    return render(request, "donations/console/gift.html", context)


def frame(membership: Membership) -> dict[str, Any]:
    """Return what every page about gifts shows of the organisation, and may show of donors."""
    return {
        "organisation": membership.organisation,
        "names": Fund.objects.names(membership.organisation),
        "may_see_donors": may_see_donors(membership),
    }


def may_see_donors(membership: Membership) -> bool:
    """Tell whether a member may know who gave."""
    return may(membership, Right.SEE_DONORS)


def show_gifts(
    request: HttpRequest, membership: Membership, find: FindGift, status: int = 200
) -> HttpResponse:
    """Return the page of all gifts; `find` is the form that looks for some of them."""
    funds = list(Fund.objects.of(membership.organisation))
    form = GiftFilter(request.GET, funds=funds)
    context = {**frame(membership), "find": find, "form": form}
    if not form.is_valid():
        return render(request, "donations/console/gifts.html", context, status=400)
    before = form.cleaned_data.pop("before")
    wanted = Donation.objects.of(membership.organisation).matching(**form.cleaned_data)
    found = wanted.newest(GIFTS_A_PAGE + 1, before=before)
    chosen = {name: str(value) for name, value in form.cleaned_data.items() if value}
    shown = found[:GIFTS_A_PAGE]
    older = urlencode({**chosen, "before": shown[-1].id}) if found[GIFTS_A_PAGE:] else ""
    context |= {"gifts": shown, "chosen": urlencode(chosen), "older": older, "is_first": not before}
    return render(request, "donations/console/gifts.html", context, status=status)


def gift_or_404(membership: Membership, donation_id: str) -> Donation:
    """Return one of the organisation's gifts."""
    own = Donation.objects.of(membership.organisation).select_related("organisation")
    return get_object_or_404(own, id=donation_id)


def entries_of(donation: Donation) -> list[Entry]:
    """Return what the ledger has of a gift."""
    rows = Entry.objects.of(donation.organisation).of_gift(donation.id).with_corrections()
    return list(rows) if donation.sequence is not None else []


def charge_of(donation: Donation, entries: list[Entry]) -> str:
    """Return what Stripe calls the charge that paid a gift, once the ledger has it."""
    named = (row.metadata.get("charge", "") for row in entries if row.sequence == donation.sequence)
    return str(next(named, ""))


def left_of(
    donation: Donation, under_way: Iterable[RefundRequest] | None = None
) -> tuple[int, str]:
    """Return how much of a gift can be given back, and why nothing can."""
    try:
        return left_to_refund(donation, under_way), ""
    except NotRefundable as error:
        return 0, str(error)


def stripe_url(donation: Donation, charge: str) -> str:
    """Return where the payment is in Stripe's own dashboard."""
    payment, account = donation.payment_intent or charge, donation.organisation.stripe_account
    if not payment or not account:
        return ""
    mode = "" if settings.STRIPE_LIVEMODE else "/test"
    return f"{STRIPE}/{account}{mode}/payments/{payment}"
