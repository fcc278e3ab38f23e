"""How accounts stand, as Stripe says it: read, kept in order, and ended."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from common.errors import TryAgainLater
from common.stripe_api import StripeRefused, client
from organisations.models import Organisation, StripeAccountState
from organisations.services.account_states import note_connection, note_disconnection, read_state
from organisations.tasks import read_accounts
from tests.factories import ApplicantFactory, OrganisationFactory, StripeAccountStateFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(sandbox_stripe, db) -> Organisation:
    """A public organisation with an account at the sandbox."""
    account = client().v1.accounts.create({"country": "BE", "type": "standard"}).id
    return OrganisationFactory(stripe_account=account, name="Lantern")


def state_of(organisation):
    return StripeAccountState.objects.get(organisation=organisation)


def test_what_stripe_says_is_kept(sandbox_stripe, house):
    due = ["company.tax_id", "external_account"]
    sandbox_stripe.control(
        f"accounts/{house.stripe_account}/require", currently_due=due, past_due=due[:1]
    )

    read_state(organisation=house)

    state = state_of(house)
    assert (state.currently_due, state.past_due, state.eventually_due) == (due, due[:1], due)
    assert (state.charges_enabled, state.details_submitted) == (False, True)
    assert state.disabled_reason == "requirements.past_due"
    assert state.capabilities == {"card_payments": "inactive", "transfers": "inactive"}
    assert "Stripe waits for information" in state.why_no_gifts
    assert str(state) == "Stripe account of Lantern"

    sandbox_stripe.control(f"accounts/{house.stripe_account}/require")
    read_state(organisation=house)

    assert state_of(house).why_no_gifts == ""


def test_an_older_answer_does_not_undo_a_newer_one(house):
    newer = timezone.now() + timedelta(minutes=1)
    StripeAccountStateFactory(organisation=house, read_at=newer, charges_enabled=False)

    read_state(organisation=house)

    assert not state_of(house).charges_enabled


def test_the_account_of_a_public_ledger_stays_whoever_asks(house):
    ours = Organisation.objects.filter(pk=house.pk)

    for account in ("acct_new", None):
        with pytest.raises(IntegrityError, match="belongs to its"), transaction.atomic():
            ours.update(stripe_account=account)
    ours.update(stripe_account=house.stripe_account, name="Lantern House")


def test_what_is_told_of_an_account_that_was_exchanged_is_about_nobody(house):
    account = house.stripe_account
    house = ApplicantFactory(stripe_account="acct_new")
    house.stripe_account = account  # as it was when somebody looked

    read_state(organisation=house)
    note_disconnection(organisation=house, account=str(house.stripe_account), at=timezone.now())

    assert not StripeAccountState.objects.exists()


def test_an_account_that_is_closed_to_us_counts_as_disconnected_and_is_left_alone(
    sandbox_stripe, house, caplog
):
    other = ApplicantFactory(
        stripe_account=client().v1.accounts.create({"country": "BE"}).id, status="draft"
    )
    sandbox_stripe.control(f"accounts/{house.stripe_account}/deauthorize")

    read_accounts(timestamp=0)

    state = state_of(house)
    assert state.refused_at == state.disconnected_at
    assert "has disconnected its Stripe account" in state.why_no_gifts
    assert state_of(other).charges_enabled
    assert [record.organisation for record in caplog.records if record.name.endswith("ions")] == [
        house.id
    ]
    assert house not in Organisation.objects.readable()
    caplog.clear()
    read_accounts(timestamp=0)
    assert not [record for record in caplog.records if record.name == "almoner.stripe"]
    with pytest.raises(StripeRefused):
        read_state(organisation=house)
    assert state_of(house).refused_at == state.refused_at


def test_an_outage_is_no_disconnection(sandbox_stripe, house):
    sandbox_stripe.control("outage", status=429)

    with pytest.raises(TryAgainLater):
        read_state(organisation=house)

    assert not StripeAccountState.objects.exists()


def test_the_end_of_an_earlier_connection_does_not_end_this_one(house):
    before = timezone.now() - timedelta(minutes=1)
    note_connection(organisation=house)

    for moment in (before, timezone.now() + timedelta(minutes=1), timezone.now()):
        note_disconnection(organisation=house, account=house.stripe_account, at=moment)
        ended = state_of(house).disconnected_at
        assert (ended is None) == (moment == before)

    note_connection(organisation=house)
    assert state_of(house).why_no_gifts == ""


def test_an_account_refuses_only_when_it_is_disconnected(house):
    with pytest.raises(IntegrityError), transaction.atomic():
        StripeAccountStateFactory(organisation=house, refused_at=timezone.now())


@pytest.mark.parametrize(("kind", "is_ours"), [("custom", True), ("standard", False)])
def test_payouts_are_ours_to_time_where_we_bear_the_losses(sandbox_stripe, kind, is_ours):
    account = client().v1.accounts.create({"country": "BE", "type": kind}).id
    house = OrganisationFactory(stripe_account=account)

    read_state(organisation=house)

    assert (state_of(house).controls_payouts, state_of(house).country) == (is_ours, "BE")


IBANS = ("FR14 2004 1010 0505 0001 3M02 606", "DE89 3704 0044 0532 0130 00")


def test_the_first_bank_account_is_no_change_and_the_next_is(sandbox_stripe, house):
    sandbox_stripe.control(f"accounts/{house.stripe_account}/bank", iban=IBANS[0])
    for _ in range(2):
        read_state(organisation=house)
    first = state_of(house)
    assert len(first.bank_accounts) == 1
    assert first.bank_changed_at is None

    sandbox_stripe.control(f"accounts/{house.stripe_account}/bank", iban=IBANS[1])
    read_state(organisation=house)
    read_state(organisation=house)

    second = state_of(house)
    assert second.bank_changed_at < second.read_at
    assert second.bank_accounts != first.bank_accounts


def test_where_there_is_none_for_a_moment_what_was_known_stays(sandbox_stripe):
    wanted = {"country": "BE", "controller": {"fees": {"payer": "account"}}}
    account = client().v1.accounts.create(wanted).id  # it is not filled in yet
    house = OrganisationFactory(stripe_account=account)
    StripeAccountStateFactory(organisation=house, bank_accounts=["known"])

    read_state(organisation=house)

    assert (state_of(house).bank_accounts, state_of(house).bank_changed_at) == (["known"], None)
