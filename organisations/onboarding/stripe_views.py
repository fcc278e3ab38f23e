"""The Stripe account of an organisation: how it stands, the ways to Stripe and back."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from common.errors import DomainError
from common.pages import see_other
from organisations.access import Right, may, members_only, membership_of
from organisations.errors import ConnectionRefused
from organisations.models import Membership, Organisation
from organisations.onboarding.views import account_of
from organisations.services import account_states, connecting

CODE_LENGTH_MAX = 200


@members_only(Right.SET_UP)
def stripe_account(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Show how the account stands."""
    return render(request, "organisations/stripe_account.html", account_of(membership))


@members_only(Right.CONNECT, "POST")
def open_account(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Send an owner to the page on which Stripe asks what it wants to know."""
    return _to_stripe(request, membership, connecting.open_account)


@members_only(Right.CONNECT)
def refresh(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Send an owner to Stripe again: the link that led there was used or too old."""
    if not membership.organisation.stripe_account:
        return _home(membership.organisation)
    return _to_stripe(request, membership, connecting.open_account)


@members_only(Right.SET_UP)
def back(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Take a member back from Stripe, and read what Stripe knows now."""
    organisation = membership.organisation
    if organisation.stripe_account:
        _read(request, organisation)
    return _home(organisation)


@members_only(Right.CONNECT, "POST")
def connect(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Send an owner to Stripe, to choose an account that is there."""

    def begin(*, organisation: Organisation) -> str:
        return connecting.begin_connecting(
            organisation=organisation, session_key=str(request.session.session_key)
        )

    return _to_stripe(request, membership, begin)


@never_cache
@login_required
@require_GET
def connected(request: HttpRequest) -> HttpResponse:
    """End the way to Stripe and back: connect the account that was chosen, or say why not."""
    try:
        organisation = connecting.end_attempt(
            state=request.GET.get("state", ""), session_key=str(request.session.session_key)
        )
        if not may(membership_of(request, organisation.slug), Right.CONNECT):
            raise ConnectionRefused("Only an owner connects the Stripe account.")
        if request.GET.get("error") or not request.GET.get("code"):
            raise ConnectionRefused("You said no at Stripe, so nothing was connected.")
        code = request.GET["code"][:CODE_LENGTH_MAX]
        organisation = connecting.connect_account(organisation=organisation, code=code)
    except DomainError as error:
        context = {"sentence": str(error)}
        return render(request, "organisations/not_connected.html", context, status=error.status)
    _read(request, organisation)
    return _home(organisation)


def _read(request: HttpRequest, organisation: Organisation) -> None:
    try:
        account_states.read_state(organisation=organisation)
    except DomainError as error:
        messages.error(request, str(error))


def _to_stripe(
    request: HttpRequest, membership: Membership, way: Callable[..., str]
) -> HttpResponse:
    try:
        return see_other(way(organisation=membership.organisation))
    except DomainError as error:
        messages.error(request, str(error))
        return _home(membership.organisation)


def _home(organisation: Organisation) -> HttpResponse:
    is_draft = organisation.status == Organisation.Status.DRAFT
    return see_other("application" if is_draft else "stripe-account", organisation.slug)
