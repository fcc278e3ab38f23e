"""The drain: what becomes of the events that were stored."""

from datetime import timedelta
from unittest import mock

import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from common import stripe_api
from common.errors import TryAgainLater
from common.stripe_api import client
from donations.models import Donation
from ledger.models import Entry
from reviews.models import Case
from tests.factories import (
    NOON,
    ApplicantFactory,
    DonationFactory,
    OrganisationFactory,
    StripeReadingFactory,
    UserFactory,
)
from tests.reviews.deciding import close_case
from tests.stripe_resources import MORNING, charge, payout, refund, transaction
from tests.stripe_story import TROUBLES
from tests.webhooks.messages import EMAIL, deliver, event
from treasury.models import BalanceTransaction, Payout, StripeReading
from treasury.services import sweeping
from treasury.tasks import sweep_account
from webhooks.errors import NotAgain
from webhooks.models import StripeEvent
from webhooks.services import draining
from webhooks.services.draining import drain_due, process_again


def stored(**changes):
    message = event(**changes)
    assert deliver(message).status_code == 200
    return StripeEvent.objects.get(id=message["id"])


def make_due():
    StripeEvent.objects.update(next_attempt_at=timezone.now())


def states():
    return dict(StripeEvent.objects.values_list("id", "status"))


def waiting_seconds(one):
    one.refresh_from_db()
    return (one.next_attempt_at - timezone.now()).total_seconds()


def test_a_due_event_has_its_account_read_and_booked(stripe_account):
    stripe_account.put("balance_transactions", transaction("charge", 5000, 100, source=charge()))
    one = stored(type="charge.updated")

    assert drain_due() == 1

    one.refresh_from_db()
    assert (one.status, one.attempts, one.note) == ("done", 1, "")
    assert one.processed_at
    assert BalanceTransaction.objects.count() == 1
    assert drain_due() == 0


def test_an_event_that_is_done_forgets_who_paid(stripe_account):
    who = {"email": EMAIL, "name": "Zoe", "phone": "1", "address": {"city": "Gent"}}
    thing = {
        **event()["data"]["object"],
        "customer_details": who,
        "billing_details": who,
        "evidence": who,
        "last_payment_error": {"code": "x", "payment_method": {"billing_details": who}},
        "amount": 5000,
    }
    one = stored(data={"object": thing, "previous_attributes": {"receipt_email": EMAIL}})
    assert EMAIL in str(one.payload)

    drain_due()

    one.refresh_from_db()
    assert one.payload["data"] == {
        "object": {
            "id": "pi_1",
            "object": "payment_intent",
            "amount": 5000,
            "last_payment_error": {"code": "x"},
        }
    }
    assert one.payload["type"] == "charge.updated"


@pytest.mark.parametrize("type_", ["donation.telepathy.received", "x"])
def test_an_event_of_any_type_has_its_account_read(
    stripe_account, stripe_server, organisation, type_
):
    StripeReadingFactory(organisation=organisation, imported_at=NOON)
    stripe_account.put("balance_transactions", transaction("charge", 5000, source=charge()))
    stored(type=type_)

    drain_due()

    assert [path.partition("?")[0] for path in stripe_server.asked] == [
        "/v1/balance_transactions",
        "/v1/balance",
    ]
    assert BalanceTransaction.objects.count() == 1


def test_a_history_that_is_long_comes_before_events(
    stripe_account, stripe_server, organisation, monkeypatch
):
    monkeypatch.setattr(sweeping, "ROWS_MAX", 3)
    moved = [transaction("fee", -1) for _ in range(9)]
    stripe_account.put("balance_transactions", *moved)
    one = stored()

    drain_due()

    one.refresh_from_db()
    assert (one.status, one.attempts) == ("pending", 0)
    assert one.note == "The account's history is booked first."
    assert not BalanceTransaction.objects.exists()
    assert ProcrastinateJob.objects.get().task_name == "treasury.tasks.sweep_account"
    sweep_account(organisation.pk)
    StripeEvent.objects.update(next_attempt_at=NOON)
    drain_due()
    one.refresh_from_db()
    assert one.status == "done"
    assert BalanceTransaction.objects.count() == 9


