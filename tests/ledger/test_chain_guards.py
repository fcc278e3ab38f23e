"""Guarantees 2 and 3: one unbroken chain, no nonce twice, no reversal twice; by raw SQL."""

import pytest

from tests.ledger.pen import GENESIS

CHAIN = ("23503", "entry_follows_its_predecessor")
TAKEN = ("23505", "ledger_entry_pkey")
NOT_FIRST = ("23514", "entry_genesis_is_first")


def test_a_gap_is_refused(pen):
    assert pen.refused(pen.row(sequence=4)) == CHAIN
    assert pen.refused(pen.row(sequence=2**53 - 1)) == CHAIN
    assert pen.refused(pen.row(sequence=-1)) == ("23514", "ledger_entry_sequence_check")


@pytest.mark.parametrize("older", [0, 1])
def test_an_entry_that_stands_on_an_older_one_is_refused(pen, older):
    assert pen.refused(pen.row(prev_entry_hash=pen.rows[older]["entry_hash"])) == CHAIN


def test_an_entry_with_the_wrong_hash_before_it_is_refused(pen):
    assert pen.refused(pen.row(prev_entry_hash="sha256:" + "0" * 64)) == CHAIN
    assert pen.refused(pen.row(prev_entry_hash=pen.head_hash.upper())) == CHAIN
    assert pen.refused(pen.row(prev_entry_hash="")) == CHAIN
    assert pen.refused(pen.row(prev_entry_hash=None)) == NOT_FIRST


def test_a_fork_is_refused(pen):
    rival = pen.row(sequence=2, prev_entry_hash=pen.rows[1]["entry_hash"], nonce="rival")

    assert pen.refused(rival) == TAKEN
    assert pen.refused(pen.rows[2]) == TAKEN


def test_a_fork_within_one_statement_is_refused(pen):
    assert pen.refused(pen.row(), pen.row(nonce="rival")) == TAKEN


def test_an_entry_that_stands_on_another_books_is_refused(pen):
    private = pen.private()

    assert pen.refused(pen.row(prev_entry_hash=private.head_hash)) == CHAIN


def test_a_second_genesis_is_refused(pen):
    anew = {**GENESIS, "prev_entry_hash": None}

    assert pen.refused(pen.row(**anew, sequence=0)) == TAKEN
    assert pen.refused(pen.row(**anew | {"nonce": "again"})) == NOT_FIRST
    assert pen.refused(pen.row(**GENESIS | {"nonce": "again"})) == NOT_FIRST


@pytest.mark.parametrize(
    "change",
    [
        {"operation": "DONATION_RECEIVED"},
        {"prev_entry_hash": "sha256:" + "0" * 64},
        {"debit": "genesis:end", "credit": "genesis"},
        {"nonce": "another"},
        {"currency": "EUR", "debit": "stripe", "credit": "held"},
    ],
    ids=str,
)
def test_a_book_begins_with_its_genesis_alone(pen, change):
    pen.book, pen.size, pen.head_hash = "another", 0, None
    pen.open_book("another")
    pen.open_accounts([("XXX", "genesis"), ("XXX", "genesis:end")])

    assert pen.refused(pen.row(**GENESIS | change)) == NOT_FIRST


def test_a_book_does_not_begin_in_the_middle(pen):
    pen.book, pen.head_hash = "another", None
    pen.open_book("another")
    pen.open_accounts([("XXX", "genesis"), ("XXX", "genesis:end")])

    assert pen.refused(pen.row(**GENESIS)) == NOT_FIRST
    nothing = {**GENESIS, "operation": "ERASURE", "prev_entry_hash": "sha256:" + "0" * 64}
    assert pen.refused(pen.row(**nothing)) == CHAIN


def test_a_whole_batch_is_refused_for_one_bad_entry(pen):
    first = pen.row()
    third = pen.row(sequence=5, nonce="third", prev_entry_hash=first["entry_hash"])

    assert pen.refused(first, third) == CHAIN
    assert pen.refused_call(lambda: pen.copy(first, third)) == CHAIN
    assert pen.head() == (3, pen.head_hash)


def test_a_batch_in_any_order_is_one_chain(pen):
    first = pen.row()
    second = pen.following(first)
    third = pen.following(second)

    pen.write(third, first, second)
    pen.size, pen.head_hash = 6, third["entry_hash"]
    pen.write(pen.row())

    assert pen.head() == (7, pen.head_hash)


