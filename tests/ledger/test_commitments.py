"""Commitments: what a line says of a personal detail, and that it says nothing else."""

from hashlib import sha256

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ledger.commitments import Detail, details_of
from ledger.line import LineMalformed, check_text

SALT = bytes(range(32))


def test_a_commitment_is_what_anyone_computes():
    detail = Detail("email", "ann@example.org", SALT)

    assert detail.key == "commitment_email"
    # printf 'almoner-commit/v1\n\x00\x01…\x1f{"email":"ann@example.org"}' | sha256sum
    assert detail.commitment == (
        "sha256:fc8407873761aa390a0cc7bd9c7eff0030c1e2a1862395fd457f6466b1e212da"
    )


@given(st.text())
def test_the_detail_is_canonical_json(value):
    try:
        check_text(value, "name")
    except LineMalformed:
        return
    content = b"almoner-commit/v1\n" + SALT + rfc8785.dumps({"name": value})

    assert Detail("name", value, SALT).commitment == f"sha256:{sha256(content).hexdigest()}"


def test_each_detail_has_a_salt_of_its_own():
    one, other = details_of({"email": "ann@example.org", "name": "ann@example.org"})
    [again] = details_of({"email": "ann@example.org"})

    assert len({one.salt, other.salt, again.salt}) == 3
    assert {len(each.salt) for each in (one, other, again)} == {32}


def test_only_what_a_line_could_hold_is_committed_to():
    details = details_of({"email": "", "name": "Zoe\u0301", "a": "x\0y", "b": "x\ud800"})

    assert [(each.field, each.value) for each in details] == [("name", "Zoé")]