@pytest.mark.django_db(transaction=True)
def test_while_a_history_that_is_booked_is_refused_its_events_count_and_then_staff_see_them(
    stripe_server, organisation
):
    # The account is none of the server's: Stripe refuses the sweep as well.
    StripeReadingFactory(organisation=organisation, swept_until=NOON, imported_at=None)
    one = stored()
    sweep_account(organisation.pk)
    for attempt in range(1, draining.ATTEMPTS_MAX + 1):
        assert states() == {one.id: "pending"}
        make_due()
        drain_due()
        one.refresh_from_db()
        assert (one.attempts, one.note) == (
            attempt,
            "StripeRefused: Stripe refused: account_invalid.",
        )

    assert states() == {one.id: "parked"}
    assert Case.objects.get().subject == one.id
    assert ProcrastinateJob.objects.get().task_name == "treasury.tasks.sweep_account"
    # It was mended: the sweep gets through, and so does what waited.
    stripe_server.accounts["acct_1"].put("balance_transactions", transaction("fee", -1))
    sweep_account(organisation.pk)
    process_again(event=one)
    drain_due()
    assert states() == {one.id: "done"}


@pytest.mark.django_db(transaction=True)
def test_while_stripe_is_away_from_a_history_its_events_wait_without_counting(
    stripe_server, stripe_account, organisation
):
    StripeReadingFactory(organisation=organisation, swept_until=NOON, imported_at=None)
    one = stored()
    stripe_server.trouble = "500"
    for _ in range(draining.ATTEMPTS_MAX + 1):
        sweep_account(organisation.pk)
        make_due()
        drain_due()

    one.refresh_from_db()

    assert (one.status, one.attempts) == ("pending", 0)
    assert one.note == "The account's history is booked first."


def test_an_event_about_a_payout_has_the_payouts_read_too(
    stripe_account, stripe_server, organisation
):
    StripeReadingFactory(organisation=organisation, imported_at=NOON)
    one = payout(4900)
    rows = [
        transaction("charge", 5000, 100, source=charge()),
        transaction("payout", -4900, id=one["balance_transaction"], source=one["id"]),
    ]
    stripe_account.put("payouts", one)
    stripe_account.put("balance_transactions", *rows)
    stripe_account.compositions[one["id"]] = [row["id"] for row in rows]
    for type_ in ("payout.reconciliation_completed", "balance.available"):
        stored(type=type_)
        drain_due()

    assert [path.partition("?")[0] for path in stripe_server.asked] == [
        *("/v1/balance_transactions", "/v1/balance", "/v1/payouts", "/v1/balance_transactions"),
        *("/v1/balance_transactions", "/v1/balance"),
    ]
    kept = Payout.objects.get()
    assert (kept.stripe_id, kept.composition_is_whole) == (one["id"], True)


def test_while_payouts_cannot_be_read_their_events_wait(stripe_account, stripe_server, monkeypatch):
    def away(_organisation):
        raise TryAgainLater

    stripe_account.put("payouts", payout(4900, automatic=False))
    one = stored(type="payout.paid")
    with monkeypatch.context() as patch:
        patch.setattr(draining, "read_payouts", away)
        drain_due()
    assert (states(), Payout.objects.count()) == ({one.id: "pending"}, 0)

    make_due()
    drain_due()

    assert (states(), Payout.objects.count()) == ({one.id: "done"}, 1)


def test_ignored_events_are_not_taken_up(organisation, stripe_server):
    stored(account="acct_other")
    stored(livemode=True)

    assert drain_due() == 0
    assert stripe_server.asked == []


