"""What a book attests of itself: the audit says of it what the other verifiers say."""

import json

import pytest

from ledger.audit_rules import Audit, BookBroken
from ledger.operations import MoneyOperation
from ledger.services import append
from tests.ledger.pages import row_of
from tests.ledger.tampering import forged, rechain
from tests.ledger.test_audit import SIZE, TAMPERED, Verdict, audited, book, gift, verified
from tests.verifier import corpus
from tests.verifier.attesting import attestation, rows_of

__all__ = ["book"]

CASES = [
    case
    for case in json.loads((corpus.FOLDER / "cases.json").read_text())
    if case["name"].startswith("attest")
]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_audit_gives_the_verdict_of_the_other_verifiers(case):
    lines = (corpus.FOLDER / f"{case['name']}.ndjson").read_text().splitlines()
    rows = [row_of(json.loads(line)) for line in lines]
    audit = Audit(json.loads(lines[0])["organisation_id"], json.loads(lines[0])["book"])

    try:
        for row in rows:
            audit.add(row)
        found = ("VALID", None)
    except BookBroken as broken:
        found = (broken.verdict.name, broken.sequence)

    assert found == (case["verdict"], case["first_bad_sequence"])


@pytest.fixture
def attested_book(tamper, book):
    """A book that attests its balances, and goes on."""
    entry = attestation(SIZE, rows_of(tamper.rows()), size=SIZE)
    names = ("amount", "currency", "debit", "credit", "nonce", "metadata")
    note = gift(SIZE, operation=MoneyOperation.BALANCE_ATTESTATION, **{n: entry[n] for n in names})
    append(book=book, drafts=[note])
    append(book=book, drafts=[gift(SIZE + 1)])
    return book


def test_a_book_that_attests_what_is_so_is_valid(tamper, attested_book):
    assert audited() == verified(tamper) == (Verdict.VALID, None)


def test_a_book_written_anew_is_given_away_by_what_it_attested(tamper, attested_book):
    def change(rows):
        rows[5] = forged(rows[5], amount=1)
        rechain(rows, 6)

    tamper.edit(change)
    tamper.state_head()
    tamper.state_sums()

    assert audited() == verified(tamper) == (TAMPERED, SIZE)
