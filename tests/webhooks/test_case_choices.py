"""What staff decide of parked events and broken endpoints, and what overtakes them."""

import pytest
from django.utils import timezone

from reviews.models import Case
from reviews.services.cases import open_case
from reviews.services.deciding import decide
from tests.factories import EndpointFactory, StripeEventFactory, UserFactory
from tests.stripe_resources import charge, transaction
from webhooks.errors import EndpointActive, NotAgain
from webhooks.models import Endpoint, StripeEvent
from webhooks.services.draining import drain_due, process_again
from webhooks.services.subscribing import delete_endpoint, enable_endpoint


def case_of(kind, thing):
    """Put an event or an endpoint before staff."""
    return open_case(
        organisation=thing.organisation, kind=kind, subject=thing.id, summary="It failed."
    )


def choose(case, choice):
    return decide(case=case, by=UserFactory(), choice=choice, reason="Looked at it.").case


@pytest.fixture
def event(organisation):
    """An event that failed too often."""
    return StripeEventFactory(
        organisation=organisation,
        account=organisation.stripe_account,
        type="charge.updated",
        payload={"data": {"object": charge()}},
        status="parked",
        attempts=8,
    )


@pytest.fixture
def endpoint(organisation):
    """An endpoint that was disabled because nothing arrived."""
    return EndpointFactory(
        organisation=organisation, disabled_at=timezone.now(), disabled_reason="Nothing arrived."
    )


def test_an_event_is_processed_again_as_staff_decide(stripe_account, event):
    stripe_account.put("balance_transactions", transaction("charge", 5000, source=charge()))

    case = choose(case_of(Case.Kind.PARKED_EVENT, event), "again")
    drain_due()

    event.refresh_from_db()
    assert (event.status, case.choice) == ("done", "again")


def test_an_event_that_waits_for_its_turn_is_not_queued_twice(event):
    case = case_of(Case.Kind.PARKED_EVENT, event)
    process_again(event=event)

    with pytest.raises(NotAgain):
        choose(case, "again")

    case.refresh_from_db()
    assert case.closed_at is None


def test_an_event_rests_as_staff_decide(event):
    choose(case_of(Case.Kind.PARKED_EVENT, event), "close")

    assert StripeEvent.objects.get().status == "parked"


def test_an_event_that_is_processed_after_all_is_nobodys_case(stripe_account, event):
    case = case_of(Case.Kind.PARKED_EVENT, event)

    process_again(event=event)
    drain_due()

    case.refresh_from_db()
    assert (case.choice, case.reason) == ("overtaken", "The event was processed after all.")


def test_an_endpoint_is_enabled_again_as_staff_decide(endpoint):
    case = choose(case_of(Case.Kind.SUBSCRIBER, endpoint), "enable")

    assert Endpoint.objects.get().is_active
    assert (case.choice, case.closed_by is None) == ("enable", False)


def test_an_endpoint_that_is_active_is_not_enabled_by_a_case(endpoint):
    Endpoint.objects.update(disabled_at=None, disabled_reason="")

    with pytest.raises(EndpointActive):
        choose(case_of(Case.Kind.SUBSCRIBER, endpoint), "enable")


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (enable_endpoint, "It was enabled again."),
        (delete_endpoint, "Its organisation deleted it."),
    ],
)
def test_what_an_organisation_does_with_its_endpoint_overtakes_the_case(endpoint, act, words):
    case = case_of(Case.Kind.SUBSCRIBER, endpoint)

    act(endpoint=endpoint)

    case.refresh_from_db()
    assert (case.choice, case.reason) == ("overtaken", words)
