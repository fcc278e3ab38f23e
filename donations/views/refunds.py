"""Giving a gift back: what it will cost is read and confirmed before anybody asks Stripe."""

from typing import Any, NamedTuple

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from common.errors import DomainError
from common.pages import see_other
from donations.errors import RefundDiffers
from donations.forms.console import RefundForm
from donations.forms.gifts import new_key
from donations.models import Donation, RefundRequest
from donations.services.refunding import request_refund
from donations.services.refunds import Wish, unbooked_refunds
from donations.views.console import charge_of, entries_of, frame, gift_or_404, left_of
from donations.views.giving import locale_of
from ledger.models import Account, Entry
from organisations.access import Right, members_only
from organisations.models import Membership, User

DEBIT = "py_"


class Gift(NamedTuple):
    """What the pages show of a gift; `under_way` is on its way back and no entry yet."""

    donation: Donation
    entries: list[Entry]
    under_way: int


@members_only(Right.REFUND, "GET", "HEAD", "POST")
def refund(request: HttpRequest, membership: Membership, donation_id: str) -> HttpResponse:
    """Ask how much and why; show what that means; ask Stripe once it was confirmed."""
    donation = gift_or_404(membership, donation_id)
    entries = entries_of(donation)
    under_way = unbooked_refunds(donation, entries)
    gift = Gift(donation, entries, sum(each.amount for each in under_way))
    left, why_not = left_of(donation, under_way)
    typed = request.POST if request.method == "POST" else None
    first, locale = {"key": new_key()}, locale_of(request)
    form = RefundForm(typed, donation=donation, left=left, locale=locale, initial=first)
    status = 400 if form.is_bound else 200
    if form.is_valid():
        if form.cleaned_data["confirmed"]:
            try:
                return _give_back(membership, donation, form)
            except DomainError as error:
                form.add_error(None, ValidationError(_sentence(error), error.code))
                status, why_not = error.status, left_of(donation)[1]
        elif not why_not:
            return _show(request, membership, form, gift, page="confirm")
    if why_not:
        context = {**frame(membership), "donation": donation, "why_not": why_not}
        return render(request, "donations/console/not_refundable.html", context, status=409)
    return _show(request, membership, form, gift, page="refund", status=status)


def _give_back(membership: Membership, donation: Donation, form: RefundForm) -> HttpResponse:
    assert isinstance(membership.user, User)
    wanted = form.cleaned_data
    wish = Wish(
        amount=wanted["minor"],
        reason=wanted["reason"],
        note=wanted["note"],
        key=f"form:{wanted['key']}",
        requested_by=membership.user,
    )
    request_refund(organisation=donation.organisation, donation_id=donation.id, wish=wish)
    return see_other("gift", donation.organisation.slug, donation.id)


def _sentence(error: DomainError) -> str:
    if isinstance(error, RefundDiffers):
        return "You changed the refund after sending it once. Look at it again and confirm it."
    return str(error)


def _show(
    request: HttpRequest,
    membership: Membership,
    form: RefundForm,
    gift: Gift,
    *,
    page: str,
    status: int = 200,
) -> HttpResponse:
    is_other = form.is_bound and form.has_error(NON_FIELD_ERRORS, RefundDiffers.code)
    context: dict[str, Any] = {
        **frame(membership),
        **gift._asdict(),
        "form": form,
        "key": new_key() if is_other else form["key"].value(),
        "left": form.left,
        "on_stripe": _on_stripe(gift.donation),
        "is_debit": charge_of(gift.donation, gift.entries).startswith(DEBIT),
    }
    if page == "confirm":
        context |= {
            "reason": RefundRequest.Reason(form.cleaned_data["reason"]).label,
            "returned": gift.under_way + form.cleaned_data["minor"],
        }
    return render(request, f"donations/console/{page}.html", context, status=status)


def _on_stripe(donation: Donation) -> int:
    accounts = Account.objects.of(donation.organisation).money()
    found: Any = accounts.named("stripe", donation.settled_currency).first()
    return found.amount if found else 0
