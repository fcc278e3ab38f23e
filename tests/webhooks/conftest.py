"""An organisation whose events come in."""

import pytest

from organisations.models import Organisation
from tests.factories import OrganisationFactory
from tests.sandbox_fixtures import sandbox_process, sandbox_stripe
from tests.stripe_fixtures import stripe_account, stripe_server

__all__ = ["organisation", "sandbox_process", "sandbox_stripe", "stripe_account", "stripe_server"]


@pytest.fixture
def organisation(db) -> Organisation:
    """An approved organisation with a connected account."""
    return OrganisationFactory(stripe_account="acct_1")
