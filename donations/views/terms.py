"""The members' page about how gifts are taken: currencies, buttons, limits."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from common.errors import DomainError, TryAgainLater
from common.money import CURRENCIES
from common.pages import see_other
from common.stripe_api import StripeRefused
from donations.errors import TermsUnusable
from donations.forms.terms import TermsForm
from donations.models import GivingCurrency
from donations.models.giving import terms_of, usual_terms
from donations.services.giving import remove_currency, set_terms
from donations.views.giving import locale_of
from organisations.access import Right, may, members_only
from organisations.models import Membership, Organisation
from organisations.services.account_states import read_state


@members_only(Right.LOOK)
def giving(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Show in which currencies gifts are taken, and a form to change one."""
    terms = _chosen(membership.organisation, request.GET.get("currency", ""))
    return _show(request, membership, TermsForm(terms=terms, locale=locale_of(request)))


@members_only(Right.SET_UP, "POST")
def set_giving(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Set how gifts in a currency are taken, and look what stands on card statements."""
    organisation = membership.organisation
    terms = _chosen(organisation, request.POST.get("currency", ""))
    form = TermsForm(request.POST, terms=terms, locale=locale_of(request))
    if not form.is_valid():
        return _show(request, membership, form, status=400)
    try:
        set_terms(organisation=organisation, **form.cleaned_data)
    except TermsUnusable as error:
        form.add_error(error.field, str(error))
        return _show(request, membership, form, status=400)
    try:
        if organisation.stripe_account:
            read_state(organisation=organisation)
    except (TryAgainLater, StripeRefused) as error:
        return _show(request, membership, form, unread=str(error), status=error.status)
    return see_other("giving", organisation.slug)


@members_only(Right.SET_UP, "POST")
def remove_giving(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Offer a currency no more."""
    organisation = membership.organisation
    try:
        remove_currency(organisation=organisation, currency=request.POST.get("currency", ""))
    except DomainError as error:
        terms = _chosen(organisation, "")
        form = TermsForm(terms=terms, locale=locale_of(request))
        return _show(request, membership, form, refused=str(error), status=error.status)
    return see_other("giving", organisation.slug)


def _chosen(organisation: Organisation, currency: str) -> GivingCurrency:
    offered = terms_of(organisation)
    if currency in CURRENCIES:
        return offered.get(currency) or usual_terms(organisation, currency)
    return next(iter(offered.values()))


def _show(
    request: HttpRequest,
    membership: Membership,
    form: TermsForm,
    *,
    unread: str = "",
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "organisation": membership.organisation,
        "terms": terms_of(membership.organisation).values(),
        "may_set_up": may(membership, Right.SET_UP),
        "form": form,
        "unread": unread,
        "refused": refused,
    }
    return render(request, "donations/giving.html", context, status=status)
