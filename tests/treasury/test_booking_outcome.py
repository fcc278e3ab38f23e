"""What booking leaves behind: the status of gifts, and the balances that were read."""

from datetime import timedelta
from itertools import permutations

import pytest
from django.utils import timezone

from tests.treasury.movements import (
    amounts,
    book_all,
    cases,
    charged,
    check_sides,
    entries,
    movement,
)
from treasury.models import StripeBalance, StripeReading
from treasury.services.booking import book
from treasury.services.reading import Reading


def test_a_refund_and_a_dispute_move_the_gifts_status(organisation, gift):
    paid = charged(5000, donation_id=gift.id)

    def after(category, amount):
        book_all(organisation, movement(category, amount, charge=paid.charge))
        gift.refresh_from_db()
        return gift.status, gift.refunded_amount, gift.disputed_amount

    book_all(organisation, paid)
    assert after("refund", -2000) == ("partially_refunded", 2000, 0)
    assert after("refund", -3000) == ("refunded", 5000, 0)
    assert after("refund_failure", 3000) == ("partially_refunded", 2000, 0)
    assert after("refund_failure", 2000) == ("settled", 0, 0)
    assert after("dispute", -5000) == ("disputed", 0, 5000)
    assert after("dispute_reversal", 5000) == ("settled", 0, 0)
    assert amounts(organisation) == {
        ("stripe", "EUR"): 5000,
        ("fund:winter-shelter", "EUR"): 5000,
    }


def test_everything_of_a_gift_may_come_in_one_reading(organisation, gift):
    paid = charged(5000, 100, donation_id=gift.id)
    movements = [
        paid,
        movement("refund", -2000, charge=paid.charge),
        movement("dispute", -3000, 1500, charge=paid.charge),
        movement("dispute_reversal", 3000, charge=paid.charge),
        movement("payout", -1400),
    ]

    book_all(organisation, *movements, EUR=(0, 0))

    gift.refresh_from_db()
    assert (gift.status, gift.refunded_amount) == ("partially_refunded", 2000)
    assert amounts(organisation) == {
        ("stripe", "EUR"): 0,
        ("in_transit", "EUR"): 1400,
        ("fund:winter-shelter", "EUR"): 1400,
    }
    check_sides(organisation)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_what_came_of_one_second_is_booked_in_whatever_order_it_is_listed(
    organisation, gift, order
):
    paid = charged(5000, donation_id=gift.id)
    moves = ("refund", -5000), ("refund_failure", 5000), ("refund", -5000)
    told = [paid, *(movement(*move, charge=paid.charge) for move in moves)]

    book_all(organisation, *(told[number] for number in order))

    gift.refresh_from_db()
    assert (gift.status, gift.refunded_amount) == ("refunded", 5000)
    assert amounts(organisation)["stripe", "EUR"] == 0
    assert (len(entries(organisation)), cases()) == (4, [])


def test_the_balances_of_the_latest_reading_are_kept(organisation):
    book_all(organisation, EUR=(100, 20), JPY=(0, 5))
    book_all(organisation, EUR=(90, 30), JPY=(0, 5))

    balances = {balance.currency: balance for balance in StripeBalance.objects.all()}
    assert {code: balance.total for code, balance in balances.items()} == {"EUR": 120, "JPY": 5}
    assert (balances["EUR"].available, balances["EUR"].pending) == (90, 30)
    assert str(balances["EUR"]) == f"{organisation.id} EUR"
    assert str(organisation.stripe_reading) == organisation.id


def test_a_currency_that_stripe_lists_no_more_is_used_up(organisation):
    book_all(organisation, EUR=(100, 20), JPY=(0, 5))

    book_all(organisation, EUR=(100, 20))

    assert StripeBalance.objects.get(currency="JPY").total == 0


def test_a_reading_that_was_overtaken_books_and_leaves_the_balances(organisation):
    now = timezone.now()
    newer = Reading([], {"EUR": (100, 0)}, now)
    older = Reading([charged(5000)], {"EUR": (50, 0)}, now - timedelta(seconds=1))

    book(organisation=organisation, reading=newer)
    book(organisation=organisation, reading=older)

    assert len(entries(organisation)) == 1
    assert StripeBalance.objects.get().total == 100
    assert StripeReading.objects.get().read_at == now
