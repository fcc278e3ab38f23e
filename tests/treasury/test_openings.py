"""Books that begin later than their account: with what was there then, and once."""

import itertools
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone

from common.errors import TryAgainLater
from tests.factories import DonationFactory
from tests.stripe_resources import MORNING, charge, new, payout, refund, transaction
from tests.treasury.histories import DAY, NOON, fees, state_of
from tests.treasury.movements import amounts, cases, check_sides, entries
from treasury.errors import AlreadyImported, OpeningAhead
from treasury.models import StripeReading
from treasury.services import sweeping
from treasury.services.booking import book
from treasury.services.reading import read_account
from treasury.services.sweeping import import_at_once, plan_opening, sweep


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


@pytest.mark.parametrize("created", [None, "yesterday"])
def test_what_says_no_moment_is_not_taken_for_older(stripe_account, organisation, created):
    plan_opening(organisation=organisation, opened_at=NOON)
    sweep(organisation=organisation)
    odd = transaction("fee", -1, created=created)
    moved = [odd, *fees(1)]
    stripe_account.list = lambda kind: moved

    book(organisation=organisation, reading=read_account(organisation))

    assert cases() == [("unbooked", odd["id"])]
    assert len(entries(organisation)) == 1


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


def test_a_debit_of_before_that_bounces_is_external(stripe_account, organisation):
    old = charge(5000, created=MORNING)
    bounced = transaction("charge_failure", -5000, 35, source=old, created=MORNING + DAY)
    stripe_account.put("charges", old)
    paid_in = transaction("charge", 5000, source=old, created=MORNING)
    stripe_account.put("balance_transactions", paid_in, bounced)
    plan_opening(organisation=organisation, opened_at=NOON + timedelta(seconds=DAY))

    sweep(organisation=organisation)

    assert entries(organisation) == [
        ("EXTERNAL_ACTIVITY", 5000, "EUR", "stripe", "external"),
        ("DONATION_REFUNDED", 5000, "EUR", "external", "stripe"),
        ("PROCESSING_FEE", 35, "EUR", "external", "stripe"),
    ]
    assert cases() == []


@pytest.mark.parametrize("rows_max", [2, 100])
def test_a_payout_of_before_comes_back_from_outside(
    stripe_account, organisation, monkeypatch, rows_max
):
    monkeypatch.setattr(sweeping, "ROWS_MAX", rows_max)
    old, sent, lost = (new("po") for _ in range(3))
    told = [("payout", -900, old), ("fee", -1, None), ("payout", -100, sent)]
    told += [("payout", -7, lost), ("payout_reversal", 100, sent), ("payout_reversal", 900, old)]
    for day, (category, amount, source) in enumerate(told):
        row = transaction(category, amount, source=source, created=MORNING + day * DAY)
        stripe_account.put("balance_transactions", row)
    plan_opening(organisation=organisation, opened_at=NOON + timedelta(seconds=DAY))

    sweep(organisation=organisation)

    assert entries(organisation)[2:] == [
        ("PAYOUT_SENT", 100, "EUR", "in_transit", "stripe"),
        ("PAYOUT_SENT", 7, "EUR", "in_transit", "stripe"),
        ("PAYOUT_RETURNED", 100, "EUR", "stripe", "in_transit"),
        ("EXTERNAL_ACTIVITY", 900, "EUR", "stripe", "external"),
    ]
    assert amounts(organisation)["in_transit", "EUR"] == 7
    assert cases() == []
    check_sides(organisation)


def test_only_charges_that_nobody_knows_are_asked_for(stripe_server, stripe_account, organisation):
    old, paid = charge(5000, created=MORNING), charge(700, created=MORNING + DAY)
    stripe_account.put("charges", old, paid)
    told = [("charge", 700, paid), ("refund", -100, refund(paid, 100))]
    told += [("refund", -number, refund(old, number)) for number in (1, 2)]
    later = transaction("refund", -200, source=refund(paid, 200), created=MORNING + 2 * DAY)
    for category, amount, source in told:
        row = transaction(category, amount, source=source, created=MORNING + DAY)
        stripe_account.put("balance_transactions", row)
    plan_opening(organisation=organisation, opened_at=NOON + timedelta(seconds=DAY))

    sweep(organisation=organisation)
    stripe_account.put("balance_transactions", later)
    book(organisation=organisation, reading=read_account(organisation))

    asked = [path for path in stripe_server.asked if path.startswith("/v1/charges")]
    assert asked == [f"/v1/charges/{old['id']}"]
    assert len(entries(organisation)) == 5
    assert cases() == []