def test_copy_keeps_the_same_books(pen):
    first = pen.row()
    second = pen.following(first)

    pen.copy(first, second)

    assert pen.head() == (5, second["entry_hash"])
    assert pen.sums() == {"stripe": (2000, 0), "fund:general": (0, 2000)}


@pytest.mark.parametrize("column", ["prev_sequence", "reverses"])
def test_what_stands_on_what_cannot_be_chosen(pen, column):
    statement = f"INSERT INTO ledger_entry (book, {column}) VALUES ('public', 1)"

    assert pen.refused_statement(statement)[0] in ("428C9", "42501")


def test_no_constraint_can_be_put_off(pen):
    pen.execute("SET CONSTRAINTS ALL DEFERRED")

    assert pen.refused(pen.row(sequence=4)) == CHAIN
    assert pen.refused_statement("SET CONSTRAINTS entry_follows_its_predecessor DEFERRED") == (
        "42809",
        None,
    )


def test_a_nonce_is_used_once_in_a_book(pen):
    used = ("23505", "entry_nonce_is_new")
    first = pen.row(nonce="same")

    assert pen.refused(pen.row(nonce="nonce-1")) == used
    assert pen.refused(pen.row(nonce="genesis")) == used
    assert pen.refused(first, pen.following(first, nonce="same")) == used
    private = pen.private()
    private.write(private.row(nonce="other"))
    pen.write(pen.row(nonce="other"))


def test_an_id_is_used_once_in_an_organisation(pen):
    used = ("23505", "entry_id_is_new")
    private = pen.private()

    assert pen.refused(pen.row(entry_id=pen.rows[1]["entry_id"])) == used
    assert private.refused(private.row(entry_id=pen.rows[1]["entry_id"])) == used


def correction(pen, reverses, **changes):
    metadata = {"reverses": reverses, "reason": "Booked twice."}
    mirrored = {"operation": "CORRECTION", "debit": "fund:general", "credit": "stripe"}
    return pen.row(**{**mirrored, "metadata": metadata, **changes})


def test_an_entry_is_reversed_once(pen):
    twice = ("23505", "entry_is_reversed_once")
    first = correction(pen, 2)
    second = correction(pen, 2, sequence=4, nonce="b", prev_entry_hash=first["entry_hash"])

    assert pen.refused(first, second) == twice
    pen.write(first)
    assert pen.refused(correction(pen, 2, nonce="again")) == twice
    pen.write(correction(pen, 1))


@pytest.mark.parametrize("reverses", [0, -1, 3, 4, 2**53 - 1, None])
def test_only_an_earlier_entry_is_reversed(pen, reverses):
    changes = {"metadata": {"reason": "Why not."}} if reverses is None else {}
    row = correction(pen, reverses, **changes)

    assert pen.refused(row) == ("23514", "entry_reverses_an_earlier_one")


@pytest.mark.parametrize("reverses", ["1", True, {}])
def test_an_entry_is_reversed_by_its_number(pen, reverses):
    assert pen.refused(correction(pen, reverses))[0] == "22023"


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 499},
        {"amount": 501},
        {"debit": "stripe", "credit": "fund:general"},
        {"debit": "held"},
        {"credit": "bank:main"},
        {"currency": "USD"},
    ],
    ids=str,
)
def test_a_correction_moves_back_what_the_entry_moved(pen, changes):
    pen.open_accounts([("USD", "stripe"), ("USD", "fund:general")])
    broken = ("23514", "entry_mirrors_what_it_reverses")

    assert pen.refused(correction(pen, 2, **changes)) == broken
    assert pen.refused_call(lambda: pen.copy(correction(pen, 2, **changes))) == broken


def test_an_entry_of_the_same_batch_can_be_reversed(pen):
    first = pen.row()
    second = correction(pen, 3, sequence=4, nonce="b", prev_entry_hash=first["entry_hash"])

    pen.write(first, second)

    assert pen.sums() == {"stripe": (1500, 500), "fund:general": (500, 1500)}


def test_what_is_no_correction_may_say_reverses(pen):
    pen.write(pen.row(metadata={"reverses": 2}))
    pen.write(pen.row(metadata={"reverses": 2}))

    assert pen.size == 5
