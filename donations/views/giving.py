"""The page on which a gift is made."""

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from common.errors import DomainError
from common.pages import client_address, see_other
from common.stripe_api import StripeRefused
from donations.door import challenge, challenge_at_the_door
from donations.errors import GiftBlocked, GiftChallenged, IdempotencyConflict
from donations.forms.gifts import KEY, GiftForm, new_key
from donations.forms.numbers import LOCALES, locale_for
from donations.models import Donation, Fund
from donations.models.fees import measured_fee
from donations.models.giving import terms_of
from donations.services.crowds import place_among
from donations.services.promises import journey_url, promise_donation
from donations.services.screening import Visitor, stop_early
from ledger.models import Account, Book, Entry
from reviews.services.visitors import challenges_everybody

TOO_SMALL = "amount_too_small"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def donate(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask what to give; take the promise down and send the donor to the payment page."""
    book = get_object_or_404(Book.objects.public(), organisation__slug=slug)
    if request.method != "POST":
        return _show(request, book)
    try:
        with place_among(book.organisation):
            stop_early(
                book.organisation,
                email=request.POST.get("email", ""),
                idempotency_key=_sent_before(request),
                visitor=_visitor(request),
            )
            return _show(request, book)
    except (GiftChallenged, GiftBlocked) as error:
        return _stopped(request, book, error)


def locale_of(request: HttpRequest) -> str:
    """Return how a page writes numbers: what was typed is read as the page showed it."""
    shown = request.POST.get("locale")
    if shown in LOCALES:
        return str(shown)
    return locale_for(request.headers.get("Accept-Language", ""))


def _show(request: HttpRequest, book: Book) -> HttpResponse:
    organisation = book.organisation
    offered = terms_of(organisation)
    wanted = request.POST.get("currency") or request.GET.get("currency") or ""
    terms = offered.get(wanted) or next(iter(offered.values()))
    funds = list(Fund.objects.of(organisation))
    typed = request.POST if request.method == "POST" else None
    first = {name: request.GET.get(name) for name in ("fund", "amount")}
    form = GiftForm(typed, funds=funds, terms=terms, locale=locale_of(request), initial=first)
    status = 400 if form.is_bound else 200
    if form.is_valid():
        try:
            return _promise(request, book, form)
        except (GiftChallenged, GiftBlocked):
            raise
        except DomainError as error:
            form.add_error(None, ValidationError(_sentence(error), error.code))
            status = error.status
    context = {
        "organisation": organisation,
        "funds": funds,
        "accounts": list(Account.objects.of(organisation).money()),
        "set_aside": Entry.objects.of(organisation).set_aside(),
        "currencies": list(offered),
        "fee": measured_fee(book, terms.currency),
        "form": form,
        "key": _key(form),
    }
    return render(request, "donations/donate.html", context, status=status)


def _promise(request: HttpRequest, book: Book, form: GiftForm) -> HttpResponse:
    gift = form.cleaned_data
    promised = promise_donation(
        organisation=book.organisation,
        amount=gift["minor"],
        currency=form.currency_code,
        flow=Donation.Flow.CHECKOUT,
        interval=gift["interval"],
        fund=gift["fund"],
        donor_email=gift["email"],
        public_name=gift["name"],
        idempotency_key=_promise_key(gift["key"]),
        visitor=_visitor(request),
    )
    donation = promised.donation
    is_open = donation.status == Donation.Status.PENDING
    return see_other(donation.checkout_url if is_open else journey_url(donation))


def _visitor(request: HttpRequest) -> Visitor:
    return Visitor(
        address=client_address(request),
        # The form was sent with it, so every browser has one.
        session=str(request.META.get("CSRF_COOKIE", "")),
        puzzle=request.POST.get("puzzle", ""),
        solution=request.POST.get("solution", ""),
    )


def _sent_before(request: HttpRequest) -> str | None:
    key = request.POST.get("key", "")
    return _promise_key(key) if KEY.match(key) else None


def _promise_key(key: str) -> str:
    return f"form:{key}"


def _stopped(request: HttpRequest, book: Book, error: GiftChallenged | GiftBlocked) -> HttpResponse:
    context = {"organisation": book.organisation, "support": settings.SUPPORT_EMAIL}
    if isinstance(error, GiftBlocked):
        return render(request, "donations/blocked.html", context, status=error.status)
    if challenges_everybody(book.organisation):
        challenge_at_the_door(book.organisation.slug, context)
    return challenge(request, context)


def _sentence(error: DomainError) -> str:
    if isinstance(error, IdempotencyConflict):
        return "You changed the gift after sending it once. Send it again to give what stands here."
    if isinstance(error, StripeRefused) and TOO_SMALL in str(error):
        # It depends on the currency in which the account settles, and on the rate of the day.
        return "Stripe charges no amount as small as this in your currency. Give a larger one."
    return str(error)


def _key(form: GiftForm) -> str:
    if not form.is_bound or form.has_error(NON_FIELD_ERRORS, IdempotencyConflict.code):
        return new_key()
    return str(form.cleaned_data.get("key") or new_key())
