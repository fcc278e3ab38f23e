"""Organisations on their way in, and the sandbox to connect to."""

import pytest
from django.test import Client

from organisations.models import Membership, Organisation
from tests.factories import ApplicantFactory, MembershipFactory
from tests.sandbox_fixtures import sandbox_process, sandbox_stripe

__all__ = ["sandbox_process", "sandbox_stripe"]


@pytest.fixture
def draft(db) -> Organisation:
    """An application that is being filled in."""
    return ApplicantFactory(name="Lantern", slug="lantern", status="draft", stripe_account=None)


@pytest.fixture
def owner(draft) -> Membership:
    """Who fills it in."""
    return MembershipFactory(organisation=draft, user__email="zoe@example.org", user__name="Zoë")


@pytest.fixture
def browser(owner) -> Client:
    """The browser in which the owner has signed in."""
    client = Client()
    client.force_login(owner.user)
    return client
