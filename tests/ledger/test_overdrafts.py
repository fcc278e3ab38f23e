"""Guarantee 6: nobody spends what is not there by then, while money may be owed; by raw SQL."""

import pytest

from tests.ledger.pen import Pen

OVERDRAWN = ("23514", "account_is_not_overdrawn")


def spending(pen, amount, **changes):
    spent = {"operation": "CREDIT_SPEND", "debit": "owner:ann", "credit": "issued"}
    return pen.row(**{**spent, "amount": amount, **changes})


def test_an_owner_spends_no_more_than_there_is(pen):
    private = pen.private()

    assert private.refused(spending(private, 11)) == OVERDRAWN
    assert private.refused(spending(private, 1, debit="owner:bob")) == OVERDRAWN
    private.write(spending(private, 10))
    assert private.refused(spending(private, 1)) == OVERDRAWN


def test_an_owner_spends_no_more_than_there_is_by_a_batch(pen):
    private = pen.private()
    first = spending(private, 6)
    second = private.following(
        first, amount=6, operation="CREDIT_SPEND", debit="owner:ann", credit="issued"
    )

    assert private.refused(first, second) == OVERDRAWN
    assert private.refused_call(lambda: private.copy(first, second)) == OVERDRAWN


def test_an_owner_spends_nothing_that_comes_later_in_the_batch(pen):
    private = pen.private()
    spent = spending(private, 11)
    added = private.following(spent, amount=5)

    assert private.refused(spent, added) == OVERDRAWN
    added = private.row(amount=1)
    spent = private.following(
        added, amount=11, operation="CREDIT_SPEND", debit="owner:ann", credit="issued"
    )
    private.write(added, spent)
    assert private.sums() == {"issued": (11, 11), "owner:ann": (11, 11)}


def chained(pen, *amounts):
    """Return entries that add to ann's 10 credits, or spend from them below zero."""
    rows = []
    for amount in amounts:
        spent = {"operation": "CREDIT_SPEND", "debit": "owner:ann", "credit": "issued"}
        changes = {"amount": abs(amount), **(spent if amount < 0 else {})}
        rows.append(pen.following(rows[-1], **changes) if rows else pen.row(**changes))
    return rows


@pytest.mark.parametrize(
    "amounts", [(-14, 2, 2, 2), (2, -13, 2), (-5, -6, 2), (5, -15, -1, 3), (-11, 5, -4)]
)
def test_a_batch_is_refused_if_ever_more_is_spent_than_there_is(pen, amounts):
    private = pen.private()
    rows = chained(private, *amounts)

    assert private.refused(*rows) == OVERDRAWN
    assert private.refused(*rows[::-1]) == OVERDRAWN
    assert private.refused_call(lambda: private.copy(*rows)) == OVERDRAWN


@pytest.mark.parametrize("amounts", [(-10, 5), (-10, 5, -5), (-10, 0, 3, -3), (1, -11, 9, -9, 2)])
def test_all_that_is_there_may_be_spent_in_a_batch(pen, amounts):
    private = pen.private()

    private.write(*chained(private, *amounts))

    debits, credits = private.sums()["owner:ann"]
    assert credits - debits == 10 + sum(amounts)


def test_an_owner_spends_nothing_that_comes_later_in_a_batch_over_two_books(pen):
    private = pen.private()
    spent = spending(private, 11)
    added = private.following(spent, amount=5)

    assert pen.refused(pen.row(), spent, added) == OVERDRAWN
    assert pen.refused_call(lambda: pen.copy(spent, added, pen.row())) == OVERDRAWN


def test_what_others_get_in_a_batch_is_theirs_alone(pen):
    private, another, stranger = pen.private(), pen.private("games"), Pen(pen.connection).private()
    ann = private.row(amount=1)
    rows = [ann, private.following(ann, amount=1000, credit="owner:bob")]
    for other in (another, stranger):
        rows += [first := other.row(amount=1), other.following(first, amount=1000)]

    pen.execute(Pen.inserting(*rows))

    assert private.sums() == {"issued": (1011, 0), "owner:ann": (0, 11), "owner:bob": (0, 1000)}
    assert another.sums() == stranger.sums() == {"issued": (1011, 0), "owner:ann": (0, 1011)}


def test_what_is_no_owners_may_be_taken_before_it_is_there(pen):
    private = pen.private()
    private.open_accounts([("CREDIT", "prizes")])
    won = private.row(debit="prizes", amount=50)

    private.write(won, private.following(won, debit="issued", credit="prizes", amount=50))

    assert private.sums()["prizes"] == (50, 50)


def test_money_may_be_owed(pen):
    pen.write(pen.row(amount=900, debit="bank:main", credit="held"))
    pen.write(pen.row(amount=9000, debit="fund:general", credit="stripe"))

    assert pen.sums()["stripe"] == (1000, 9000)
