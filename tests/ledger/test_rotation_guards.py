"""The database lets no key come into force but after the one that is; by raw SQL."""

import pytest

from tests.ledger.pen import GENESIS

FALSE = ("23514", "entry_rotates_the_key_in_force")
SIGNATURE = "A" * 86 + "=="


def vkey(number: int, name: str = "log") -> str:
    return f"{name}+{number:08x}+AQ"


def rotation(pen, old: int, new: int, **changes):
    """The next entry: a rotation from one key to another."""
    said = {"retires": vkey(old), "signature": SIGNATURE, "vkey": vkey(new)}
    row = {**GENESIS, "operation": "KEY_ROTATION", "nonce": f"key:{new:08x}", "metadata": said}
    return pen.row(**{**row, **changes})


def test_one_key_follows_another(pen):
    pen.write(rotation(pen, 1, 2))
    pen.write(pen.row())
    pen.write(rotation(pen, 2, 3))

    assert pen.size == 6


def test_a_lost_key_does_not_sign(pen):
    lost = {"retires": vkey(1), "vkey": vkey(2)}

    pen.write(rotation(pen, 1, 2, metadata=lost))

    assert pen.size == 4


def test_a_private_book_rotates_too(pen):
    private = pen.private()

    private.write(rotation(private, 1, 2))

    assert private.refused(rotation(private, 1, 3)) == FALSE


def test_only_the_key_in_force_is_retired(pen):
    assert pen.refused(rotation(pen, 2, 3)) == FALSE

    pen.write(rotation(pen, 1, 2))

    assert pen.refused(rotation(pen, 1, 3)) == FALSE


def test_no_key_comes_back(pen):
    assert pen.refused(rotation(pen, 1, 1)) == FALSE

    pen.write(rotation(pen, 1, 2))

    assert pen.refused(rotation(pen, 2, 1)) == FALSE
    assert pen.refused(rotation(pen, 2, 2))[0] in {"23505", "23514"}


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "key:00000003"},
        {"nonce": "rotation"},
        {"debit": "genesis:end", "credit": "genesis"},
        {"currency": "EUR", "debit": "stripe", "credit": "held"},
        {"metadata": {}},
        {"metadata": {"vkey": vkey(2)}},
        {"metadata": {"retires": vkey(1)}},
        {"metadata": {"retires": vkey(1), "vkey": vkey(2), "more": 1}},
        {"metadata": {"retires": vkey(1), "vkey": vkey(2), "signature": "short"}},
        {"metadata": {"retires": vkey(1), "vkey": vkey(2, name="other")}},
    ],
    ids=str,
)
def test_a_rotation_has_one_form(pen, changes):
    assert pen.refused(rotation(pen, 1, 2, **changes)) == FALSE


def test_a_copy_and_a_replica_are_refused_too(pen, connected):
    row = rotation(pen, 2, 3)

    assert pen.refused_call(lambda: pen.copy(row)) == FALSE