def test_the_accounts_take_turns_the_oldest_event_first(stripe_server, organisation):
    other = OrganisationFactory(stripe_account="acct_2")
    accounts = ["acct_1", "acct_2", "acct_1", "acct_2", "acct_2"]
    for account in accounts:
        stored(account=account)
        stripe_server.accounts[account].now = 0

    counts = [drain_due() for _ in range(3)]

    assert counts == [2, 3, 0]
    assert set(states().values()) == {"done"}
    read = StripeReading.objects.order_by("read_at").values_list("organisation_id", flat=True)
    assert list(read) == [organisation.id, other.id]


def test_a_long_queue_is_taken_up_in_parts(stripe_account, monkeypatch):
    monkeypatch.setattr(draining, "BATCH_MAX", 2)
    for _ in range(3):
        stored()

    assert [drain_due() for _ in range(3)] == [2, 1, 0]


def test_events_wait_longer_each_time_and_then_for_staff(stripe_server, organisation):
    # The account is none of the server's: Stripe refuses, as it does after a disconnection.
    one, other = stored(), stored()
    for attempt in range(1, draining.ATTEMPTS_MAX):
        make_due()
        assert drain_due() == 2
        assert 2 ** (attempt - 1) - 1 < waiting_seconds(one) <= 2**attempt
        assert (one.status, one.attempts) == ("pending", attempt)
        assert one.note == "StripeRefused: Stripe refused: account_invalid."
    assert not Case.objects.exists()

    make_due()
    drain_due()

    assert states() == {one.id: "parked", other.id: "parked"}
    case = Case.objects.get(subject=one.id)
    assert (case.kind, case.organisation) == ("parked_event", organisation)
    assert case.summary == (
        "charge.updated failed 8 times. StripeRefused: Stripe refused: account_invalid."
    )
    make_due()
    assert drain_due() == 0


def test_who_closed_the_case_of_an_event_hears_of_it_when_it_fails_again(stripe_server, db):
    OrganisationFactory(stripe_account="acct_gone")
    one = stored(account="acct_gone")
    for summary in ("failed", "failed again"):
        StripeEvent.objects.update(attempts=draining.ATTEMPTS_MAX - 1)
        make_due()
        drain_due()
        assert states() == {one.id: "parked"}
        case = Case.objects.get(subject=one.id, closed_at=None)
        close_case(case=case, closed_by=UserFactory(), reason=f"It {summary}, and was looked at.")
        process_again(event=one)

    assert Case.objects.filter(subject=one.id).count() == 2


def test_an_answer_that_nobody_expects_is_a_failure_like_others(stripe_account):
    nameless = {"object": "balance_transaction", "source": None, "created": MORNING}
    stripe_account.put("balance_transactions", nameless)
    one = stored()

    drain_due()

    one.refresh_from_db()
    assert (one.status, one.attempts, one.note) == ("pending", 1, "KeyError: 'id'")


def test_a_poisonous_event_does_not_stop_the_others(stripe_account, organisation, caplog):
    gift = DonationFactory(organisation=organisation)
    named = {"metadata": {"donation_id": gift.id}}
    before = stored(type="charge.succeeded", data={"object": charge()})
    poison = stored(type="charge.succeeded", data={"object": {**named, "billing_details": [EMAIL]}})
    after = stored(type="payment_intent.succeeded", data={"object": named})
    stripe_account.put("balance_transactions", transaction("fee", -25))
    for _ in range(draining.ATTEMPTS_MAX):
        make_due()
        drain_due()

    assert states() == {before.id: "done", poison.id: "parked", after.id: "done"}
    assert Donation.objects.get().status == "paid"
    assert BalanceTransaction.objects.count() == 1
    case = Case.objects.get()
    assert case.subject == poison.id
    assert "AttributeError: 'list' object has no attribute 'get'" in case.summary
    records = [record for record in caplog.records if record.message == "event failed"]
    assert len(records) == draining.ATTEMPTS_MAX
    assert records[0].id == poison.id
    assert "handling.py" in records[0].where
    assert EMAIL not in str(vars(records[0]))


