"""Events about an account itself: they reach applicants too, and the last one needs no reading."""

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from donations.errors import TakesNoGifts
from donations.services.promises import promise_donation
from ledger.models import Entry
from organisations.models import Organisation, StripeAccountState
from organisations.services.account_states import note_connection
from reviews.models import Case
from tests.factories import (
    NOON,
    ApplicantFactory,
    OrganisationFactory,
    StripeReadingFactory,
)
from tests.stripe_resources import charge, transaction
from tests.webhooks.messages import deliver, event
from treasury.tasks import sweep_accounts
from webhooks.models import StripeEvent
from webhooks.services.account_events import DEAUTHORIZED
from webhooks.services.draining import drain_due, process_again

APPLICATION = {"id": "ca_1", "object": "application", "name": "Donation platform"}


def stored(**changes):
    message = event(**changes)
    assert deliver(message).status_code == 200
    return StripeEvent.objects.get(id=message["id"])


def goodbye(**changes):
    return stored(type=DEAUTHORIZED, data={"object": APPLICATION}, **changes)


def state_of(organisation):
    return StripeAccountState.objects.filter(organisation=organisation).first()


def outcome(one):
    one.refresh_from_db()
    return one.status, one.note


@pytest.mark.parametrize("type_", ["account.updated", "capability.updated"])
@pytest.mark.parametrize("status", ["draft", "applied"])
def test_an_applicant_hears_of_its_own_account(stripe_server, db, type_, status):
    applicant = ApplicantFactory(stripe_account="acct_1", status=status)
    stripe_server.accounts["acct_1"].told_account |= {"details_submitted": True}
    one = stored(type=type_)

    assert drain_due() == 1

    assert outcome(one) == ("done", "")
    state = state_of(applicant)
    assert (state.charges_enabled, state.details_submitted) == (True, True)
    assert stripe_server.asked == ["/v1/account"]


@pytest.mark.parametrize(
    ("status", "type_"), [("draft", "charge.succeeded"), ("applied", "payout.paid")]
)
def test_an_applicants_money_is_nobodys_business_yet(db, status, type_):
    ApplicantFactory(stripe_account="acct_1", status=status)

    assert outcome(stored(type=type_)) == ("ignored", "organisation is not approved")


def test_who_was_turned_down_hears_nothing(db):
    organisation = OrganisationFactory(stripe_account="acct_1")
    Organisation.objects.filter(pk=organisation.pk).update(status="rejected")

    assert outcome(stored(type="account.updated")) == ("ignored", "organisation is not approved")


def test_an_applicants_event_waits_while_stripe_is_away(stripe_server, db):
    applicant = ApplicantFactory(stripe_account="acct_1")
    stripe_server.trouble = "500"
    one = stored(type="account.updated")

    drain_due()

    assert outcome(one)[0] == "pending"
    assert one.note.startswith("Stripe does not answer at the moment")
    stripe_server.trouble = ""
    process_due()
    assert outcome(one) == ("done", "")
    assert state_of(applicant)


def process_due():
    StripeEvent.objects.update(next_attempt_at="2026-01-01T00:00:00Z")
    drain_due()


@pytest.mark.parametrize("told", ["not an object", None])
def test_an_account_that_stripe_will_not_show_does_not_hold_up_its_money(
    stripe_account, organisation, told
):
    stripe_account.told_account = told
    stripe_account.put("balance_transactions", transaction("charge", 5000, source=charge()))
    one = stored(type="account.updated")

    drain_due()

    assert outcome(one) == ("done", "")
    assert Entry.objects.filter(sequence__gt=0).count() == 1


def test_the_last_event_is_acted_on_from_what_it_says(stripe_server, organisation):
    # The account is none of the server's: nothing of it can be read any more.
    named = charge() | {"billing_details": {"email": "zoe@example.org"}}
    one, late = goodbye(), stored(type="charge.updated", data={"object": named})

    assert drain_due() == 2

    assert outcome(one) == ("done", "")
    assert outcome(late) == ("ignored", "account is disconnected")
    late.refresh_from_db()
    assert "zoe@example.org" not in str(late.payload)
    state = state_of(organisation)
    assert state.disconnected_at == one.occurred_at
    assert state.refused_at
    assert not Case.objects.exists()
    assert Entry.objects.filter(organisation=organisation).count() == 1  # the genesis stays


def test_an_account_that_goes_while_its_history_is_booked_is_let_go(stripe_server, organisation):
    StripeReadingFactory(organisation=organisation, swept_until=NOON, imported_at=None)
    one, late = goodbye(), stored(type="charge.updated")

    assert drain_due() == 2

    assert outcome(one) == ("done", "")
    assert outcome(late) == ("ignored", "account is disconnected")
    assert drain_due() == 0
    assert stripe_server.asked == []
    assert not ProcrastinateJob.objects.exists()


def test_a_disconnected_account_is_left_alone_and_says_so(stripe_server, organisation, client):
    goodbye()
    drain_due()
    asked = len(stripe_server.asked)

    sweep_accounts(timestamp=0)

    assert not ProcrastinateJob.objects.exists()
    assert len(stripe_server.asked) == asked
    with pytest.raises(TakesNoGifts, match="has disconnected its Stripe account"):
        promise_donation(organisation=organisation, amount=5000, currency="EUR", flow="checkout")
    for path in (f"/o/{organisation.slug}", f"/o/{organisation.slug}/donate"):
        page = client.get(path).content.decode()
        assert "has disconnected its Stripe account: it takes no gifts here for now." in page
        assert "Continue to payment" not in page
    assert client.get(f"/o/{organisation.slug}/ledger").status_code == 200


def test_what_can_be_read_still_is_booked_whatever_the_order(stripe_account, organisation):
    stripe_account.put("balance_transactions", transaction("charge", 5000, source=charge()))
    goodbye()
    drain_due()

    late = stored(type="charge.updated")
    drain_due()

    assert outcome(late) == ("done", "")
    assert Entry.objects.filter(sequence__gt=0).count() == 1


def test_who_connects_again_goes_on_where_it_was_left(stripe_server, organisation):
    goodbye()
    late = stored(type="charge.updated")
    drain_due()
    account = stripe_server.accounts["acct_1"]
    account.put("balance_transactions", transaction("charge", 5000, source=charge()))
    note_connection(organisation=organisation)

    process_again(event=late)
    drain_due()

    assert outcome(late) == ("done", "")
    assert Entry.objects.filter(sequence__gt=0).count() == 1


def test_an_old_goodbye_told_late_ends_nothing(stripe_account, organisation):
    note_connection(organisation=organisation)

    one = goodbye(created=1_700_000_000)
    drain_due()

    assert outcome(one) == ("done", "")
    assert state_of(organisation).disconnected_at is None
