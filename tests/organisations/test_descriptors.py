"""What donors read on their cards' statements, at the real sandbox."""

import pytest

from common.errors import TryAgainLater
from common.stripe_api import StripeRefused, client
from organisations.models import Organisation
from organisations.services.descriptors import read_descriptor
from tests.factories import OrganisationFactory
from tests.sandbox_fixtures import sandbox_process, sandbox_stripe

__all__ = ["sandbox_process", "sandbox_stripe"]
PREFIX, WHOLE = {"statement_descriptor_prefix": "EAUVIVE"}, {"statement_descriptor": "EAU VIVE"}
pytestmark = pytest.mark.django_db


def connected(**settings) -> Organisation:
    """Return an organisation with a new account in the sandbox."""
    account = client().v1.accounts.create({"country": "FR", "settings": settings})
    return OrganisationFactory(stripe_account=account.id)


@pytest.mark.parametrize(
    ("set_at_stripe", "words"),
    [
        ({}, ""),
        ({"payments": WHOLE}, "EAU VIVE"),
        ({"card_payments": PREFIX}, "EAUVIVE"),
        ({"payments": WHOLE, "card_payments": PREFIX}, "EAU VIVE"),
    ],
)
def test_the_words_of_the_account_are_noted(sandbox_stripe, set_at_stripe, words):
    organisation = connected(**set_at_stripe)
    assert organisation.statement_descriptor is None

    read_descriptor(organisation=organisation)

    organisation.refresh_from_db()
    assert organisation.statement_descriptor == words


def test_words_that_changed_at_stripe_are_noted_when_they_are_read_again(sandbox_stripe):
    organisation = connected(payments=WHOLE)
    read_descriptor(organisation=organisation)
    new = {"settings": {"payments": {"statement_descriptor": "LIVING WATER"}}}
    client().v1.accounts.update(organisation.stripe_account, new)

    read_descriptor(organisation=organisation)

    assert Organisation.objects.get().statement_descriptor == "LIVING WATER"


def test_without_an_account_nothing_is_asked(settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:1"
    organisation = OrganisationFactory(stripe_account=None)

    read_descriptor(organisation=organisation)

    assert organisation.statement_descriptor is None


def test_an_account_that_is_gone_and_an_outage_leave_what_was_known(sandbox_stripe):
    organisation = OrganisationFactory(stripe_account="acct_gone", statement_descriptor="KNOWN")

    with pytest.raises(StripeRefused):
        read_descriptor(organisation=organisation)
    sandbox_stripe.control("outage", status=500)
    with pytest.raises(TryAgainLater):
        read_descriptor(organisation=organisation)

    organisation.refresh_from_db()
    assert organisation.statement_descriptor == "KNOWN"
