"""The members' pages about webhooks: secrets once, deliveries with their answers, every button."""

import re
from contextlib import contextmanager

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.utils import timezone

from organisations.models import Membership
from tests.factories import PASSWORD, DeliveryFactory, EndpointFactory, MembershipFactory
from tests.webhooks.subscribers import endpoint_at
from webhooks import views
from webhooks.models import Attempt, Delivery, Endpoint, Topic

pytestmark = pytest.mark.django_db
ADDRESS = "https://hooks.example.org/almoner?token=x"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")


@pytest.fixture(autouse=True)
def member(client, organisation):
    """A browser in which an admin of the organisation has signed in."""
    found = MembershipFactory(organisation=organisation, role=Membership.Role.ADMIN)
    assert client.login(username=found.user.email, password=PASSWORD)
    return found


@pytest.fixture
def webhooks(organisation):
    """Where the pages are."""
    return f"/dashboard/{organisation.slug}/webhooks"


@pytest.fixture
def endpoint(organisation):
    """An endpoint with a secret."""
    return endpoint_at(ADDRESS, organisation, description="Newsletter").endpoint


def page(response, status=200):
    assert response.status_code == status
    return response.content.decode()


def said(response):
    assert response.status_code == 303
    return [str(message) for message in get_messages(response.wsgi_request)][-1]


