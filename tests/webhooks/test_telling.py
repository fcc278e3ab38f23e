"""What is told of what happens: once for each fact, thin, and only to who listens."""

import json
from types import SimpleNamespace

import pytest
from django.db import transaction

from donations.models import Donation
from donations.services import gifts
from donations.services.gifts import Payment
from ledger.models import Entry
from ledger.operations import MoneyOperation
from tests.factories import (
    NOON,
    ApplicantFactory,
    DonationFactory,
    OrganisationFactory,
    gift_entries,
)
from tests.treasury.movements import book_all, charged, movement
from tests.webhooks.subscribers import endpoint_at
from treasury.signals import payout_arrived
from webhooks.errors import EndpointDisabled
from webhooks.models import BookReading, Delivery, Message, Topic
from webhooks.services import telling
from webhooks.services.subscribing import disable_endpoint, enable_endpoint
from webhooks.services.telling import resend, send_test, tell_entries

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.org/almoner"


def told(type=None):
    messages = Message.objects.order_by("id")
    return [
        json.loads(message.body) for message in messages if type is None or message.type == type
    ]


def types():
    return [message["type"] for message in told()]


def settle(gift, fee=0):
    paid = charged(gift.amount, fee, donation_id=gift.id)
    book_all(gift.organisation, paid)
    tell_entries()


RECEIVED = {
    "operation": "DONATION_RECEIVED",
    "amount": 5000,
    "currency": "EUR",
    "debit": "stripe",
    "credit": "fund:general",
}


def test_a_gift_is_told_from_its_payment_to_the_ledger(organisation):
    endpoint_at(URL, organisation)
    gift = DonationFactory(organisation=organisation, donor_email="donor@example.org")

    gifts.mark_paid(organisation=organisation, payments=[Payment(gift.id, NOON)])
    gifts.mark_paid(organisation=organisation, payments=[Payment(gift.id, NOON)])
    settle(gift, fee=170)
    tell_entries()

    assert types() == ["donation.paid", "entry.appended", "donation.settled", "entry.appended"]
    [message] = told("donation.paid")
    common = {
        "organisation": organisation.id,
        "donation": gift.id,
        "amount": 5000,
        "currency": "EUR",
        "fund": "general",
        "refunded_amount": 0,
    }
    assert message == {
        "type": "donation.paid",
        "timestamp": "2026-11-21T12:00:00Z",
        "data": {**common, "status": "paid"},
    }
    entry = Entry.objects.of(organisation).get(operation=MoneyOperation.DONATION_RECEIVED)
    [message] = told("donation.settled")
    received = {"sequence": entry.sequence, **RECEIVED, "entry_hash": entry.entry_hash}
    assert message["data"] == {**common, "status": "settled", "entry": received}
    assert told("entry.appended")[0]["data"] == {
        "organisation": organisation.id,
        "entry": received,
    }
    assert "donor@example.org" not in str(told())
    assert Delivery.objects.count() == 4


def test_a_gift_that_is_booked_before_its_payment_was_told_is_paid_too(organisation):
    endpoint_at(URL, organisation, "donation.paid", "donation.settled")
    gift = DonationFactory(organisation=organisation)

    settle(gift)
    gifts.mark_paid(organisation=organisation, payments=[Payment(gift.id, NOON)])

    assert types() == ["donation.paid", "donation.settled"]


def test_what_is_taken_back_and_returned_is_told_each_time(organisation):
    endpoint_at(URL, organisation, *(each for each in Topic if each != Topic.ENTRY_APPENDED))
    gift = DonationFactory(organisation=organisation)
    paid = charged(5000, charge="ch_1", donation_id=gift.id)
    story = [
        ("refund", -2000, "partially_refunded", "donation.refunded"),
        ("refund_failure", 2000, "settled", "donation.refund_failed"),
        ("refund", -2000, "partially_refunded", "donation.refunded"),
        ("dispute", -3000, "disputed", "dispute.opened"),
        ("dispute_reversal", 3000, "partially_refunded", "dispute.won"),
    ]
    book_all(organisation, paid)

    for category, amount, *_ in story:
        book_all(organisation, movement(category, amount, charge="ch_1"))
        tell_entries()

    after = [message["data"] for message in told()[2:]]
    assert types()[2:] == [topic for *_, topic in story]
    assert [known["status"] for known in after] == [status for _, _, status, _ in story]
    assert [known["entry"]["amount"] for known in after] == [2000, 2000, 2000, 3000, 3000]
    assert {known["donation"] for known in after} == {gift.id}


def test_money_that_came_past_us_is_an_entry_and_no_gift(organisation):
    endpoint_at(URL, organisation)
    book_all(organisation, charged(5000), movement("payout", -100))

    tell_entries()

    assert types() == ["entry.appended", "entry.appended"]


def test_a_payment_that_failed_is_told_and_one_that_was_let_go_is_not(organisation):
    endpoint_at(URL, organisation)
    failed, canceled = DonationFactory.create_batch(
        2, organisation=organisation, flow=Donation.Flow.PAYMENT_INTENT
    )
    for gift, ended_as in ((failed, "failed"), (canceled, "canceled"), (failed, "failed")):
        gifts.mark_ended(
            organisation=organisation,
            donation_id=gift.id,
            flow=gift.flow,
            ended_as=ended_as,
            ended_at=NOON,
        )

    assert types() == ["donation.failed"]
    assert told()[0]["data"]["donation"] == failed.id


