"""The worker: drains, runs jobs, outlives its database, and stops when asked."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import async_to_sync
from django.core.management import call_command
from django.db import connection
from procrastinate.contrib.django import app

from credits.models import CreditGrant
from tests.factories import DonationFactory, GrantRuleFactory
from tests.stripe_resources import charge, transaction
from tests.webhooks.messages import deliver, event
from tests.webhooks.subscribers import endpoint_at, subscribing
from treasury.models import BalanceTransaction, StripeReading
from treasury.tasks import sweep_accounts
from webhooks.management.commands import worker
from webhooks.models import Delivery, StripeEvent, Worker
from webhooks.services.heartbeat import worker_seen_at
from webhooks.tasks import rescue_stalled_jobs

pytestmark = pytest.mark.django_db(transaction=True)
KILL = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename <> current_user
"""
DEFER = """
    INSERT INTO procrastinate_jobs (queue_name, task_name, args, queueing_lock)
    VALUES ('default', 'treasury.tasks.sweep_accounts', '{"timestamp": 0}', 'sweep_accounts')
"""
DONE = "SELECT 1 FROM webhooks_stripeevent WHERE status = 'done'"
JOBS = "SELECT status::text FROM procrastinate_jobs WHERE task_name NOT LIKE '%rescue%'"


@pytest.fixture(autouse=True)
def patient(monkeypatch, settings):
    """Look more often than in production, and leave the signals as they were."""
    monkeypatch.setattr(worker, "IDLE_SECONDS", 0.01)
    monkeypatch.setattr(worker, "RESTART_SECONDS", 0.01)
    monkeypatch.setitem(app.worker_defaults, "fetch_job_polling_interval", 0.05)
    monkeypatch.setitem(app.worker_defaults, "update_heartbeat_interval", 0.05)
    settings.EVENT_LEASE_SECONDS = 0.2
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def until(condition):
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def work_while(script, number=signal.SIGTERM):
    """Run the worker in this thread and a script in another, which ends with a signal."""
    before = signal.getsignal(number)

    def play():
        until(lambda: signal.getsignal(number) is not before)
        try:
            until(Worker.objects.exists)
            script()
        finally:
            connection.close()
            os.kill(os.getpid(), number)

    with ThreadPoolExecutor(1) as pool:
        played = pool.submit(play)
        call_command("worker")
        played.result()


def test_it_writes_what_a_gift_grants(stripe_account, organisation):
    GrantRuleFactory(organisation=organisation)
    gift = DonationFactory(organisation=organisation, owner_id="ann")
    paid = charge(5000, gift.id)
    stripe_account.put("balance_transactions", transaction("charge", 5000, source=paid))

    def script():
        deliver(event())
        until(CreditGrant.objects.exclude(sequence=None).exists)

    work_while(script)

    assert CreditGrant.objects.get().amount == 50


def test_it_tells_subscribers(stripe_account, organisation, settings):
    settings.WEBHOOKS_ALLOW_PRIVATE = True
    gift = DonationFactory(organisation=organisation)
    paid = charge(5000, gift.id)
    stripe_account.put("balance_transactions", transaction("charge", 5000, source=paid))

    with subscribing() as subscriber:
        added = endpoint_at(subscriber.url, organisation, "donation.settled")

        def script():
            deliver(event())
            until(Delivery.objects.filter(status="delivered").exists)

        work_while(script)

        [told] = subscriber.verified(added.secret)
        assert told["data"]["donation"] == gift.id


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_drains_until_it_is_asked_to_stop(stripe_account, number):
    stripe_account.put("balance_transactions", transaction("charge", 5000, source=charge()))

    def script():
        deliver(event())
        until(StripeEvent.objects.filter(status="done").exists)

    work_while(script, number)

    assert BalanceTransaction.objects.count() == 1
    assert Worker.objects.get().name == worker.worker_name()
    assert worker_seen_at()


def test_it_runs_the_jobs_that_were_deferred(stripe_account, organisation, superuser_connection):
    sweep_accounts.defer(timestamp=0)

    work_while(lambda: until(lambda: not superuser_connection.execute(JOBS).fetchall()))

    assert StripeReading.objects.get().read_at


