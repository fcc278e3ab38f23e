"""The programs in docs/receipts.md: with OpenSSL, with Go's own packages, and nothing of ours."""

import subprocess

import pytest

from tests.independent.page import saved
from tests.verifier.signed_corpus import LINES, book
from tests.verifier.signing import (
    LOG,
    ORIGIN,
    OTHER,
    VKEY,
    body_of,
    cosigned,
    note_of,
    receipt_of,
    signed,
    vkey_of,
)


@pytest.fixture(scope="session", params=["sh", "go"])
def program(request, tmp_path_factory):
    """What to type before a receipt and a key."""
    return saved(request.param, tmp_path_factory.mktemp("receipts"))


@pytest.fixture
def check(program, tmp_path):
    """Return what checks a receipt by hand: the exit code, and what was said."""

    def run(receipt, vkey=VKEY):
        file = tmp_path / "receipt"
        file.write_text(receipt)
        done = subprocess.run([*program, file, vkey], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    return run


@pytest.mark.parametrize(
    ("size", "place"), [(1, 0), (2, 0), (2, 1), (6, 5), (7, 3), (7, 6), (257, 256), (256, 100)]
)
def test_a_receipt_is_checked_without_our_programs(check, size, place):
    lines = book(size)

    code, said = check(receipt_of(lines, place))

    assert code == 0
    assert said.endswith(f"that were signed:\n{lines[place].decode()}\n")


def test_other_signatures_are_passed_over(check):
    body = body_of(LINES)
    note = note_of(body, signed(body, OTHER, "another.example"), signed(body), cosigned(body, 0))

    assert check(receipt_of(LINES, 3, note))[0] == 0


@pytest.mark.parametrize("keys", [(LOG, OTHER), (OTHER, LOG)])
def test_a_key_of_the_same_name_is_passed_over(check, keys):
    body = body_of(LINES)
    note = note_of(body, *(signed(body, key) for key in keys))

    assert check(receipt_of(LINES, 3, note))[0] == 0
    assert check(receipt_of(LINES, 3, note), vkey_of(ORIGIN, 1, OTHER))[0] == 0


@pytest.mark.parametrize(
    "receipt",
    [
        receipt_of(LINES, 3, line=LINES[2]),
        receipt_of(LINES, 3, index=2),
        receipt_of(LINES, 3, path=[]),
        receipt_of(LINES, 3, path=[b"x" * 32] * 3),
        receipt_of(LINES, 3, note_of(body_of(LINES), signed(body_of(LINES), OTHER))),
        receipt_of(LINES, 3, note_of(body_of(LINES[:5]))),
        receipt_of(LINES, 3).replace("\n6\n", "\n7\n"),
    ],
)
def test_an_altered_receipt_is_refused(check, receipt):
    code, said = check(receipt)

    assert code != 0
    assert "VALID:" not in said