def test_a_payout_that_arrived_is_told_once(organisation):
    endpoint_at(URL, organisation)
    payout = SimpleNamespace(
        organisation_id=organisation.id,
        stripe_id="po_1",
        amount=4910,
        currency="EUR",
        paid_at=NOON,
    )

    payout_arrived.send(SimpleNamespace, payout=payout)
    payout_arrived.send(SimpleNamespace, payout=payout)

    [message] = told()
    assert message == {
        "type": "payout.arrived",
        "timestamp": "2026-11-21T12:00:00Z",
        "data": {
            "organisation": organisation.id,
            "payout": "po_1",
            "amount": 4910,
            "currency": "EUR",
        },
    }


def test_what_did_not_happen_is_not_told(organisation):
    endpoint_at(URL, organisation)
    gift = DonationFactory(organisation=organisation)

    with transaction.atomic():
        gifts.mark_paid(organisation=organisation, payments=[Payment(gift.id, NOON)])
        transaction.set_rollback(True)

    assert told() == []


def test_what_nobody_asked_for_is_not_written(organisation):
    endpoint_at(URL, organisation, "donation.settled")
    gift = DonationFactory(organisation=organisation)

    gifts.mark_paid(organisation=organisation, payments=[Payment(gift.id, NOON)])

    assert told() == []


def test_everybody_hears_what_they_asked_for(organisation):
    of_entries = endpoint_at(f"{URL}/1", organisation, "entry.appended").endpoint
    of_gifts = endpoint_at(f"{URL}/2", organisation, "donation.settled").endpoint
    of_all = endpoint_at(f"{URL}/3", organisation).endpoint
    endpoint_at(f"{URL}/4", OrganisationFactory())

    gift_entries(organisation, 2)
    tell_entries()

    assert of_entries.deliveries.count() == of_all.deliveries.count() == 2
    assert of_gifts.deliveries.count() == 0
    assert Delivery.objects.count() == 4
    assert Message.objects.count() == 2


def test_it_begins_when_somebody_listens(organisation):
    gift_entries(organisation, 3)
    assert tell_entries() == 0
    endpoint_at(URL, organisation)
    assert tell_entries() == 0

    gift_entries(organisation, 1, first=3)

    assert tell_entries() == 1
    assert told()[0]["data"]["entry"]["sequence"] == 4


def test_a_second_listener_loses_nothing_for_the_first(organisation):
    endpoint_at(URL, organisation)
    gift_entries(organisation)

    endpoint_at(f"{URL}/2", organisation)

    assert tell_entries() == 1


def test_what_happens_while_nobody_listens_is_not_made_up_for(organisation):
    endpoint = endpoint_at(URL, organisation).endpoint
    disable_endpoint(endpoint=endpoint, reason="A pause.")
    gift_entries(organisation)
    assert tell_entries() == 0

    enable_endpoint(endpoint=endpoint)

    assert tell_entries() == 0
    gift_entries(organisation, 1, first=1)
    assert tell_entries() == 1


def test_a_long_book_is_read_piece_by_piece(organisation, monkeypatch):
    monkeypatch.setattr(telling, "ENTRIES_MAX", 2)
    endpoint_at(URL, organisation)
    gift_entries(organisation, 5)

    assert [tell_entries() for _ in range(4)] == [2, 2, 1, 0]

    sequences = [message["data"]["entry"]["sequence"] for message in told()]
    assert sequences == [1, 2, 3, 4, 5]


def test_an_organisation_without_a_book_has_nothing_to_tell():
    applicant = ApplicantFactory()

    endpoint_at(URL, applicant)

    assert BookReading.objects.get(organisation=applicant).told == 0
    assert tell_entries() == 0


def test_the_same_again_is_not_told_twice(organisation):
    endpoint_at(URL, organisation)
    gift_entries(organisation)
    tell_entries()

    BookReading.objects.update(told=0)  # as after a restored backup

    assert tell_entries() == 2
    assert types() == ["entry.appended", "entry.appended"]
    assert {message["data"]["entry"]["sequence"] for message in told()} == {0, 1}


@pytest.mark.django_db(transaction=True)
def test_a_book_that_another_worker_reads_is_left_to_it(organisation, superuser_connection):
    endpoint_at(URL, organisation)
    gift_entries(organisation)
    lock = "SELECT FROM webhooks_bookreading FOR UPDATE"
    with superuser_connection.transaction():
        superuser_connection.execute(lock)
        assert tell_entries() == 0

    assert tell_entries() == 1


def test_nothing_is_sent_to_one_that_is_disabled(organisation):
    endpoint = endpoint_at(URL, organisation).endpoint
    delivery = send_test(endpoint=endpoint)
    endpoint = disable_endpoint(endpoint=endpoint, reason="A pause.")

    with pytest.raises(EndpointDisabled):
        send_test(endpoint=endpoint)
    with pytest.raises(EndpointDisabled):
        resend(delivery=delivery)


def test_a_payment_of_an_organisation_where_nobody_listens_costs_one_question(
    organisation, django_assert_num_queries
):
    gift = DonationFactory(organisation=organisation)

    with django_assert_num_queries(1):
        telling.tell_of_gift(donation=gift, topic=Topic.DONATION_PAID, happened_at=NOON)


def test_rows_say_what_they_are(organisation):
    endpoint = endpoint_at(URL, organisation).endpoint
    delivery = send_test(endpoint=endpoint)

    assert str(endpoint) == endpoint.id
    assert str(delivery) == delivery.id
    assert str(delivery.message) == f"{delivery.message_id} webhook.test"
    assert str(endpoint.secrets.get()).startswith("wes_")
    assert str(BookReading.objects.get()) == f"{organisation.id} to 1"