def test_it_outlives_its_connections(stripe_server, stripe_account, superuser_connection, caplog):
    stripe_account.put("balance_transactions", transaction("charge", 5000, source=charge()))
    stripe_server.holds = "/v1/balance"

    def ask(query):
        return superuser_connection.execute(query).fetchall()

    def script():
        deliver(event())
        until(lambda: stripe_server.held)
        ask(KILL)
        stripe_server.holds = "nothing"
        stripe_server.over.set()
        until(lambda: ask(DONE))
        superuser_connection.execute(DEFER)
        until(lambda: not ask(JOBS))

    connection.close()
    work_while(script)
    connection.close()
    connection.close_pool()

    assert BalanceTransaction.objects.count() == 1
    assert "the drain pauses" in pauses(caplog)


def pauses(caplog):
    return {record.message for record in caplog.records if record.name == "almoner.worker"}


def test_jobs_go_on_when_the_database_is_itself_again(organisation, superuser_connection, caplog):
    def rename(old, new):
        superuser_connection.execute(f"ALTER TABLE {old} RENAME TO {new}")

    def script():
        rename("procrastinate_workers", "gone")
        try:
            until(lambda: "background jobs pause" in pauses(caplog))
        finally:
            rename("gone", "procrastinate_workers")
        superuser_connection.execute(DEFER)
        until(lambda: not superuser_connection.execute(JOBS).fetchall())

    work_while(script)

    assert pauses(caplog) == {"background jobs pause"}


def test_a_job_of_a_worker_that_was_killed_is_done_by_another(organisation, superuser_connection):
    sweep_accounts.defer(timestamp=0)
    gone = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '{}')"
    for silent in ("301 seconds", "10 seconds"):
        superuser_connection.execute(gone.format(silent))
    doing = """
        UPDATE procrastinate_jobs SET status = 'doing',
        worker_id = (SELECT {}(id) FROM procrastinate_workers)
    """
    superuser_connection.execute(doing.format("max"))
    async_to_sync(rescue_stalled_jobs.func)(timestamp=0)
    assert superuser_connection.execute(JOBS).fetchall() == [("doing",)]

    superuser_connection.execute(doing.format("min"))
    async_to_sync(rescue_stalled_jobs.func)(timestamp=0)

    assert superuser_connection.execute(JOBS).fetchall() == [("todo",)]


def test_the_periodic_tasks_are_known():
    crons = {
        periodic.task.name: periodic.cron
        for periodic in app.periodic_registry.periodic_tasks.values()
    }

    assert crons == {
        "credits.tasks.write_waiting_grants": "* * * * * */5",
        "donations.tasks.ask_for_refunds": "* * * * *",
        "donations.tasks.carry_out_decisions": "* * * * * */5",
        "donations.tasks.screen_settled": "* * * * * */5",
        "donations.tasks.forget_visits": "53 * * * *",
        "ledger.tasks.attest_due": "* * * * *",
        "organisations.tasks.forget_expired_nightly": "53 3 * * *",
        "organisations.tasks.read_accounts": "37 * * * *",
        "organisations.tasks.send_mail": "* * * * * */5",
        "reviews.tasks.attest_reviews_daily": "12 0 * * *",
        "reviews.tasks.audit_books_nightly": "41 2 * * *",
        "reviews.tasks.cosign_books": "* * * * * */15",
        "reviews.tasks.forget_visitors_nightly": "29 3 * * *",
        "reviews.tasks.look_at_applicants_websites": "*/5 * * * *",
        "reviews.tasks.receive_waiting_applications": "*/5 * * * *",
        "reviews.tasks.seal_books": "* * * * * */5",
        "reviews.tasks.timestamp_heads_hourly": "23 * * * *",
        "webhooks.tasks.backfill_events": "37 * * * *",
        "webhooks.tasks.forget_deliveries": "17 3 * * *",
        "webhooks.tasks.rescue_stalled_jobs": "*/5 * * * *",
        "treasury.tasks.look_at_accounts": "47 * * * *",
        "treasury.tasks.sweep_accounts": "7 * * * *",
        "treasury.tasks.time_held_payouts": "* * * * *",
    }
