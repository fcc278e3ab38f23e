"""The script in docs/receipts.md: OpenSSL and the commands of every Unix, and nothing of ours."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.verifier.signed_corpus import LINES, book
from tests.verifier.signing import (
    OTHER,
    VKEY,
    body_of,
    cosigned,
    note_of,
    receipt_of,
    signed,
)

PAGE = Path(__file__).parents[2] / "docs" / "receipts.md"


@pytest.fixture
def script(tmp_path):
    """The script, as somebody saves it."""
    if not shutil.which("openssl"):
        pytest.skip("OpenSSL is not installed: the script of docs/receipts.md was not run")
    [text] = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    file = tmp_path / "receipt.sh"
    file.write_text(text)
    return file


def run(script, receipt, vkey=VKEY):
    file = script.with_name("receipt")
    file.write_text(receipt)
    done = subprocess.run(
        ["bash", str(script), str(file), vkey], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("size", "place"), [(1, 0), (2, 0), (2, 1), (6, 5), (7, 3), (7, 6), (257, 256), (256, 100)]
)
def test_a_receipt_is_checked_without_our_programs(script, size, place):
    lines = book(size)

    code, said = run(script, receipt_of(lines, place))

    assert code == 0
    assert said.endswith(f"that were signed:\n{lines[place].decode()}\n")


def test_other_signatures_are_passed_over(script):
    body = body_of(LINES)
    note = note_of(body, signed(body, OTHER, "another.example"), signed(body), cosigned(body, 0))

    assert run(script, receipt_of(LINES, 3, note))[0] == 0


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
def test_an_altered_receipt_is_refused(script, receipt):
    code, said = run(script, receipt)

    assert code != 0
    assert "VALID:" not in said
