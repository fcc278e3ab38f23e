"""Stripe for tests of the product: a small server in its place."""

from collections.abc import Iterator

import pytest

from common import stripe_api
from tests.stripe_story import Account, StripeServer, serving


@pytest.fixture
def stripe_server(settings, monkeypatch) -> Iterator[StripeServer]:
    """Answer our calls from a small server; they are made once."""
    monkeypatch.setattr(stripe_api, "RETRIES_MAX", 0)
    with serving() as server:
        settings.STRIPE_API_BASE = server.url
        stripe_api.client.cache_clear()
        yield server
        stripe_api.client.cache_clear()


@pytest.fixture
def stripe_account(stripe_server, organisation) -> Account:
    """Return what the organisation's account holds there."""
    return stripe_server.accounts[organisation.stripe_account]
