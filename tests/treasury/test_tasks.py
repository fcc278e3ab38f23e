"""The sweep: what webhooks may have missed."""

import pytest
from django.db import DatabaseError
from procrastinate.contrib.django.models import ProcrastinateJob

from tests.factories import ApplicantFactory, OrganisationFactory
from tests.stripe_resources import MORNING, charge, payout, transaction
from tests.treasury.movements import entries
from treasury import tasks
from treasury.models import Payout
from treasury.services import payout_reading


def work_off():
    """Do what was ordered, as the worker does."""
    for job in ProcrastinateJob.objects.order_by("id"):
        assert job.task_name == "treasury.tasks.sweep_account"
        tasks.sweep_account(**job.args)


@pytest.mark.django_db(transaction=True)
def test_every_connected_account_is_swept_by_a_job_of_its_own(stripe_server, organisation):
    other = OrganisationFactory(stripe_account="acct_2")
    OrganisationFactory(stripe_account=None)
    ApplicantFactory(stripe_account="acct_applied")
    for account in ("acct_1", "acct_2"):
        row = transaction("charge", 5000, source=charge())
        stripe_server.accounts[account].put("balance_transactions", row)

    for _ in range(2):
        tasks.sweep_accounts(timestamp=0)
    assert stripe_server.asked == []
    work_off()

    assert len(entries(organisation)) == len(entries(other)) == 1
    assert len(stripe_server.asked) == 6
    jobs = ProcrastinateJob.objects.order_by("id").values_list("lock", "queueing_lock", "priority")
    locks = [f"sweep {one.pk}" for one in (organisation, other)]
    assert list(jobs) == [(lock, lock, -1) for lock in locks]


def test_the_sweep_reads_all_payouts_however_many_are_not_composed(
    stripe_server, stripe_account, organisation, monkeypatch
):
    monkeypatch.setattr(payout_reading, "COMPOSITIONS_MAX", 1)
    for _ in range(3):
        one = payout(5000)
        row = transaction("charge", 5000, source=charge())
        stripe_account.put("payouts", one)
        stripe_account.put("balance_transactions", row)
        stripe_account.compositions[one["id"]] = [row["id"]]

    tasks.sweep_account(organisation.pk)

    assert [row.composition_is_whole for row in Payout.objects.all()] == [True] * 3


@pytest.mark.django_db(transaction=True)
def test_an_account_that_fails_does_not_hold_up_the_others(stripe_server, organisation, caplog):
    for account in ("acct_2", "acct_3"):
        OrganisationFactory(stripe_account=account)
    accounts = stripe_server.accounts
    accounts["acct_2"].put("balance_transactions", {"source": None, "created": MORNING})
    accounts["acct_3"].put("balance_transactions", transaction("fee", -1))

    tasks.sweep_accounts(timestamp=0)
    work_off()

    reasons = [record.reason for record in caplog.records if record.message == "sweep postponed"]
    assert reasons == ["StripeRefused: Stripe refused: account_invalid.", "KeyError: 'id'"]


@pytest.mark.django_db
def test_without_the_database_nothing_can_be_swept(monkeypatch):
    def away(*_):
        raise DatabaseError("It is away.")

    monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", away)

    with pytest.raises(DatabaseError):
        tasks.sweep_accounts(timestamp=0)
