"""Several drains at once: no event waits for another worker, none is booked twice."""

import threading
import time

import pytest
from django.db import connection

from ledger.models import Entry
from tests.factories import OrganisationFactory
from tests.stripe_resources import charge, transaction
from tests.webhooks.messages import deliver, event
from webhooks.models import StripeEvent
from webhooks.services.draining import drain_due

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two_accounts(stripe_server):
    """Two organisations with something to book each, and one Stripe that takes its time."""
    for account in ("acct_1", "acct_2"):
        OrganisationFactory(stripe_account=account)
        rows = [transaction("charge", 5000, 100, source=charge()) for _ in range(2)]
        stripe_server.accounts[account].put("balance_transactions", *rows)
    return stripe_server


class Drain(threading.Thread):
    """A drain in a thread of its own, with its own connection."""

    def run(self):
        try:
            drain_due()
        finally:
            connection.close()


def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.005)


def pending():
    rows = StripeEvent.objects.filter(status="pending")
    return list(rows.order_by("account").values_list("account", "attempts"))


def booked():
    return Entry.objects.exclude(operation="GENESIS").count()


def test_while_one_account_is_slow_another_has_its_turn(two_accounts):
    deliver(event(account="acct_1"))
    deliver(event(account="acct_2"))
    two_accounts.holds = "/v1/balance_transactions"
    slow = Drain()
    slow.start()
    until(lambda: two_accounts.held)
    two_accounts.holds = "nothing"

    assert [drain_due(), drain_due()] == [1, 0]

    assert pending() == [("acct_1", 1)]
    two_accounts.over.set()
    slow.join()
    assert (pending(), booked()) == ([], 8)


def test_a_row_that_another_holds_is_passed_over(two_accounts, application_connection):
    mine, theirs = event(account="acct_1"), event(account="acct_1")
    deliver(mine)
    deliver(theirs)
    lock = "SELECT 1 FROM webhooks_stripeevent WHERE id = %s FOR UPDATE"
    held = application_connection()

    with held.transaction():
        held.execute(lock, [theirs["id"]])
        assert [drain_due(), drain_due()] == [1, 0]

    assert StripeEvent.objects.get(status="pending").id == theirs["id"]
    assert drain_due() == 1


def test_when_a_worker_is_gone_another_takes_its_events_up(two_accounts, settings):
    settings.EVENT_LEASE_SECONDS = 0
    deliver(event(account="acct_1"))
    two_accounts.holds = "/v1/balance"
    drains = [Drain(), Drain()]
    drains[0].start()
    until(lambda: len(two_accounts.held) == 1)
    drains[1].start()
    until(lambda: len(two_accounts.held) == 2)
    assert pending() == [("acct_1", 2)]

    two_accounts.over.set()
    for drain in drains:
        drain.join()

    assert (pending(), booked()) == ([], 4)
