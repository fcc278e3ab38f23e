"""The audit against an operator with all rights: what it names, and that the verifier agrees."""

import pytest

from ledger.audit import audit_books
from ledger.audit_rules import Verdict
from ledger.operations import MoneyOperation
from ledger.services import Draft, append
from tests.factories import OrganisationFactory
from tests.ledger.tampering import forged, rechain, rewritten
from verifier.almoner_verify import Head, Verification

SIZE = 12
CORRECTED, CORRECTION = 3, 9
TAMPERED, MALFORMED, INCOMPLETE = Verdict.TAMPERED, Verdict.MALFORMED, Verdict.INCOMPLETE


@pytest.fixture
def book(tamper):
    book = OrganisationFactory().books.get()
    drafts = [gift(number) for number in range(1, SIZE)]
    drafts[CORRECTION - 1] = gift(
        CORRECTION,
        operation=MoneyOperation.CORRECTION,
        amount=CORRECTED * 100,
        debit="fund:general",
        credit="stripe",
        metadata={"reverses": CORRECTED},
    )
    drafts[9] = gift(10, metadata={"place": "Café ☕", "rate": {"of": 1}})
    append(book=book, drafts=drafts)
    return book


def gift(number, **fields):
    return Draft(
        **{
            "operation": MoneyOperation.DONATION_RECEIVED,
            "amount": number * 100,
            "currency": "EUR",
            "debit": "stripe",
            "credit": "fund:general",
            "nonce": f"nonce-{number}",
            "metadata": {"donation": "don_1", "yes": True, "number": 1},
            **fields,
        }
    )


def audited():
    [report] = audit_books()
    return report.verdict, report.first_bad_sequence


def verified(tamper):
    """Return what the stand-alone verifier says of the export and the head that we would serve."""
    head = tamper.connection.execute("SELECT size, head_hash FROM ledger_book").fetchone()
    lines = (f"{line}\n".encode() for line in tamper.lines())
    finding = Verification(head=Head(*head)).run(lines)
    return Verdict[finding.verdict], finding.sequence


def test_a_book_that_nobody_touched_is_valid(tamper, book):
    [report] = audit_books()

    assert (report.verdict, report.first_bad_sequence, report.reason) == (Verdict.VALID, None, "")
    assert report.coverage == ("12 of 12 rows, 4 accounts, 1 head: bytes, columns, balances")
    assert verified(tamper) == (Verdict.VALID, None)


def test_a_whole_book_written_anew_is_valid(tamper, book):
    # Nothing inside can show this: it is what checkpoints and witnesses are for.
    def change(rows):
        rows[5] = forged(rows[5], amount=1)
        rechain(rows, 6)

    tamper.edit(change)
    tamper.state_head()
    tamper.state_sums()

    assert audited() == verified(tamper) == (Verdict.VALID, None)


def setting(place, **changes):
    def change(rows):
        rows[place] = forged(rows[place], **changes)

    return change


def amount_of_the_line_alone(rows):
    rows[5]["line"] = rewritten(rows[5], ":500,", ":501,")["line"]


def line_and_hash_without_the_columns(rows):
    rows[5] = rewritten(rows[5], ":500,", ":501,")


def amount_with_all_later_hashes(rows):
    rows[5] = forged(rows[5], amount=501)
    rechain(rows, 6)


def deleted(rows):
    del rows[4]


def deleted_and_renumbered(rows):
    del rows[4]
    rows[4:] = [forged(row, sequence=row["sequence"] - 1) for row in rows[4:]]


def swapped_lines(rows):
    for name in ("line", "entry_hash"):
        rows[4][name], rows[5][name] = rows[5][name], rows[4][name]


def swapped_rows(rows):
    rows[4], rows[5] = forged(rows[5], sequence=4), forged(rows[4], sequence=5)


def cut(rows):
    del rows[-2:]


def rival(rows):
    rows.insert(6, forged(rows[5], amount=1))


def doubled(rows):
    rows.insert(6, rows[5])


def inserted(rows):
    rows[6:] = [forged(row, sequence=row["sequence"] + 1) for row in rows[5:]]
    rows[5] = forged(rows[5], nonce="new", prev_entry_hash=rows[4]["entry_hash"])


EDITS = [
    (setting(5, amount=501), TAMPERED, 5),
    (setting(SIZE - 1, amount=501), TAMPERED, SIZE - 1),
    (setting(5, prev_entry_hash="sha256:" + "0" * 64), TAMPERED, 4),
    (setting(5, prev_entry_hash=None), MALFORMED, 5),
    (setting(0, prev_entry_hash="sha256:" + "0" * 64), TAMPERED, 0),
    (setting(0, operation="DONATION_RECEIVED"), TAMPERED, 0),
    (setting(0, metadata={}), TAMPERED, 0),
    (setting(0, sequence=1), MALFORMED, 0),
    (amount_of_the_line_alone, TAMPERED, 5),
    (line_and_hash_without_the_columns, TAMPERED, 5),
    (amount_with_all_later_hashes, TAMPERED, SIZE - 1),
    (deleted, TAMPERED, 4),
    (deleted_and_renumbered, TAMPERED, 3),
    (swapped_lines, TAMPERED, 4),
    (swapped_rows, TAMPERED, 3),
    (cut, INCOMPLETE, None),
    (rival, TAMPERED, 5),
    (doubled, TAMPERED, 6),
    (inserted, TAMPERED, 5),
]


@pytest.mark.parametrize(("change", "verdict", "sequence"), EDITS)
def test_rows_that_were_edited_are_named(tamper, book, change, verdict, sequence):
    tamper.edit(change)

    assert audited() == verified(tamper) == (verdict, sequence)


