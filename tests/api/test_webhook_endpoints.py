"""Endpoints over the API: added, listed, shown and deleted, each organisation its own."""

import pytest
from rest_framework.test import APIClient

from organisations.models import ApiKey
from tests.factories import EndpointFactory, OrganisationFactory, key_of
from webhooks.models import Endpoint, Topic

pytestmark = pytest.mark.django_db
URL = "/v1/webhook-endpoints"
ADDRESS = "https://hooks.example.org/almoner"


@pytest.fixture
def organisation():
    """Whose key calls."""
    return OrganisationFactory()


@pytest.fixture
def program(organisation):
    """A program with a key for webhooks."""
    secret = key_of(organisation, ApiKey.Scope.WEBHOOKS)
    return APIClient(headers={"Authorization": f"Bearer {secret}"})


def add(program, **fields):
    wanted = {"url": ADDRESS, "events": ["donation.settled"], **fields}
    return program.post(URL, wanted, format="json")


def test_an_endpoint_is_added_and_its_secret_told_once(program, organisation):
    response = add(program, description="Newsletter")

    shown = response.json()
    assert response.status_code == 201
    assert response["Cache-Control"] == "no-store"
    assert shown.pop("secret").startswith("whsec_")
    endpoint = Endpoint.objects.get(organisation=organisation)
    assert shown == {
        "id": endpoint.id,
        "url": ADDRESS,
        "events": ["donation.settled"],
        "description": "Newsletter",
        "is_active": True,
        "failing_since": None,
        "disabled_at": None,
        "disabled_reason": "",
        "created_at": endpoint.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    assert program.get(f"{URL}/{endpoint.id}").json() == {**shown, "secret": None}
    assert program.get(URL).json()["results"] == [{**shown, "secret": None}]


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"url": "https://10.0.0.1/"}, 400, "invalid_url"),
        ({"url": 5}, 400, "invalid_url"),
        ({"url": None}, 400, "invalid"),
        ({"url": ADDRESS + "x" * 500}, 400, "invalid"),
        ({"events": []}, 400, "invalid"),
        ({"events": ["donation.lost"]}, 400, "invalid"),
        ({"events": list(Topic) * 10}, 400, "invalid"),
        ({"event": "donation.settled"}, 400, "invalid"),
        ({"url": f"{ADDRESS}/known"}, 409, "endpoint_exists"),
    ],
)
def test_what_cannot_be_added_is_a_problem(program, organisation, fields, status, code):
    EndpointFactory(organisation=organisation, url=f"{ADDRESS}/known")

    response = add(program, **fields)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert Endpoint.objects.count() == 1


def test_one_is_deleted_for_good(program, organisation):
    endpoint = EndpointFactory(organisation=organisation)

    assert program.delete(f"{URL}/{endpoint.id}").status_code == 204
    assert program.delete(f"{URL}/{endpoint.id}").status_code == 404
    assert program.get(URL).json()["results"] == []


def test_what_others_have_is_not_there(program):
    theirs = EndpointFactory()

    assert program.get(f"{URL}/{theirs.id}").status_code == 404
    assert program.delete(f"{URL}/{theirs.id}").status_code == 404
    assert program.get(URL).json()["results"] == []


def test_a_key_for_gifts_adds_none(organisation):
    program = APIClient(headers={"Authorization": f"Bearer {key_of(organisation)}"})

    assert add(program).status_code == 403
