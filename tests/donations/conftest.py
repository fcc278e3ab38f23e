"""An organisation with an account in the sandbox."""

import pytest

from donations.services.promises import create_sandbox_account
from organisations.models import Organisation
from tests.factories import OrganisationFactory
from tests.sandbox_fixtures import sandbox_process, sandbox_stripe

__all__ = ["organisation", "sandbox_process", "sandbox_stripe"]


@pytest.fixture
def organisation(db, sandbox_stripe) -> Organisation:
    """An approved organisation whose account the sandbox knows."""
    account = create_sandbox_account(country="FR", currency="EUR")
    return OrganisationFactory(name="Eau Vive", slug="eau-vive", stripe_account=account)
