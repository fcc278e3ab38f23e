"""Signed events reach the webhook: in order, after failures, and as the control URL says."""

import time

import stripe

from sandbox.delivery import Delivery, signature
from sandbox.outbox import Outbox
from sandbox.store import Store
from tests.sandbox.running import WEBHOOK_SECRET, until


def gifts(sandbox, account, count):
    for amount in range(count):
        sandbox.control("charges", account=account, amount=100 + amount, currency="eur")


def told(receiver, account):
    """Return the amounts of the succeeded charges in the order they were told."""
    return [
        event.data.object.amount - 100
        for event in receiver.of(account)
        if event.type == "charge.succeeded"
    ]


def test_events_arrive_signed_with_the_present_moment(alone, receiver):
    account = alone.account()
    alone.control("clock", account=account, now=1_600_000_000)
    gifts(alone, account, 1)
    counts = alone.flush()

    event = receiver.events[0]

    assert (event.account, event.livemode, event.pending_webhooks) == (account, False, 1)
    assert event.api_version == stripe.api_version
    assert event.created == 1_600_000_000
    assert counts["delivered"] == len(receiver.events) == 2
    [listed] = alone.v1.events.list({"type": "charge.succeeded"}, {"stripe_account": account}).data
    assert (listed.id, listed.pending_webhooks) == (event.id, 0)


def test_the_signature_is_stripes():
    header = signature(b'{"object": "event"}', WEBHOOK_SECRET, int(time.time()))

    assert stripe.WebhookSignature.verify_header('{"object": "event"}', header, WEBHOOK_SECRET, 5)


def test_events_of_an_account_arrive_in_order(alone, receiver):
    accounts = [alone.account() for _ in range(3)]
    for amount in range(20):
        for account in accounts:
            alone.control("charges", account=account, amount=100 + amount, currency="eur")

    alone.flush()

    assert [told(receiver, account) for account in accounts] == [[*range(20)]] * 3


def test_a_refused_event_is_sent_again_before_those_after_it(alone, receiver):
    account, other = alone.account(), alone.account()
    receiver.status = 503
    gifts(alone, account, 3)
    gifts(alone, other, 1)
    until(lambda: receiver.refused >= 3)

    receiver.status = 200
    counts = alone.flush()

    assert counts["failed_attempts"] >= 2
    assert told(receiver, account) == [0, 1, 2]
    assert told(receiver, other) == [0]


def test_a_flush_gives_up_after_its_time(alone, receiver):
    account = alone.account()
    alone.control("delivery", mode="hold")
    gifts(alone, account, 1)

    counts = alone.control("delivery/flush", timeout=0.05)

    assert (counts["is_flushed"], counts["queued"]) == (False, 2)


def test_hold_keeps_events_back_until_the_mode_is_normal(alone, receiver):
    account = alone.account()
    held = alone.control("delivery", mode="hold")
    gifts(alone, account, 3)
    counts = until(lambda: alone.control("delivery", verb="GET"))
    assert (held["mode"], counts["queued"], counts["delivered"]) == ("hold", 6, 0)

    alone.control("delivery", mode="normal")

    alone.flush()
    assert told(receiver, account) == [0, 1, 2]


def test_drop_loses_events_but_the_api_still_lists_them(alone, receiver):
    account = alone.account()
    alone.control("delivery", mode="hold")
    gifts(alone, account, 1)
    alone.control("delivery/flush", timeout=0)
    alone.control("delivery", mode="drop")
    gifts(alone, account, 1)
    alone.flush()
    alone.control("delivery", mode="normal")
    gifts(alone, account, 1)

    counts = alone.flush()

    assert counts["dropped"] == 4
    assert len(receiver.events) == 2
    assert len(alone.v1.events.list(None, {"stripe_account": account}).data) == 6


def test_events_are_listed_by_whether_they_were_delivered(alone, receiver):
    account = alone.account()
    options = {"stripe_account": account}

    def listed(success):
        filters = {"delivery_success": success, "type": "charge.succeeded"}
        return [event.id for event in alone.v1.events.list(filters, options).data]

    gifts(alone, account, 1)
    alone.flush()
    [arrived] = listed(True)
    alone.control("delivery", mode="drop")
    gifts(alone, account, 1)
    alone.flush()
    [lost] = listed(False)
    alone.control("delivery", mode="hold")
    gifts(alone, account, 1)
    assert len(listed(False)) == 2
    alone.control("delivery", mode="drop")
    assert (len(listed(False)), listed(True)) == (2, [arrived])
    alone.control("delivery", mode="normal")

    alone.control(f"events/{lost}/deliver")

    alone.flush()
    assert listed(True) == [lost, arrived]


def test_double_sends_everything_twice(alone, receiver):
    account = alone.account()
    alone.control("delivery", mode="double")
    gifts(alone, account, 3)

    alone.flush()

    assert told(receiver, account) == [0, 0, 1, 1, 2, 2]


def test_shuffle_sends_in_any_order_within_some_seconds(alone, receiver):
    account = alone.account()
    alone.control("delivery", mode="shuffle", seconds=0.3)
    gifts(alone, account, 20)

    alone.flush()

    arrived = told(receiver, account)
    assert sorted(arrived) == [*range(20)]
    assert arrived != [*range(20)]


def test_delay_sends_in_order_some_seconds_later(alone, receiver):
    account = alone.account()
    alone.control("delivery", mode="delay", seconds=0.4)
    started = time.monotonic()
    gifts(alone, account, 3)

    alone.flush()

    assert time.monotonic() - started >= 0.4
    assert told(receiver, account) == [0, 1, 2]


def test_normal_sends_at_once_what_was_delayed(alone, receiver):
    account = alone.account()
    alone.control("delivery", mode="delay", seconds=1000)
    gifts(alone, account, 2)
    alone.control("delivery/flush", timeout=0)

    alone.control("delivery", mode="normal")

    alone.flush()
    assert told(receiver, account) == [0, 1]


def test_one_event_can_be_sent_again(alone, receiver):
    account = alone.account()
    gifts(alone, account, 1)
    alone.flush()
    event = receiver.events[0]

    alone.control(f"events/{event.id}/deliver")

    alone.flush()
    assert [row.id for row in receiver.events].count(event.id) == 2


def test_an_unknown_mode_is_refused(alone):
    alone.control("delivery", expect=400, mode="never")
    alone.control("delivery", expect=400)


def test_a_webhook_that_is_away_is_tried_until_it_is_back(alone, receiver):
    account = alone.account()
    receiver.close()
    gifts(alone, account, 1)

    counts = until(
        lambda: (found := alone.control("delivery", verb="GET"))["failed_attempts"] >= 2 and found
    )

    assert counts["queued"] == 2
    assert counts["delivered"] == 0


def test_what_was_not_sent_when_the_threads_stop_is_still_queued(tmp_path):
    store = Store(tmp_path)
    outbox = Outbox(store)
    delivery = Delivery(store, outbox, url="http://127.0.0.1:9", secret=WEBHOOK_SECRET)
    with store.transaction():
        outbox.add("acct_1", {"id": "evt_1"})
    delivery.start()

    delivery.stop()

    with store.transaction():
        assert outbox.queued() == outbox.pending("evt_1") == 1
    store.close()
