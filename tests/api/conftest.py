"""Programs that call the API."""

import json
from collections.abc import Callable

import pytest
import stripe
from django.test import Client

from organisations.models import Organisation
from tests.factories import OrganisationFactory, key_of


@pytest.fixture
def organisation(db) -> Organisation:
    """An approved organisation."""
    return OrganisationFactory(name="Lantern", slug="lantern")


@pytest.fixture
def client_of() -> Callable[..., Client]:
    """Return what makes a program that holds a key of an organisation."""

    def make(organisation: Organisation, *scopes: str) -> Client:
        secret = key_of(organisation, *scopes)
        return Client(headers={"Authorization": f"Bearer {secret}"}, raise_request_exception=False)

    return make


class StandIn(stripe.HTTPClient):
    """Stripe, as far as promising a gift needs it: the same idempotency key, the same answer."""

    name = "stand-in"

    def __init__(self) -> None:
        """Begin with nothing asked."""
        super().__init__()
        self.asked: list[dict[str, str]] = []
        self.answers: dict[str, dict[str, str]] = {}
        self.status = 200

    def request(self, method, url, headers, post_data=None):
        """Answer like Stripe."""
        self.asked.append({"url": url, "account": headers.get("Stripe-Account"), "body": post_data})
        if self.status != 200:
            error = {"error": {"type": "api_error", "message": "No.", "code": "no"}}
            return json.dumps(error), self.status, {}
        if method == "get":
            answer = next(each for each in self.answers.values() if each["id"] in url)
        else:
            key = headers["Idempotency-Key"]
            answer = self.answers.setdefault(key, self._answer(url, len(self.answers)))
        return json.dumps(answer), 200, {}

    def _answer(self, url, number):
        if url.endswith("/v1/accounts"):
            return {"id": f"acct_new{number}", "object": "account"}
        if url.endswith("/v1/payment_intents"):
            secret = f"pi_{number}_secret_{number}"
            return {"id": f"pi_{number}", "object": "payment_intent", "client_secret": secret}
        page = f"https://checkout.example/cs_{number}"
        return {"id": f"cs_{number}", "object": "checkout.session", "url": page}


@pytest.fixture
def stripe_stand_in(monkeypatch) -> StandIn:
    """Answer in Stripe's place."""
    stand_in = StandIn()
    client = stripe.StripeClient("sk_test_x", http_client=stand_in, max_network_retries=0)
    monkeypatch.setattr("donations.services.promises.client", lambda: client)
    return stand_in
