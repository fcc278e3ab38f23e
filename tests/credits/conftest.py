"""Programs of applications of credits."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from organisations.models import ApiKey, Organisation
from tests.factories import OrganisationFactory, key_of

URL = "/v1/ledger"


@pytest.fixture
def organisation(db) -> Organisation:
    """An approved organisation."""
    return OrganisationFactory(name="Lantern", slug="lantern")


class Program:
    """What holds the key of one application, and calls the API with it."""

    def __init__(self, organisation: Organisation, application: str = "credits") -> None:
        """Issue a key."""
        secret = key_of(organisation, ApiKey.Scope.LEDGER, application=application)
        headers = {"Authorization": f"Bearer {secret}"}
        self.client = Client(headers=headers, raise_request_exception=False)

    def send(self, body: Any) -> Any:
        """Post a body, as JSON or as the bytes it is."""
        raw = body if isinstance(body, bytes) else json.dumps(body)
        return self.client.post(URL, raw, content_type="application/json")

    def post(self, owner_id: str, operation: str, nonce: str, **fields: Any) -> Any:
        """Post an operation."""
        return self.send({"owner_id": owner_id, "operation": operation, "nonce": nonce, **fields})

    def balance(self, owner_id: str, **query: Any) -> int:
        """Return what an owner has."""
        response = self.client.get(f"{URL}/{quote(owner_id, safe='')}", query)
        assert response.status_code == 200, response.content
        assert response.json()["unit"] == "CREDIT"
        return response.json()["balance"]

    def history(self, owner_id: str, **query: Any) -> list[dict[str, Any]]:
        """Return what happened to an owner, newest first."""
        response = self.client.get(f"{URL}/{quote(owner_id, safe='')}/entries", query)
        assert response.status_code == 200, response.content
        return response.json()["results"]


@pytest.fixture
def program_of() -> Callable[..., Program]:
    """Return what makes a program."""
    return Program


@pytest.fixture
def program(organisation) -> Program:
    """A program of the organisation's application `credits`."""
    return Program(organisation)
