"""The sweep: the history in the order of time, whatever was missed, and compared in the end."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from common.errors import TryAgainLater
from reviews.models import Case
from tests.factories import DonationFactory
from tests.stripe_resources import MORNING, charge, new, payout, refund, transaction
from tests.treasury.movements import amounts, cases, check_sides, entries
from treasury.errors import AlreadyImported
from treasury.models import BalanceTransaction, StripeReading
from treasury.services import sweeping
from treasury.services.booking import book
from treasury.services.reading import read_account
from treasury.services.sweeping import import_at_once, order_sweep, plan_opening, sweep

DAY = 86_400
REQUESTS_UNTIL_TROUBLE = 40
NOON = datetime.fromtimestamp(MORNING, UTC)


@pytest.fixture
def few(monkeypatch):
    """Read few rows at a time, so that a history has many parts."""
    monkeypatch.setattr(sweeping, "ROWS_MAX", 3)


def fees(count, *, every=DAY, **more):
    """Return movements of one cent, one after the other."""
    moments = range(MORNING, MORNING + every * count, every) if every else [MORNING] * count
    return [transaction("fee", -1, created=moment, **more) for moment in moments]


def state_of(organisation):
    return StripeReading.objects.get(organisation=organisation)


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


# Books that begin later than their account


def test_a_book_can_begin_on_a_day_with_what_was_there(stripe_account, organisation):
    before = [
        transaction("charge", 5000, 100, source=charge(), created=MORNING + number)
        for number in (0, 9)
    ]
    yen = transaction("charge", 800, source=charge(), currency="jpy", created=MORNING)
    debt = transaction("fee", -300, currency="usd", created=MORNING)
    level = [transaction("fee", sign, currency="gbp", created=MORNING) for sign in (7, -7)]
    after = transaction("charge", 2000, 50, source=charge(), created=MORNING + DAY)
    stripe_account.put("balance_transactions", *before, yen, debt, *level, after)
    plan_opening(organisation=organisation, opened_at=NOON + timedelta(seconds=DAY, microseconds=5))

    assert sweep(organisation=organisation) == 1
    assert sweep(organisation=organisation) == 0

    assert entries(organisation) == [
        ("EXTERNAL_ACTIVITY", 9800, "EUR", "stripe", "external"),
        ("EXTERNAL_ACTIVITY", 800, "JPY", "stripe", "external"),
        ("EXTERNAL_ACTIVITY", 300, "USD", "external", "stripe"),
        ("EXTERNAL_ACTIVITY", 2000, "EUR", "stripe", "external"),
        ("PROCESSING_FEE", 50, "EUR", "external", "stripe"),
    ]
    assert cases() == []


@pytest.mark.parametrize("age", [timedelta(hours=3), timedelta(days=30)])
def test_what_moved_before_a_book_began_is_in_what_it_began_with(stripe_account, organisation, age):
    opened_at = timezone.now().replace(microsecond=0) - age
    before, after = (int(opened_at.timestamp()) + seconds for seconds in (-1, 0))
    stripe_account.put("balance_transactions", transaction("fee", -5, created=before))
    stripe_account.put("balance_transactions", transaction("fee", -3, created=after))
    plan_opening(organisation=organisation, opened_at=opened_at)

    assert sweep(organisation=organisation) == 1
    assert book(organisation=organisation, reading=read_account(organisation)) == 0
    assert sweep(organisation=organisation) == 0
    assert sweep(organisation=organisation, since=opened_at - timedelta(days=9)) == 0

    assert entries(organisation) == [
        ("EXTERNAL_ACTIVITY", 5, "EUR", "external", "stripe"),
        ("PROVIDER_FEE", 3, "EUR", "fund:general", "stripe"),
    ]
    assert cases() == []


def test_reading_an_account_stops_where_its_book_began(stripe_server, stripe_account, organisation):
    stripe_account.put("balance_transactions", *fees(300, every=1))
    plan_opening(organisation=organisation, opened_at=NOON + timedelta(seconds=250))
    sweep(organisation=organisation)
    new_one = transaction("fee", -1, created=MORNING + 400)
    stripe_account.put("balance_transactions", new_one)
    stripe_server.asked.clear()

    reading = read_account(organisation)

    assert [movement.id for movement in reading.movements] == [new_one["id"]]
    assert [path.partition("?")[0] for path in stripe_server.asked] == [
        "/v1/balance_transactions",
        "/v1/balance_transactions",
        "/v1/balance",
    ]


def test_a_planned_opening_is_kept_where_the_history_is_short(stripe_account, organisation):
    stripe_account.put("balance_transactions", *fees(3))
    plan_opening(organisation=organisation, opened_at=NOON + timedelta(seconds=DAY))

    assert import_at_once(organisation=organisation)

    assert entries(organisation)[0] == ("EXTERNAL_ACTIVITY", 1, "EUR", "external", "stripe")
    assert len(entries(organisation)) == 3


def test_what_becomes_of_a_charge_of_before_is_external_too(stripe_account, organisation):
    gift = DonationFactory(organisation=organisation, amount=700)
    old = charge(5000, created=MORNING)
    paid = charge(700, gift.id, created=MORNING + DAY)
    returned, kept = refund(old, 2000), refund(paid, 200)
    stripe_account.put("charges", old, paid)
    stripe_account.put(
        "balance_transactions",
        transaction("charge", 5000, source=old, created=MORNING),
        transaction("charge", 700, source=paid, created=MORNING + DAY),
        transaction("refund", -2000, source=returned, created=MORNING + DAY + 1),
        transaction("refund", -200, source=kept, created=MORNING + DAY + 2),
        transaction("payout", -100, source=payout(100)["id"], created=MORNING + DAY + 3),
        {
            "id": new("txn"),
            "created": MORNING + DAY + 4,
            "currency": "eur",
            "net": 0,
            "source": None,
        },
    )
    plan_opening(organisation=organisation, opened_at=NOON + timedelta(seconds=DAY))

    sweep(organisation=organisation)

    assert entries(organisation) == [
        ("EXTERNAL_ACTIVITY", 5000, "EUR", "stripe", "external"),
        ("DONATION_RECEIVED", 700, "EUR", "stripe", "fund:general"),
        ("DONATION_REFUNDED", 2000, "EUR", "external", "stripe"),
        ("DONATION_REFUNDED", 200, "EUR", "fund:general", "stripe"),
        ("PAYOUT_SENT", 100, "EUR", "in_transit", "stripe"),
    ]
    assert [kind for kind, _ in cases()] == ["unbooked"]


def test_an_opening_waits_until_money_stands_still(stripe_account, organisation):
    plan_opening(organisation=organisation, opened_at=NOON)
    totals = iter(range(100))
    stripe_account.balance = lambda: {"available": [{"amount": next(totals), "currency": "eur"}]}

    with pytest.raises(TryAgainLater, match="Money moved"):
        sweep(organisation=organisation)

    assert entries(organisation) == []


def test_an_opening_cannot_be_planned_when_there_is_a_book_already(stripe_account, organisation):
    stripe_account.put("balance_transactions", *fees(1))
    sweep(organisation=organisation)

    with pytest.raises(AlreadyImported):
        plan_opening(organisation=organisation, opened_at=NOON)
    StripeReading.objects.update(swept_until=None)
    with pytest.raises(AlreadyImported):
        plan_opening(organisation=organisation, opened_at=NOON)
