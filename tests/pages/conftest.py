"""A charity with a book, and Stripe as far as the donate page needs it."""

import json
import re
from typing import Any

import pytest
import stripe
from django.core.cache import caches

from ledger.models import PUBLIC, Book, Entry
from ledger.operations import MoneyOperation
from ledger.services import Draft, append
from organisations.models import Organisation
from tests.factories import FundFactory, OrganisationFactory


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Forget what an earlier test's pages kept."""
    caches["memory"].clear()


@pytest.fixture
def organisation(db) -> Organisation:
    """An approved charity with a fund of its own."""
    organisation = OrganisationFactory(
        name="Lantern House", slug="lantern-house", crest="lantern", summary="Forty beds"
    )
    FundFactory(
        organisation=organisation, slug="winter-shelter", name="Winter shelter", goal=600_000
    )
    return organisation


def text_of(response: Any) -> str:
    """Return the words of a page, without its tags."""
    words = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(words.split())


def write(organisation: Organisation, *drafts: dict[str, Any]) -> list[Entry]:
    """Append entries: a gift of 50.00 EUR to the winter shelter, where a draft says nothing."""
    gift = {
        "operation": MoneyOperation.DONATION_RECEIVED,
        "amount": 5000,
        "currency": "EUR",
        "debit": "stripe",
        "credit": "fund:winter-shelter",
    }
    book = Book.objects.get(organisation=organisation, book=PUBLIC)
    written = [
        Draft(**{**gift, "nonce": f"{book.size}:{number}", **draft})
        for number, draft in enumerate(drafts)
    ]
    return append(book=book, drafts=written)


class StandIn(stripe.HTTPClient):
    """Answers in Stripe's place: a payment page for every idempotency key."""

    name = "stand-in"

    def __init__(self) -> None:
        """Begin with nothing asked."""
        super().__init__()
        self.asked: dict[str, str] = {}
        self.status, self.code = 200, "none"

    def request(self, method, url, headers, post_data=None):
        """Open a checkout session, or fail."""
        if self.status != 200:
            error = {"type": "api_error", "code": self.code, "message": "No."}
            return json.dumps({"error": error}), self.status, {}
        key = headers["Idempotency-Key"]
        self.asked.setdefault(key, post_data)
        name = f"cs_{list(self.asked).index(key)}"
        page = f"https://checkout.example/{name}"
        return json.dumps({"id": name, "object": "checkout.session", "url": page}), 200, {}


@pytest.fixture
def stripe_stand_in(monkeypatch) -> StandIn:
    """Answer in Stripe's place."""
    stand_in = StandIn()
    client = stripe.StripeClient("sk_test_x", http_client=stand_in, max_network_retries=0)
    monkeypatch.setattr("donations.services.promises.client", lambda: client)
    return stand_in
