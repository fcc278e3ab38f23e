"""An organisation whose Stripe account is read."""

import pytest

from donations.models import Donation
from organisations.models import Organisation
from tests.factories import DonationFactory, FundFactory, OrganisationFactory
from tests.sandbox_fixtures import sandbox_process, sandbox_stripe
from tests.stripe_fixtures import stripe_account, stripe_server

__all__ = ["organisation", "sandbox_process", "sandbox_stripe", "stripe_account", "stripe_server"]


@pytest.fixture
def organisation(db) -> Organisation:
    """An approved organisation with a connected account."""
    return OrganisationFactory(stripe_account="acct_1")


@pytest.fixture
def gift(organisation) -> Donation:
    """A gift of 50.00 EUR for the winter shelter."""
    FundFactory(organisation=organisation, slug="winter-shelter")
    return DonationFactory(organisation=organisation, fund="winter-shelter")