def test_an_opening_waits_until_money_stands_still(stripe_account, organisation):
    plan_opening(organisation=organisation, opened_at=NOON)
    totals = iter(range(100))
    stripe_account.balance = lambda: {"available": [{"amount": next(totals), "currency": "eur"}]}

    with pytest.raises(TryAgainLater, match="Money moved"):
        sweep(organisation=organisation)

    assert entries(organisation) == []


def out_of_order_after(count, server, account, monkeypatch):
    """Have a server answer some requests and no more."""
    server.asked.clear()
    server.trouble = "" if count else "500"

    def answer(how):
        def one(*kind):
            server.trouble = "500" if len(server.asked) >= count else ""
            return how(*kind)

        return one

    for name in ("list", "balance"):
        monkeypatch.setattr(account, name, answer(getattr(account, name)))


@pytest.mark.parametrize("answered", range(5))
def test_an_opening_that_was_cut_off_binds_nobody(
    stripe_server, stripe_account, organisation, monkeypatch, answered
):
    stripe_account.put("balance_transactions", *fees(4))
    plan_opening(organisation=organisation, opened_at=NOON + timedelta(seconds=DAY))
    with monkeypatch.context() as patch:
        out_of_order_after(answered, stripe_server, stripe_account, patch)
        with pytest.raises(TryAgainLater):
            sweep(organisation=organisation)
    stripe_server.trouble = ""

    assert entries(organisation) == []
    assert state_of(organisation).swept_until is None
    plan_opening(organisation=organisation, opened_at=NOON + timedelta(seconds=3 * DAY))
    assert sweep(organisation=organisation) == 1

    assert entries(organisation) == [
        ("EXTERNAL_ACTIVITY", 3, "EUR", "external", "stripe"),
        ("PROVIDER_FEE", 1, "EUR", "fund:general", "stripe"),
    ]
    assert cases() == []


def when_asked(number, account, monkeypatch, happens):
    """Have something happen once, while an account's balance is told for this time."""
    answer, times = account.balance, itertools.count(1)

    def tell():
        told = answer()
        if next(times) == number:
            try:
                happens()
            finally:
                connection.close()
        return told

    monkeypatch.setattr(account, "balance", tell)


@pytest.mark.django_db(transaction=True)
def test_of_two_sweeps_at_once_one_opens_the_book(stripe_account, organisation, monkeypatch):
    stripe_account.put("balance_transactions", *fees(4))
    plan_opening(organisation=organisation, opened_at=NOON + timedelta(seconds=2 * DAY))
    booked = []

    def sweep_with_more():
        late = transaction("fee", -7, created=MORNING)
        stripe_account.put("balance_transactions", late)
        booked.append(sweep(organisation=organisation))

    # The balance is asked beside the movements, and before and after what moved since the opening.
    when_asked(3, stripe_account, monkeypatch, sweep_with_more)

    booked.append(sweep(organisation=organisation))

    assert booked == [2, 0]
    assert entries(organisation) == [
        ("EXTERNAL_ACTIVITY", 9, "EUR", "external", "stripe"),
        *[("PROVIDER_FEE", 1, "EUR", "fund:general", "stripe")] * 2,
    ]
    assert cases() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("first", "moment"), [(None, 1), (1, 1), (1, 2), (1, 3)])
def test_another_day_may_be_named_while_an_account_is_read(
    stripe_account, organisation, monkeypatch, first, moment
):
    stripe_account.put("balance_transactions", *fees(4))
    if first:
        plan_opening(organisation=organisation, opened_at=NOON + timedelta(seconds=first * DAY))
    another = NOON + timedelta(seconds=3 * DAY)
    happens = partial(plan_opening, organisation=organisation, opened_at=another)
    when_asked(moment, stripe_account, monkeypatch, happens)

    with pytest.raises(TryAgainLater, match="Another day was named"):
        sweep(organisation=organisation)

    assert entries(organisation) == []
    assert sweep(organisation=organisation) == 1
    assert entries(organisation)[0] == ("EXTERNAL_ACTIVITY", 3, "EUR", "external", "stripe")
    assert cases() == []


def test_a_book_cannot_begin_in_the_future(organisation):
    for ahead in (timedelta(minutes=1), timedelta(days=400)):
        with pytest.raises(OpeningAhead, match="name a day that has begun"):
            plan_opening(organisation=organisation, opened_at=timezone.now() + ahead)

    assert not StripeReading.objects.exists()


def test_an_opening_cannot_be_planned_when_there_is_a_book_already(stripe_account, organisation):
    stripe_account.put("balance_transactions", *fees(1))
    sweep(organisation=organisation)

    with pytest.raises(AlreadyImported):
        plan_opening(organisation=organisation, opened_at=NOON)
    StripeReading.objects.update(swept_until=None)
    with pytest.raises(AlreadyImported):
        plan_opening(organisation=organisation, opened_at=NOON)
