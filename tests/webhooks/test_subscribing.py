"""Endpoints: added, disabled, enabled, deleted, each allowed, refused, and refused again."""

import pytest
from django.core import checks
from django.db import IntegrityError, transaction

from tests.factories import DeliveryFactory, EndpointFactory, OrganisationFactory
from tests.webhooks.subscribers import endpoint_at
from webhooks.errors import (
    AddressUnusable,
    EndpointActive,
    EndpointDisabled,
    EndpointGone,
    EndpointKnown,
    TooManyEndpoints,
    UnknownEvent,
)
from webhooks.models import Endpoint
from webhooks.services.subscribing import (
    ENDPOINTS_MAX,
    add_endpoint,
    delete_endpoint,
    disable_endpoint,
    enable_endpoint,
    rotate_secret,
)

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.org/almoner"


def test_events_are_kept_once_and_in_their_order(organisation):
    new = endpoint_at(URL, organisation, "entry.appended", "donation.paid", "donation.paid")

    assert Endpoint.objects.get().events == ["donation.paid", "entry.appended"]
    assert new.secret.startswith("whsec_")


@pytest.mark.parametrize("url", ["http://hooks.example.org/", "https://127.0.0.1/", "x"])
def test_an_address_that_cannot_be_contacted_is_refused(organisation, url):
    with pytest.raises(AddressUnusable, match=r"\.$"):
        endpoint_at(url, organisation)


@pytest.mark.parametrize("events", [[], ["donation.lost"], ["donation.paid", ""]])
def test_events_that_there_are_not_are_refused(organisation, events):
    with pytest.raises(UnknownEvent):
        add_endpoint(organisation=organisation, url=URL, events=events)


def test_an_address_is_there_once_until_it_is_deleted(organisation):
    endpoint = endpoint_at(URL, organisation).endpoint
    endpoint_at(URL, OrganisationFactory())
    with pytest.raises(EndpointKnown):
        endpoint_at(URL, organisation)
    with pytest.raises(IntegrityError), transaction.atomic():
        EndpointFactory(organisation=organisation, url=URL)

    delete_endpoint(endpoint=endpoint)

    endpoint_at(URL, organisation)


def test_there_are_not_too_many(organisation):
    EndpointFactory.create_batch(ENDPOINTS_MAX, organisation=organisation)

    with pytest.raises(TooManyEndpoints):
        endpoint_at(URL, organisation)


def test_what_was_deleted_is_done_with(organisation):
    endpoint = endpoint_at(URL, organisation).endpoint
    delete_endpoint(endpoint=endpoint)

    for service in (delete_endpoint, rotate_secret, enable_endpoint):
        with pytest.raises(EndpointGone):
            service(endpoint=endpoint)
    with pytest.raises(EndpointGone):
        disable_endpoint(endpoint=endpoint, reason="Enough.")
    assert not Endpoint.objects.of(organisation).exists()


def test_it_is_disabled_once_and_enabled_once(organisation):
    endpoint = endpoint_at(URL, organisation).endpoint
    with pytest.raises(EndpointActive):
        enable_endpoint(endpoint=endpoint)

    disable_endpoint(endpoint=endpoint, reason="Enough.")
    with pytest.raises(EndpointDisabled):
        disable_endpoint(endpoint=endpoint, reason="Again.")
    assert Endpoint.objects.get().disabled_reason == "Enough."

    left_over = DeliveryFactory(endpoint=endpoint)
    assert enable_endpoint(endpoint=endpoint).is_active
    left_over.refresh_from_db()
    assert left_over.status == "given_up"


@pytest.mark.parametrize(
    "row", [{"events": []}, {"disabled_reason": "Why?"}, {"disabled_at": "2026-11-21T12:00Z"}]
)
def test_the_database_refuses_what_makes_no_sense(organisation, row):
    with pytest.raises(IntegrityError), transaction.atomic():
        EndpointFactory(organisation=organisation, **row)


@pytest.mark.parametrize(
    ("is_allowed", "is_live", "warnings"),
    [(True, True, ["webhooks.W001"]), (True, False, []), (False, True, []), (False, False, [])],
)
def test_the_deploy_check_warns_of_private_networks_beside_real_money(
    settings, is_allowed, is_live, warnings
):
    settings.WEBHOOKS_ALLOW_PRIVATE, settings.STRIPE_LIVEMODE = is_allowed, is_live

    found = checks.run_checks(tags=["security"], include_deployment_checks=True)

    assert [each.id for each in found if each.id.startswith("webhooks")] == warnings