REWRITES = [
    ('{"amount":500', '{"amount":500,"amount":500'),
    ('{"amount":500', '{ "amount":500'),
    (":500,", ":500.0,"),
    (":500,", ":5e2,"),
    (":500,", ":0500,"),
    (":500,", ":-0,"),
    (":500,", ":9007199254740992,"),
    (":500,", ":true,"),
    ("stripe", "str\\u0069pe"),
    ("stripe", "\ufeffstripe\n"),
    ('"donation":"don_1","number":1', '"number":1,"donation":"don_1"'),
    ('"donation":"don_1"', '"donation":"don_1","donation":"don_1"'),
    ('"donation":"don_1"', '"donation":null'),
    ('"donation":"don_1"', '"donation":[]'),
    ('"donation":"don_1"', '"donation":{"a":{}}'),
    ('"donation":"don_1"', '"Donation":"don_1"'),
    ('"donation":"don_1"', '"donation":"e\u0301"'),
    ('"donation":"don_1"', '"donation":"\U0001fae8"'),
    ('"donation":"don_1"', '"donation":"\\u0001"'),
    ('"donation":"don_1"', '"donation":"\\ud800"'),
    ('"donation":"don_1"', f'"donation":"{"x" * 17_000}"'),
    ('"version":1', '"version":2'),
    ('"version":1', '"version":1,"w":1'),
    ('"version":1}', '"version":1} '),
    ('"nonce":', '"once":'),
    ('"occurred_at":"2', '"occurred_at":" 2'),
    ("{", "["),
]


@pytest.mark.parametrize(("old", "new"), REWRITES)
def test_a_line_in_another_form_is_malformed_under_its_right_hash(tamper, book, old, new):
    def change(rows):
        rows[5] = rewritten(rows[5], old, new)

    tamper.edit(change)

    assert audited() == verified(tamper) == (MALFORMED, 5)


def test_a_day_that_is_none_is_malformed(tamper, book):
    def change(rows):
        rows[5] = rewritten(rows[5], rows[5]["occurred_at"], "2026-02-29T00:00:00Z")

    tamper.edit(change)

    assert audited() == verified(tamper) == (MALFORMED, 5)


RULES = [
    ("a second genesis", 5, {"operation": "GENESIS"}),
    ("a nonce twice", 7, {"nonce": "nonce-2"}),
    ("the nonce of the genesis", 7, {"nonce": "genesis"}),
    ("a negative amount", 5, {"amount": -500}),
    ("one account on both sides", 5, {"credit": "stripe"}),
    ("an account that is none", 5, {"debit": "ours"}),
    ("an owner in the public book", 5, {"credit": "owner:ann"}),
    ("an amount of no currency", 5, {"currency": "XXX", "debit": "genesis"}),
    ("recorded before its predecessor", 5, {"recorded_at": "2001-01-01T00:00:00Z"}),
    ("another organisation", 5, {"organisation_id": "org_00000000000000000000000000"}),
    ("another book", 5, {"book": "credits"}),
    ("a correction of nothing", CORRECTION, {"metadata": {}}),
    ("a correction of a later entry", CORRECTION, {"metadata": {"reverses": 10}}),
    ("a correction of itself", CORRECTION, {"metadata": {"reverses": CORRECTION}}),
    ("a correction by text", CORRECTION, {"metadata": {"reverses": "3"}}),
    ("a correction of the genesis", CORRECTION, {"metadata": {"reverses": 0}}),
    ("a correction of another amount", CORRECTION, {"amount": 1}),
    ("a correction the same way", CORRECTION, {"debit": "stripe", "credit": "fund:general"}),
]


RULE_NAMES = [rule[0] for rule in RULES]
REASONS = {
    "a nonce twice": "its nonce was used before",
    "a correction of itself": "it does not mirror an earlier entry",
}


@pytest.mark.parametrize(("rule", "place", "changes"), RULES, ids=RULE_NAMES)
def test_an_entry_that_breaks_a_rule_is_named_in_a_book_written_anew(
    tamper, book, rule, place, changes
):
    def change(rows):
        rows[place] = forged(rows[place], **changes)
        rechain(rows, place + 1)

    home = {"organisation_id": book.organisation_id, "book": book.book}
    rows = tamper.rows()
    change(rows)
    tamper.save([row | home for row in rows])
    tamper.state_head()
    tamper.state_sums()

    [report] = audit_books()

    assert (report.verdict, report.first_bad_sequence) == verified(tamper) == (TAMPERED, place)
    assert REASONS.get(rule, "") in report.reason


def test_an_id_twice_is_named(tamper, book):
    def change(rows):
        rows[7] = forged(rows[7], entry_id=rows[2]["entry_id"])
        rechain(rows, 8)

    tamper.edit(change)
    tamper.state_head()

    assert audited() == verified(tamper) == (TAMPERED, 7)


def test_a_second_reversal_is_named(tamper, book):
    def change(rows):
        wanted = ("amount", "debit", "credit", "operation", "metadata")
        rows[11] = forged(rows[11], **{name: rows[CORRECTION][name] for name in wanted})
        rechain(rows, 11)

    tamper.edit(change)
    tamper.state_head()
    tamper.state_sums()

    assert audited() == verified(tamper) == (TAMPERED, 11)


def test_of_two_bad_entries_the_first_is_named(tamper, book):
    def change(rows):
        rows[4] = forged(rows[4], nonce="nonce-2")
        rechain(rows, 5)
        rows[8] = forged(rows[8], amount=1)

    tamper.edit(change)

    assert audited() == verified(tamper) == (TAMPERED, 4)
