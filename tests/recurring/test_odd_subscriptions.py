"""Subscriptions of which Stripe says what nobody expects: they trouble themselves alone."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from common.stripe_api import client as stripe_client
from donations.models import Donation
from donations.services.promises import promise_donation
from reviews.models import Case
from tests.recurring.conftest import EMAIL, Giver, states, subjects
from tests.recurring.test_me import come_in
from tests.webhooks.messages import deliver, event
from webhooks.models import StripeEvent
from webhooks.services import draining
from webhooks.services.draining import drain_due

Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def stripe_tells(monkeypatch) -> dict[str, Change]:
    """What changes Stripe's answers about subscriptions, by their ids; it may raise instead."""
    changes: dict[str, Change] = {}
    service = type(stripe_client().v1.subscriptions)

    def changed(ask):
        def answer(self, name, *arguments, **more):
            told = ask(self, name, *arguments, **more).to_dict(for_json=True)
            changes.get(name, lambda _told: None)(told)
            return stripe.Subscription.construct_from(told, "sk_test_1")

        return answer

    for name in ("retrieve", "update"):
        monkeypatch.setattr(service, name, changed(getattr(service, name)))
    return changes


@pytest.fixture
def running(giver) -> Giver:
    """A gift that repeats."""
    giver.pay()
    giver.tell()
    return giver


@pytest.fixture
def other(running) -> Giver:
    """Another one, to the same organisation."""
    promised = promise_donation(
        organisation=running.organisation,
        amount=3000,
        currency="EUR",
        flow=Donation.Flow.CHECKOUT,
        interval="month",
        donor_email="ann@example.org",
    )
    other = Giver(running.sandbox, running.organisation, promised.donation)
    other.pay()
    other.tell()
    return other


def telling(**fields) -> Change:
    """Return what changes fields of a subscription."""
    return lambda told: told.update(fields)


def pricing(quantity: int | None = 1, **price) -> Change:
    """Return what changes the price and the quantity of a subscription."""

    def change(told):
        [item] = told["items"]["data"]
        item["quantity"] = quantity
        item["price"].update(price)

    return change


def without_its_period(told):
    """Leave out when the next payment is due."""
    del told["items"]["data"][0]["current_period_end"]


def refuse(_told):
    """Refuse, as Stripe does what it does not have."""
    raise stripe.InvalidRequestError("No such subscription", "id", http_status=404)


def standing(giver):
    recurring = giver.recurring
    return recurring.status, recurring.amount, recurring.next_at, recurring.ended_at


def let_a_month_go_by(*givers):
    """Let payments come, and what tells of them be acted on once."""
    for giver in givers:
        giver.renew()
    for told in givers[0].events():
        deliver(told)
    drain_again()


def drain_again():
    StripeEvent.objects.update(next_attempt_at="2026-01-01T00:00:00Z")
    drain_due()


def unfinished():
    return StripeEvent.objects.exclude(status="done")


@pytest.mark.parametrize(
    "odd",
    [
        telling(status="brand_new"),
        telling(status="brand_new", pause_collection={"behavior": "void"}),
        pricing(unit_amount=None, billing_scheme="tiered", tiers_mode="graduated"),
        pricing(unit_amount=None, unit_amount_decimal="1000.5"),
        pricing(unit_amount=0),
        pricing(quantity=0),
        pricing(unit_amount=2**53),
        pricing(unit_amount=1050, currency="isk"),
        telling(items={"object": "list", "data": []}),
        without_its_period,
    ],
)
def test_what_stripe_does_not_say_stays_as_it_was_known(running, stripe_tells, odd):
    before = standing(running)
    stripe_tells[running.subscription] = odd

    running.renew()
    running.tell()

    status, amount, next_at, ended_at = standing(running)
    assert (status, amount, ended_at) == ("active", 1000, None)
    assert next_at >= before[2]
    assert len(states(running.organisation)) == 2


