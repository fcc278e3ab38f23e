"""The sweep: the history in the order of time, whatever was missed, and compared in the end."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from common.errors import TryAgainLater
from reviews.models import Case
from tests.factories import StripeReadingFactory
from tests.stripe_resources import MORNING, transaction
from tests.treasury.histories import DAY, NOON, fees, state_of
from tests.treasury.movements import amounts, cases, check_sides, entries
from treasury.models import BalanceTransaction, StripeReading
from treasury.services import sweeping
from treasury.services.booking import book
from treasury.services.reading import read_account
from treasury.services.sweeping import import_at_once, order_sweep, sweep

REQUESTS_UNTIL_TROUBLE = 30


@pytest.fixture
def few(monkeypatch):
    """Read few rows at a time, so that a history has many parts."""
    monkeypatch.setattr(sweeping, "ROWS_MAX", 3)


def test_a_long_history_is_imported_part_by_part_in_its_order(few, stripe_account, organisation):
    moved = fees(40) + fees(5, every=0)
    stripe_account.put("balance_transactions", *moved)

    assert sweep(organisation=organisation) == 45

    booked = BalanceTransaction.objects.order_by("id").values_list("occurred_at", flat=True)
    assert list(booked) == sorted(booked)
    assert amounts(organisation)["stripe", "EUR"] == -45
    state = state_of(organisation)
    assert state.imported_at
    assert not state.is_importing
    assert cases() == []


def test_a_history_of_even_density_is_read_once(
    stripe_server, stripe_account, organisation, monkeypatch
):
    monkeypatch.setattr(sweeping, "ROWS_MAX", 8)
    StripeReadingFactory(organisation=organisation, swept_until=NOON)
    stripe_account.put("balance_transactions", *fees(64, every=3600))

    assert sweep(organisation=organisation) == 64

    # Each part that was booked is read with the balance beside it.
    asked = [path.partition("?")[0].removeprefix("/v1/") for path in stripe_server.asked]
    first = asked.index("balance") - 1
    parts = asked[first : asked.index("payouts")]
    assert parts == ["balance_transactions", "balance"] * (len(parts) // 2)
    assert len(parts) // 2 < 64


def test_a_sweep_that_is_cut_off_goes_on_where_it_was(
    few, stripe_server, stripe_account, organisation
):
    stripe_account.put("balance_transactions", *fees(20))
    answer, asked = stripe_account.list, itertools.count()

    def list_some(kind):
        stripe_server.trouble = "500" if next(asked) > REQUESTS_UNTIL_TROUBLE else ""
        return answer(kind)

    stripe_account.list = list_some
    with pytest.raises(TryAgainLater):
        sweep(organisation=organisation)
    halfway = state_of(organisation)
    stripe_server.trouble, stripe_account.list = "", answer
    already = BalanceTransaction.objects.count()

    assert halfway.is_importing
    assert halfway.failing_since
    assert 0 < already < 20
    stripe_server.asked.clear()
    assert sweep(organisation=organisation) == 20 - already
    assert f"gte%5D={int(halfway.swept_until.timestamp())}" in stripe_server.asked[0]
    assert not state_of(organisation).failing_since


def test_the_next_sweep_begins_a_day_before_the_last_ended(
    stripe_server, stripe_account, organisation
):
    stripe_account.put("balance_transactions", *fees(3))
    sweep(organisation=organisation)
    swept_until = state_of(organisation).swept_until
    late = transaction("fee", -1, created=int(timezone.now().timestamp()) - DAY // 2)
    stripe_account.put("balance_transactions", late)
    stripe_server.asked.clear()

    assert sweep(organisation=organisation) == 1

    since = int((swept_until - timedelta(days=1)).timestamp())
    assert f"gte%5D={since}" in stripe_server.asked[0]
    assert len(stripe_server.asked) == 3


def test_a_moment_can_be_named(stripe_server, stripe_account, organisation):
    sweep(organisation=organisation)
    stripe_account.put("balance_transactions", *fees(3))
    stripe_server.asked.clear()

    assert sweep(organisation=organisation, since=NOON + timedelta(seconds=DAY)) == 3

    assert f"gte%5D={MORNING + DAY}" in stripe_server.asked[0]


@pytest.mark.parametrize("days", [None, 1])
def test_a_moment_that_is_named_leaves_nothing_out(stripe_account, organisation, days):
    swept_until = days and NOON + timedelta(days=days)
    StripeReadingFactory(organisation=organisation, swept_until=swept_until)
    stripe_account.put("balance_transactions", *fees(4))

    assert sweep(organisation=organisation, since=NOON + timedelta(days=3)) == 4

    first, *_ = BalanceTransaction.objects.order_by("id")
    assert first.occurred_at == (swept_until or NOON)
    assert state_of(organisation).imported_at


def test_what_was_missed_long_ago_is_found_by_the_balance(stripe_account, organisation):
    moved = fees(4)
    stripe_account.put("balance_transactions", *moved[1:])
    sweep(organisation=organisation)
    stripe_account.put("balance_transactions", moved[0])

    assert sweep(organisation=organisation) == 1

    assert amounts(organisation)["stripe", "EUR"] == -4
    assert cases() == []


def test_a_balance_that_is_not_the_sum_of_what_moved_is_a_case(stripe_account, organisation):
    stripe_account.put("balance_transactions", *fees(2))
    parts = [{"amount": 5, "currency": "eur"}, {"amount": 7, "currency": "usd"}]
    stripe_account.told_balance = {"available": parts, "pending": []}

    sweep(organisation=organisation)
    sweep(organisation=organisation)

    [case] = Case.objects.all()
    assert (case.kind, case.subject) == ("drift", "acct_1")
    assert case.summary == (
        "The ledger has \N{MINUS SIGN}0.02 EUR, Stripe 0.05 EUR.\n"
        "The ledger has 0.00 USD, Stripe 0.07 USD."
    )


def test_a_difference_that_is_gone_is_no_case_any_more(stripe_account, organisation):
    stripe_account.told_balance = {"available": [{"amount": 5, "currency": "eur"}], "pending": []}
    sweep(organisation=organisation)
    assert Case.objects.open().count() == 1

    stripe_account.told_balance = {"available": [], "pending": []}
    sweep(organisation=organisation)

    case = Case.objects.get()
    assert (case.choice, case.reason) == ("overtaken", "Ledger and Stripe balance agree again.")


def test_the_whole_history_is_compared_once_a_day(stripe_server, stripe_account, organisation):
    stripe_account.told_balance = {"available": [{"amount": 5, "currency": "eur"}], "pending": []}
    sweep(organisation=organisation)
    stripe_server.asked.clear()

    sweep(organisation=organisation)
    StripeReading.objects.update(compared_at=timezone.now() - timedelta(days=2))
    asked = len(stripe_server.asked)
    sweep(organisation=organisation)

    assert asked == 3
    assert len(stripe_server.asked) > 2 * asked


def test_where_money_moves_all_the_time_nothing_is_compared(stripe_account, organisation):
    totals = itertools.count(1)
    stripe_account.balance = lambda: {"available": [{"amount": next(totals), "currency": "eur"}]}

    sweep(organisation=organisation)

    assert state_of(organisation).compared_at
    assert cases() == []


def test_a_short_history_is_imported_at_once(stripe_server, stripe_account, organisation):
    stripe_account.put("balance_transactions", *fees(3))

    assert import_at_once(organisation=organisation)
    asked = len(stripe_server.asked)
    assert import_at_once(organisation=organisation)

    assert len(stripe_server.asked) == asked == 2
    assert len(entries(organisation)) == 3


def test_a_long_history_is_left_to_a_sweep(few, stripe_server, stripe_account, organisation):
    stripe_account.put("balance_transactions", *fees(9))

    assert not import_at_once(organisation=organisation)
    assert entries(organisation) == []
    StripeReading.objects.update(swept_until=NOON)
    asked = len(stripe_server.asked)
    assert not import_at_once(organisation=organisation)
    assert len(stripe_server.asked) == asked


@pytest.mark.django_db(transaction=True)
def test_a_sweep_is_ordered_once(organisation, superuser_connection):
    for _ in range(3):
        order_sweep(organisation=organisation)

    jobs = "SELECT task_name, args->>'organisation_id' FROM procrastinate_jobs"
    assert superuser_connection.execute(jobs).fetchall() == [
        ("treasury.tasks.sweep_account", organisation.pk)
    ]


@pytest.mark.django_db(transaction=True)
def test_sweeps_and_readings_that_race_book_everything_once(stripe_account, organisation):
    stripe_account.put("balance_transactions", *fees(30, every=1))

    def drain():
        try:
            book(organisation=organisation, reading=read_account(organisation))
        finally:
            connection.close()

    def swept():
        try:
            sweep(organisation=organisation)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        for task in [pool.submit(one) for one in (drain, swept) * 3]:
            task.result()

    assert len(entries(organisation)) == 30
    assert BalanceTransaction.objects.count() == 30
    check_sides(organisation)