def test_an_endpoint_is_added_and_its_secret_shown_once(client, member, webhooks):
    empty = page(client.get(webhooks))
    assert "No endpoint yet" in empty
    assert empty.count("checked") == len(Topic)

    form = {"url": ADDRESS, "description": "Newsletter", "events": ["donation.settled"]}
    response = client.post(webhooks, form)

    shown = page(response)
    [secret] = SECRET.findall(shown)
    endpoint = Endpoint.objects.get()
    assert response["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    assert (endpoint.url, endpoint.events) == (ADDRESS, ["donation.settled"])
    assert endpoint.created_by == member.user
    assert secret not in page(client.get(f"{webhooks}/{endpoint.id}"))
    listed = page(client.get(webhooks))
    assert ADDRESS in listed
    assert "Newsletter" in listed


@pytest.mark.parametrize(
    ("form", "mended_at"),
    [
        ({"url": ""}, ("url", "Enter the address of your server.")),
        ({"url": "http://hooks.example.org"}, ("url", "Write a complete address")),
        ({"url": "https://127.0.0.1/"}, ("url", "Write the host as a full name")),
        ({"url": "https://h.example/" + "x" * 500}, ("url", "Enter an address of at most 500")),
        ({"events": []}, ("events", "Choose what it is told: one event or more.")),
        ({"events": ["donation.lost"]}, ("events", "Choose from these events.")),
        ({"description": "x" * 121}, ("description", "Enter a text of at most 120 characters.")),
        ({"url": ADDRESS + "&same"}, ("url", "There is an endpoint with this address already")),
    ],
)
def test_what_cannot_be_added_is_said_and_leads_to_its_field(
    client, webhooks, organisation, form, mended_at
):
    field, words = mended_at
    EndpointFactory(organisation=organisation, url=ADDRESS + "&same")
    given = {"url": ADDRESS, "events": ["donation.settled", "donation.paid"], **form}

    shown = page(client.post(webhooks, given), 400)

    assert f'<a href="#{field}">{words}' in shown.replace("&#x27;", "'")
    assert f'id="{field}"' in shown
    assert shown.count("checked") == (2 if "events" not in form else 0)
    assert Endpoint.objects.count() == 1


def test_deliveries_are_listed_with_every_attempt(client, webhooks, endpoint):
    delivery = DeliveryFactory(endpoint=endpoint)
    for status, error, answer in (
        (None, "There was no answer within 10 seconds.", ""),
        (500, "The server answered 500.", "<b>Oops"),
        (200, "", ""),
    ):
        Attempt.objects.create(
            organisation=endpoint.organisation,
            delivery=delivery,
            attempted_at=timezone.now(),
            status_code=status,
            duration_ms=1234,
            error=error,
            answer=answer,
        )

    shown = page(client.get(f"{webhooks}/{endpoint.id}"))

    for words in (
        delivery.message_id,
        "There was no answer within 10 seconds.",
        "The server answered 500.",
        "&lt;b&gt;Oops",
        "Answered 200.",
        "1,234 ms",
        "Waits",
    ):
        assert words in shown


@pytest.mark.parametrize(
    ("status", "words"), [("delivered", "Delivered"), ("given_up", "Given up"), ("due", "Waits")]
)
def test_a_delivery_says_how_it_stands(client, webhooks, endpoint, status, words):
    DeliveryFactory(endpoint=endpoint, status=status)

    assert words in page(client.get(f"{webhooks}/{endpoint.id}"))


def test_many_deliveries_are_shown_page_by_page(client, webhooks, endpoint, monkeypatch):
    monkeypatch.setattr(views, "DELIVERIES_A_PAGE", 2)
    ids = [DeliveryFactory(endpoint=endpoint).message_id for _ in range(3)]
    here = f"{webhooks}/{endpoint.id}"

    first = page(client.get(here))
    older = re.search(r"\?before=(dlv_\w+)", first)
    second = page(client.get(here + older[0]))

    assert [name in first for name in ids] == [False, True, True]
    assert [name in second for name in ids] == [True, False, False]
    assert "Newest" in second
    assert ids[2] in page(client.get(f"{here}?before=\0"))


def test_a_test_message_is_sent_and_a_message_again(client, webhooks, endpoint):
    here = f"{webhooks}/{endpoint.id}"

    assert said(client.post(f"{here}/test")) == "A test message is on its way."
    Delivery.objects.update(status="given_up", attempts=10)
    delivery = Delivery.objects.get()
    resend = f"{here}/deliveries/{delivery.id}/resend"
    response = client.post(resend)

    assert said(response) == "The message is on its way again."
    assert "The message is on its way again." in page(client.get(response["Location"]))
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == ("due", 0)


def test_it_is_disabled_and_enabled(client, webhooks, endpoint):
    here = f"{webhooks}/{endpoint.id}"
    assert said(client.post(f"{here}/disable")) == "The endpoint is disabled."
    shown = page(client.get(here))
    assert "Nothing is sent to it since" in shown
    assert views.DISABLED_BY_HAND in shown
    assert "Send a test message" not in shown

    refused = client.post(f"{here}/test")
    assert said(refused) == "The endpoint is disabled: enable it first."
    assert "notice--bad" in page(client.get(refused["Location"]))

    assert said(client.post(f"{here}/enable")) == "The endpoint is active again."
    assert "Send a test message" in page(client.get(here))


def test_one_that_fails_says_since_when(client, webhooks, endpoint):
    Endpoint.objects.update(failing_since=timezone.now())

    assert "Nothing was delivered since" in page(client.get(f"{webhooks}/{endpoint.id}"))
    assert "Failing" in page(client.get(webhooks))


def test_a_new_secret_is_shown_once_and_the_old_one_named(client, webhooks, endpoint):
    here = f"{webhooks}/{endpoint.id}"

    [_secret] = SECRET.findall(page(client.post(f"{here}/secret")))

    shown = page(client.get(here))
    assert not SECRET.search(shown)
    assert "One that was replaced signs until" in shown


def test_one_that_was_deleted_is_gone(client, webhooks, endpoint):
    here = f"{webhooks}/{endpoint.id}"

    assert said(client.post(f"{here}/delete")) == "The endpoint was deleted."

    assert client.get(here).status_code == client.post(f"{here}/delete").status_code == 404
    assert "No endpoint yet" in page(client.get(webhooks))


@contextmanager
def deleted_in_another_tab(endpoint):
    """Let an endpoint go after its page was looked up, and before anything is done to it."""

    def first(execute, sql, *more):
        if "FOR NO KEY UPDATE" in sql:
            Endpoint.objects.filter(pk=endpoint.pk).update(deleted_at=timezone.now())
        return execute(sql, *more)

    with connection.execute_wrapper(first):
        yield


@pytest.mark.parametrize("button", ["secret", "delete", "disable", "enable"])
def test_two_tabs_end_in_a_sentence(client, webhooks, endpoint, button):
    with deleted_in_another_tab(endpoint):
        response = client.post(f"{webhooks}/{endpoint.id}/{button}")

    assert response.url == webhooks
    assert said(response) == "The endpoint was deleted."
    assert "The endpoint was deleted." in page(client.get(webhooks))


def test_what_others_have_is_not_there(client, webhooks, endpoint):
    theirs = DeliveryFactory()
    ours = f"{webhooks}/{endpoint.id}"

    assert client.get(f"{webhooks}/{theirs.endpoint_id}").status_code == 404
    assert client.post(f"{ours}/deliveries/{theirs.id}/resend").status_code == 404