def test_what_the_database_says_of_a_row_is_told_to_nobody(stripe_account, organisation, caplog):
    gift = DonationFactory(organisation=organisation, donor_email=EMAIL)
    paid = charge(donation=gift.id)
    received = transaction("charge", 5000, source=paid)
    returned = transaction("refund", -6000, source=refund(paid, 6000))
    stripe_account.put("balance_transactions", received, returned)
    stored()

    drain_due()

    case = Case.objects.get()
    assert "donation_refund_is_of_its_amount" in case.summary
    assert EMAIL not in case.summary
    assert EMAIL not in caplog.text


@pytest.mark.parametrize("trouble", [*TROUBLES, "nobody listens"])
def test_while_stripe_is_away_events_wait_and_nothing_is_lost(
    stripe_server, stripe_account, organisation, trouble, settings
):
    stripe_account.put("balance_transactions", transaction("charge", 5000, source=charge()))
    one = stored()
    begin_trouble(stripe_server, trouble, settings)

    assert drain_due() == 1

    assert 0 < waiting_seconds(one) <= 10
    assert (one.status, one.attempts) == ("pending", 0)
    assert one.note.startswith("Stripe does not answer at the moment; nothing was lost.")
    reading = StripeReading.objects.get()
    assert (reading.organisation, reading.error) == (organisation, one.note)
    since = reading.failing_since
    assert since
    make_due()
    drain_due()
    assert StripeReading.objects.get().failing_since == since
    assert not Entry.objects.filter(sequence__gt=0).exists()

    begin_trouble(stripe_server, "", settings)
    make_due()
    drain_due()

    one.refresh_from_db()
    assert (one.status, one.note) == ("done", "")
    reading = StripeReading.objects.get()
    assert (reading.failing_since, reading.error) == (None, "")
    assert Entry.objects.filter(sequence__gt=0).count() == 1


def begin_trouble(server, trouble, settings):
    is_there = trouble != "nobody listens"
    settings.STRIPE_API_BASE = server.url if is_there else "http://127.0.0.1:1"
    client.cache_clear()
    if trouble == "silence":
        with mock.patch.object(stripe_api, "READ_SECONDS", 0.3):
            client()  # it is kept, with its patience
    server.trouble = trouble if is_there else ""


def test_an_outage_however_long_parks_nothing(stripe_server, stripe_account):
    one = stored()
    stripe_server.trouble = "500"
    for _ in range(60):
        make_due()
        drain_due()

    one.refresh_from_db()

    assert (one.status, one.attempts) == ("pending", 0)
    assert not Case.objects.exists()


@pytest.mark.parametrize("status", ["done", "parked"])
def test_staff_have_an_event_processed_again(stripe_account, status):
    one = stored()
    drain_due()
    StripeEvent.objects.update(status=status, attempts=8, note="It failed.")

    again = process_again(event=one)

    assert (again.status, again.attempts, again.note) == ("pending", 0, "")
    with pytest.raises(NotAgain):
        process_again(event=one)
    assert drain_due() == 1
    assert states() == {one.id: "done"}


def test_an_ignored_event_finds_its_account_later(stripe_server, db):
    one = stored(account="acct_new")
    assert process_again(event=one).note == "unknown account"
    ApplicantFactory(stripe_account="acct_new")
    assert process_again(event=one).note == "organisation is not approved"
    assert drain_due() == 0
    OrganisationFactory(stripe_account="acct_newer")
    StripeEvent.objects.update(account="acct_newer")

    again = process_again(event=one)

    assert (again.status, again.organisation.stripe_account) == ("pending", "acct_newer")


def test_an_event_is_due_from_its_moment_on(organisation):
    one = stored()
    due = StripeEvent.objects.due

    assert str(one) == f"{one.id} charge.updated"
    assert not due(one.next_attempt_at - timedelta(microseconds=1)).exists()
    assert due(one.next_attempt_at).exists()