@pytest.mark.parametrize(
    ("odd", "amount"), [(pricing(quantity=None), 1000), (pricing(quantity=3), 3000)]
)
def test_what_has_no_quantity_is_given_once(running, stripe_tells, odd, amount):
    stripe_tells[running.subscription] = odd

    running.renew()
    running.tell()

    assert running.recurring.amount == amount


def test_what_nobody_knows_to_have_begun_has_not(giver, stripe_tells):
    giver.pay()
    stripe_tells[giver.subscription] = telling(status="brand_new")

    giver.tell()

    assert (giver.recurring.status, giver.recurring.started_at) == ("pending", None)
    assert subjects() == []


@pytest.mark.parametrize(
    "trouble",
    [
        refuse,
        telling(items=None),
        # It is read, and cannot be kept.
        telling(status="canceled", ended_at=1, cancellation_details={"reason": "x" * 99}),
    ],
)
def test_what_cannot_be_read_or_kept_holds_up_its_own_events_alone(
    running, other, stripe_tells, trouble, caplog
):
    before = standing(running)
    stripe_tells[running.subscription] = trouble

    let_a_month_go_by(running, other)

    assert standing(running) == before
    assert other.recurring.next_at > before[2]
    assert len(states(running.organisation)) == 4
    assert {status for status, *_ in states(running.organisation)} == {"settled"}
    waiting = {one.id: one for one in unfinished()}
    assert waiting
    assert {(one.status, one.attempts) for one in waiting.values()} == {("pending", 1)}
    assert all(running.subscription in str(one.payload) for one in waiting.values())
    failed = [record.id for record in caplog.records if record.message == "event failed"]
    assert sorted(failed) == sorted(waiting)

    stripe_tells.clear()
    drain_again()

    assert not unfinished().exists()
    assert running.recurring.next_at > before[2]


def test_what_stays_unreadable_ends_with_staff(running, stripe_tells):
    stripe_tells[running.subscription] = refuse
    let_a_month_go_by(running)
    for _ in range(draining.ATTEMPTS_MAX - 1):
        drain_again()

    assert set(unfinished().values_list("status", flat=True)) == {"parked"}
    parked = set(unfinished().values_list("id", flat=True))
    assert set(Case.objects.values_list("subject", flat=True)) == parked
    assert len(states(running.organisation)) == 2


def test_an_event_that_says_no_proper_subscription_fails_alone(running, other):
    nothing = {"object": "invoice", "id": "in_odd", "parent": {"subscription_details": {"a": 1}}}
    account = running.organisation.stripe_account
    odd = event("invoice.paid", account=account, data={"object": nothing})
    deliver(odd)

    let_a_month_go_by(running, other)

    assert [(one.id, one.status, one.note) for one in unfinished()] == [
        (odd["id"], "pending", "KeyError: 'subscription'")
    ]
    assert len(states(running.organisation)) == 4


def test_while_stripe_does_not_answer_for_one_all_wait(running, other, stripe_tells):
    def silence(_told):
        raise stripe.APIConnectionError("Nobody answers")

    stripe_tells[running.subscription] = silence

    let_a_month_go_by(running, other)

    assert len(states(running.organisation)) == 2
    assert set(unfinished().values_list("status", "attempts")) == {("pending", 0)}


@pytest.mark.parametrize(
    ("odd", "status"),
    [
        (pricing(unit_amount=None), "paused"),
        (telling(status="brand_new"), "active"),
        (telling(items={"object": "list", "data": []}), "paused"),
    ],
)
def test_a_gift_of_which_little_is_known_is_paused_by_its_donor(
    client, running, stripe_tells, odd, status
):
    come_in(client, EMAIL)
    stripe_tells[running.subscription] = odd

    answer = client.post(f"/me/gifts/{running.recurring.id}/pause", {"key": "k" * 16})

    assert (answer.status_code, answer["Location"]) == (303, "/me")
    assert (running.recurring.status, running.recurring.amount) == (status, 1000)
    assert client.get("/me").status_code == 200
