"""The whole story, with real programs that are killed and a Stripe that is out of order."""

import random
import time

import pytest
import requests

from tests.stripe_story import ACCOUNT, TROUBLES, Story, sign
from tests.webhooks.messages import URL
from tests.webhooks.programs import programs, until
from tests.webhooks.test_story import BALANCE, BOOKED

KILLS = 10
WAITING = "SELECT 1 FROM webhooks_stripeevent WHERE status = 'pending'"
AT_ONCE = "UPDATE webhooks_stripeevent SET next_attempt_at = now() WHERE status = 'pending'"
WRITTEN = """
    SELECT split_part(nonce, ':', 4), operation, amount, debit, credit
    FROM ledger_entry WHERE nonce LIKE 'stripe:%%'
"""
PROMISED = {
    "A": {"amount": 5000},
    "B": {"amount": 5000, "currency": "JPY", "flow": "payment_intent"},
    "D": {"amount": 12000},
    "E": {"amount": 1500},
}
STATES = {
    "A": "partially_refunded",
    "B": "disputed",
    "C": "settled",
    "D": "settled",
    "E": "failed",
}


@pytest.fixture
def house(django_db_setup, tmp_path):
    """A web server, a worker, and an organisation whose account tells the story."""
    with programs(tmp_path) as running:
        organisation_id = running.organisation(ACCOUNT)["id"]
        repeated = {"amount": 1000, "recurring_id": running.repeat(organisation_id)}
        promised = {**PROMISED, "C": repeated}
        running.gifts = {
            letter: running.give(organisation_id, **fields) for letter, fields in promised.items()
        }
        running.story = Story(running.gifts)
        running.story.fill(running.stripe.accounts[ACCOUNT])
        running.start("web")
        until(running.listens)
        yield running


def test_killed_ten_times_and_in_trouble_it_ends_in_the_same_books(house):
    dice = random.Random(5)
    events = house.story.events()
    dice.shuffle(events)

    for number in range(KILLS):
        house.stripe.trouble = dice.choice(["", "", *TROUBLES])
        for body in events[number::KILLS]:
            headers = {"Stripe-Signature": sign(body), "Content-Type": "application/json"}
            assert requests.post(house.url + URL, body, headers=headers, timeout=20).ok
        house.ask(AT_ONCE)
        asked = len(house.stripe.asked)
        house.start("worker")
        until(lambda asked=asked: len(house.stripe.asked) > asked)
        time.sleep(dice.uniform(0, 0.3))
        house.kill("worker")
    house.stripe.trouble = ""
    house.ask(AT_ONCE)
    house.start("worker")
    until(lambda: not house.ask(WAITING))

    check_the_books(house)


def check_the_books(house):
    """Check books, balances, gifts, events and cases."""
    assert sorted(house.ask(WRITTEN)) == sorted(BOOKED)
    places = house.ask("SELECT debits - credits FROM ledger_account WHERE name = 'stripe'")
    assert places == house.ask("SELECT available + pending FROM treasury_stripebalance")
    assert places == [(BALANCE,)]
    states = dict(house.ask("SELECT id, status FROM donations_donation"))
    assert {letter: states[gift] for letter, gift in house.gifts.items()} == STATES
    kinds = house.ask("SELECT kind FROM reviews_case ORDER BY kind")
    assert kinds == [("fraud_warning",), ("payout",)]
    assert not house.ask("SELECT 1 FROM webhooks_stripeevent WHERE status = 'parked'")
    house.manage("audit_ledger")
