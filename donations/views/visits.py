"""The pages on which donors see all their gifts, and change those that repeat."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.errors import DomainError
from common.pages import client_address, private, see_other
from donations.errors import TooManyLinks
from donations.forms.visits import AmountForm, LinkForm
from donations.models import Donation, DonorVisit, RecurringGift
from donations.models.visits import VISIT_LASTS
from donations.services import managing, visits
from donations.views.giving import locale_of

COOKIE = "almoner_donor"
HERE = "/me"
Arguments = ParamSpec("Arguments")


def visitors_only(
    page: Callable[Concatenate[HttpRequest, DonorVisit, RecurringGift, Arguments], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Open a page of a gift that repeats to its donor; who is not let in begins at `/me`."""

    @private
    @wraps(page)
    def guarded(
        request: HttpRequest, recurring_id: str, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> HttpResponse:
        visit = _visit(request)
        if visit is None:
            return see_other("me")
        own = RecurringGift.objects.by(visit.email)
        return page(request, visit, get_object_or_404(own, id=recurring_id), *args, **kwargs)

    return guarded


@private
@require_http_methods(["GET", "HEAD", "POST"])
def me(request: HttpRequest) -> HttpResponse:
    """Show a donor's gifts to who came by their link; ask everybody else for an address."""
    visit = _visit(request)
    if visit is not None and request.method != "POST":
        return _gifts(request, visit)
    form = LinkForm(request.POST if request.method == "POST" else None)
    status = 400 if form.is_bound else 200
    if form.is_valid():
        try:
            sender = client_address(request)
            visits.ask_for_link(email=form.cleaned_data["email"], sender=sender)
            return see_other(f"{reverse('me')}?asked")
        except TooManyLinks as error:
            form.add_error(None, str(error))
            status = error.status
    context = {"form": form, "asked": "asked" in request.GET}
    return render(request, "donations/me.html", context, status=status)


@private
@require_http_methods(["GET", "HEAD", "POST"])
def open_link(request: HttpRequest) -> HttpResponse:
    """
    Ask who came by a mailed link to press a button, and let them in.

    Programs that look into mail open links, but press nothing.
    """
    if request.method == "POST":
        visit_pass = visits.open_visit(token=request.POST.get("token", ""))
        if visit_pass:
            return _with_pass(see_other("me"), visit_pass)
    token = request.GET.get("token", "")
    is_good = request.method != "POST" and visits.link_is_good(token)
    context = {"token": token if is_good else ""}
    return render(request, "donations/me_open.html", context, status=200 if is_good else 410)


@private
@require_POST
def close(request: HttpRequest) -> HttpResponse:
    """End the donor's visit."""
    visit = _visit(request)
    if visit is not None:
        visits.close_visit(visit=visit)
    response = see_other("me")
    response.delete_cookie(COOKIE, path=HERE)
    return response


@require_POST
@visitors_only
def pause(request: HttpRequest, visit: DonorVisit, recurring: RecurringGift) -> HttpResponse:
    """Take nothing for a while."""
    return _change(request, visit, lambda: managing.pause(recurring=recurring))


@require_POST
@visitors_only
def resume(request: HttpRequest, visit: DonorVisit, recurring: RecurringGift) -> HttpResponse:
    """Go on."""
    return _change(request, visit, lambda: managing.resume(recurring=recurring))


@require_http_methods(["GET", "HEAD", "POST"])
@visitors_only
def amount(request: HttpRequest, _visit: DonorVisit, recurring: RecurringGift) -> HttpResponse:
    """Ask for another amount, and give it from the next payment on."""
    typed = request.POST if request.method == "POST" else None
    form = AmountForm(typed, recurring=recurring, locale=locale_of(request))
    status = 400 if form.is_bound else 200
    if form.is_valid():
        try:
            managing.change_amount(recurring=recurring, amount=form.cleaned_data["amount"])
            return see_other("me")
        except DomainError as error:
            form.add_error(None, str(error))
            status = error.status
    context = {"form": form, "recurring": recurring}
    return render(request, "donations/recurring_amount.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@visitors_only
def cancel(request: HttpRequest, visit: DonorVisit, recurring: RecurringGift) -> HttpResponse:
    """Ask once more, then end a gift for ever."""
    if request.method == "POST":
        return _change(request, visit, lambda: managing.cancel(recurring=recurring))
    return render(request, "donations/recurring_cancel.html", {"recurring": recurring})


@private
@require_GET
def mend(request: HttpRequest, recurring_id: str) -> HttpResponse:
    """Send a donor from a mail to Stripe's page where the payment that failed is made."""
    every = RecurringGift.objects.select_related("organisation")
    recurring = get_object_or_404(every, id=recurring_id)
    if not recurring.is_opened_by(request.GET.get("token", "")):
        raise Http404
    try:
        return redirect(managing.mend(recurring=recurring))
    except DomainError as error:
        context = {"recurring": recurring, "problem": str(error)}
        return render(request, "donations/recurring_mend.html", context, status=error.status)


def _visit(request: HttpRequest) -> DonorVisit | None:
    return visits.visitor(request.COOKIES.get(COOKIE, ""))


def _change(request: HttpRequest, visit: DonorVisit, change: Callable[[], Any]) -> HttpResponse:
    try:
        change()
    except DomainError as error:
        return _gifts(request, visit, problem=str(error), status=error.status)
    return see_other("me")


def _gifts(
    request: HttpRequest, visit: DonorVisit, *, problem: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "visit": visit,
        "problem": problem,
        "recurring_gifts": RecurringGift.objects.by(visit.email),
        "donations": Donation.objects.by(visit.email),
    }
    return render(request, "donations/me_gifts.html", context, status=status)


def _with_pass(response: HttpResponse, visit_pass: str) -> HttpResponse:
    response.set_cookie(
        COOKIE,
        visit_pass,
        max_age=VISIT_LASTS,
        path=HERE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response
