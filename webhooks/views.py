"""The members' pages about messages to their own programs: endpoints, and how deliveries went."""

import re
from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from common.errors import DomainError
from common.pages import see_other
from organisations.access import Right, members_only
from organisations.models import Membership
from webhooks.errors import EndpointGone
from webhooks.forms import EndpointForm
from webhooks.models import Delivery, Endpoint, Topic
from webhooks.services import subscribing, telling

DELIVERIES_A_PAGE = 25
DELIVERY = re.compile(r"dlv_[0-9a-z]{26}\Z")
DISABLED_BY_HAND = "Disabled on this page."


@members_only(Right.SET_UP, "GET", "POST")
def endpoints(request: HttpRequest, membership: Membership) -> HttpResponse:
    """List an organisation's endpoints, and add one; then its secret is shown, this once."""
    if request.method != "POST":
        return show_endpoints(request, membership, EndpointForm())
    form = EndpointForm(request.POST)
    if form.is_valid():
        try:
            added = subscribing.add_endpoint(
                organisation=membership.organisation,
                created_by=membership.user,
                **form.cleaned_data,
            )
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            return show_endpoint(request, added.endpoint, secret=added.secret)
    return show_endpoints(request, membership, form, status=400)


@members_only(Right.SET_UP)
def endpoint(request: HttpRequest, membership: Membership, endpoint: str) -> HttpResponse:
    """Show one endpoint, and what was sent to it, newest first."""
    return show_endpoint(request, endpoint_of(membership, endpoint))


@members_only(Right.SET_UP, "POST")
def rotate(request: HttpRequest, membership: Membership, endpoint: str) -> HttpResponse:
    """Give an endpoint a new secret, and show it this once."""
    found = endpoint_of(membership, endpoint)
    try:
        new = subscribing.rotate_secret(endpoint=found)
    except DomainError as error:
        return refused(request, found, error)
    return show_endpoint(request, new.endpoint, secret=new.secret)


@members_only(Right.SET_UP, "POST")
def test(request: HttpRequest, membership: Membership, endpoint: str) -> HttpResponse:
    """Send an endpoint a message that tells nothing."""
    found = endpoint_of(membership, endpoint)
    send = partial(telling.send_test, endpoint=found)
    return act(request, found, send, "A test message is on its way.")


@members_only(Right.SET_UP, "POST")
def disable(request: HttpRequest, membership: Membership, endpoint: str) -> HttpResponse:
    """Send nothing more to an endpoint."""
    found = endpoint_of(membership, endpoint)
    stop = partial(subscribing.disable_endpoint, endpoint=found, reason=DISABLED_BY_HAND)
    return act(request, found, stop, "The endpoint is disabled.")


@members_only(Right.SET_UP, "POST")
def enable(request: HttpRequest, membership: Membership, endpoint: str) -> HttpResponse:
    """Send to an endpoint again."""
    found = endpoint_of(membership, endpoint)
    start = partial(subscribing.enable_endpoint, endpoint=found)
    return act(request, found, start, "The endpoint is active again.")


@members_only(Right.SET_UP, "POST")
def delete(request: HttpRequest, membership: Membership, endpoint: str) -> HttpResponse:
    """End an endpoint for good."""
    found = endpoint_of(membership, endpoint)
    try:
        subscribing.delete_endpoint(endpoint=found)
    except DomainError as error:
        return refused(request, found, error)
    messages.success(request, "The endpoint was deleted.")
    return see_other("webhook-endpoints", membership.organisation.slug)


@members_only(Right.SET_UP, "POST")
def resend(
    request: HttpRequest, membership: Membership, endpoint: str, delivery: str
) -> HttpResponse:
    """Send a message again."""
    found = endpoint_of(membership, endpoint)
    wanted = get_object_or_404(Delivery, endpoint=found, pk=delivery)
    again = partial(telling.resend, delivery=wanted)
    return act(request, found, again, "The message is on its way again.")


def act(
    request: HttpRequest, endpoint: Endpoint, service: Callable[[], object], done: str
) -> HttpResponse:
    """Do what a button says, and go back to the endpoint's page, which tells what came of it."""
    try:
        service()
    except DomainError as error:
        return refused(request, endpoint, error)
    messages.success(request, done)
    return see_other("webhook-endpoint", endpoint.organisation.slug, endpoint.id)


def refused(request: HttpRequest, endpoint: Endpoint, error: DomainError) -> HttpResponse:
    """Go back to the endpoint's page and say why not; where there is none by now, to the list."""
    messages.error(request, str(error))
    if isinstance(error, EndpointGone):
        return see_other("webhook-endpoints", endpoint.organisation.slug)
    return see_other("webhook-endpoint", endpoint.organisation.slug, endpoint.id)


def endpoint_of(membership: Membership, name: str) -> Endpoint:
    """Return an endpoint of the visitor's organisation; any other is a 404."""
    own = Endpoint.objects.of(membership.organisation).select_related("organisation")
    return get_object_or_404(own, pk=name)


def show_endpoints(
    request: HttpRequest, membership: Membership, form: EndpointForm, status: int = 200
) -> HttpResponse:
    """Return the page of all endpoints."""
    context = {
        "organisation": membership.organisation,
        "endpoints": Endpoint.objects.of(membership.organisation).order_by("-id"),
        "chosen": request.POST.getlist("events") if form.is_bound else Topic.values,
        "form": form,
    }
    return render(request, "webhooks/endpoints.html", context, status=status)


def show_endpoint(request: HttpRequest, endpoint: Endpoint, secret: str = "") -> HttpResponse:
    """Return the page of one endpoint; with its secret where it was made just now."""
    deliveries = endpoint.deliveries.select_related("message").prefetch_related("tries")
    asked = DELIVERY.match(request.GET.get("before", ""))
    before = asked[0] if asked else ""
    if before:
        deliveries = deliveries.filter(pk__lt=before)
    rows = list(deliveries.order_by("-pk")[: DELIVERIES_A_PAGE + 1])
    context = {
        "organisation": endpoint.organisation,
        "endpoint": endpoint,
        "secret": secret,
        "old_secrets": endpoint.secrets.valid(timezone.now()).exclude(expires_at=None),
        "deliveries": rows[:DELIVERIES_A_PAGE],
        "before": before,
        "older": rows[DELIVERIES_A_PAGE - 1].pk if rows[DELIVERIES_A_PAGE:] else "",
    }
    return render(request, "webhooks/endpoint.html", context)
