"""docs/webhooks.md is true: its examples are what is sent, and its programs verify it."""

import json
import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from donations.models import Donation
from donations.services import gifts
from tests.factories import NOON, DonationFactory
from tests.treasury.movements import book_all, charged, movement
from tests.webhooks.programs import ROOT
from tests.webhooks.subscribers import endpoint_at
from treasury.signals import payout_arrived
from webhooks.models import Message, Topic
from webhooks.services.outcomes import PAUSES
from webhooks.services.sending import pack
from webhooks.services.telling import send_test, tell_entries

pytestmark = pytest.mark.django_db
PAGE = (ROOT / "docs/webhooks.md").read_text(encoding="utf-8")
EXAMPLES = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
WITH_THE_LIBRARY, BY_HAND = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def shape(value):
    """Return what a message is made of, without what it says."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    return type(value).__name__


@pytest.fixture
def endpoint(organisation):
    """An endpoint that is told everything, with its secret."""
    return endpoint_at("https://hooks.example.org/", organisation)


def tell_everything(organisation):
    lost, given = DonationFactory.create_batch(2, organisation=organisation)
    Donation.objects.filter(pk=lost.pk).update(flow=Donation.Flow.PAYMENT_INTENT)
    gifts.mark_ended(
        organisation=organisation,
        donation_id=lost.id,
        flow=Donation.Flow.PAYMENT_INTENT,
        ended_as="failed",
        ended_at=NOON,
    )
    book_all(organisation, charged(5000, 170, charge="ch_1", donation_id=given.id))
    for category, amount in (
        ("refund", -2000),
        ("refund_failure", 2000),
        ("dispute", -5000),
        ("dispute_reversal", 5000),
    ):
        book_all(organisation, movement(category, amount, charge="ch_1"))
    payout = SimpleNamespace(
        organisation_id=organisation.id, stripe_id="po_1", amount=1, currency="EUR", paid_at=NOON
    )
    payout_arrived.send(SimpleNamespace, payout=payout)
    tell_entries()


def test_every_event_has_an_example_of_exactly_its_form(organisation, endpoint):
    tell_everything(organisation)
    send_test(endpoint=endpoint.endpoint)

    told = {message.type: json.loads(message.body) for message in Message.objects.all()}

    assert set(told) == {*Topic, "webhook.test"}
    assert {example["type"]: shape(example) for example in EXAMPLES} == {
        type: shape(message) for type, message in told.items()
    }
    for example in EXAMPLES:
        assert f"| `{example['type']}` |" in PAGE
        known, entry = told[example["type"]]["data"], example["data"].get("entry", {})
        if example["type"] != "entry.appended":
            assert entry.get("operation") == known.get("entry", {}).get("operation")


@pytest.mark.parametrize("program", [WITH_THE_LIBRARY, BY_HAND])
def test_both_programs_take_what_is_ours_and_nothing_else(endpoint, program):
    names: dict = {}
    exec(program, names)
    verify = names.get("received") or names["is_ours"]
    delivery = send_test(endpoint=endpoint.endpoint)
    parcel = pack(delivery, endpoint.endpoint)
    headers = parcel.headers(datetime.now(UTC))

    assert verify(parcel.body.encode(), headers, endpoint.secret)

    try:
        is_taken = verify(parcel.body.encode() + b" ", headers, endpoint.secret)
    except Exception as error:  # the library raises, the other says no
        is_taken = "No matching signature" not in str(error)
    assert not is_taken


def test_the_waits_are_those_of_the_table():
    [row] = re.findall(r"\| wait, on average \| (.*) \| given up \|", PAGE)
    units = {"s": 1, "min": 60, "h": 3600}
    waits = [int(number) * units[unit] for number, unit in map(str.split, row.split(" | "))]

    assert waits == [pause.total_seconds() for pause in PAUSES]
