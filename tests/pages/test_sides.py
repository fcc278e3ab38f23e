"""The two sides of a balance: which accounts stand where, how long their bars are, and in words."""

from types import SimpleNamespace

import pytest

from ledger.models import Account
from ledger.templatetags.balances import SHADE_MAX, bar_parts, two_sides

NAMES = {"fund:winter": "Winter coats"}


def account(name, amount, currency="EUR"):
    kind = Account.Kind.PURPOSE if name.startswith(("fund", "held")) else Account.Kind.PLACE
    return SimpleNamespace(name=name, currency=currency, kind=kind, amount=amount)


def test_a_balance_has_its_places_and_its_purposes():
    accounts = [
        account("bank:main", 2500),
        account("fund:general", 3000),
        account("fund:winter", 7000),
        account("held", 0),
        account("stripe", 7500),
    ]

    [balance] = two_sides(accounts, NAMES, "EUR")

    places, purposes = balance.places, balance.purposes
    assert (balance.currency, places.mark, purposes.mark) == ("EUR", "place", "purpose")
    assert (places.title, purposes.title) == ("Where the money is", "What it is for")
    assert (places.total, purposes.total) == (10_000, 10_000)
    assert [tuple(line) for line in places.lines] == [
        ("stripe", "Stripe balance", 7500, 1, "0.00%", "74.60%"),
        ("bank:main", "Bank", 2500, 2, "75.00%", "24.60%"),
    ]
    assert [tuple(line) for line in purposes.lines] == [
        ("fund:winter", "Winter coats", 7000, 1, "0.00%", "69.60%"),
        ("fund:general", "Fund", 3000, 2, "70.00%", "29.60%"),
    ]
    assert places.summary == "Where the money is: Stripe balance 75.00, Bank 25.00"
    assert purposes.summary == "What it is for: Winter coats 70.00, Fund 30.00"


def test_the_main_currency_comes_first_and_each_has_its_decimals():
    accounts = [
        account(name, amount, currency)
        for currency, amount in (("EUR", 100), ("JPY", 300), ("USD", 200))
        for name in ("fund:general", "stripe")
    ]

    found = two_sides(accounts, NAMES, "JPY")

    assert [balance.currency for balance in found] == ["JPY", "EUR", "USD"]
    assert [balance.places.summary for balance in found] == [
        "Where the money is: Stripe balance 300",
        "Where the money is: Stripe balance 1.00",
        "Where the money is: Stripe balance 2.00",
    ]


def test_an_account_below_zero_has_no_bar_and_takes_none_from_others():
    accounts = [account("stripe", -50), account("bank:main", 100), account("fund:general", 50)]

    [balance] = two_sides(accounts, NAMES, "EUR")

    assert [(line.amount, line.offset, line.width) for line in balance.places.lines] == [
        (100, "0.00%", "99.60%"),
        (-50, "100.00%", "0.00%"),
    ]


def test_there_are_only_so_many_shades():
    accounts = [account(f"fund:n{number}", 10 - number) for number in range(6)]

    [balance] = two_sides([*accounts, account("stripe", 45)], NAMES, "EUR")

    assert [line.shade for line in balance.purposes.lines] == [1, 2, 3, 4, 4, 4]
    assert SHADE_MAX == 4


@pytest.mark.parametrize(
    ("amounts", "whole", "parts"),
    [
        ([], 0, []),
        ([5], 0, [("0.00%", "0.00%")]),
        ([1], 1, [("0.00%", "99.60%")]),
        ([1, 999], 1000, [("0.00%", "0.00%"), ("0.10%", "99.50%")]),
        ([50, 50], 100, [("0.00%", "49.60%"), ("50.00%", "49.60%")]),
        ([50, 30, 20], 100, [("0.00%", "49.60%"), ("50.00%", "29.60%"), ("80.00%", "19.60%")]),
    ],
)
def test_bars_stand_side_by_side_with_a_hair_between(amounts, whole, parts):
    assert bar_parts(amounts, whole) == parts
