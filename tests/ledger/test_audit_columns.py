"""The audit of what no export shows: columns beside the line, sums, heads; and its command."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from ledger.audit import audit_books
from ledger.audit_rules import Verdict
from ledger.services import append
from tests.factories import OrganisationFactory
from tests.ledger.tampering import forged, rechain
from tests.ledger.test_audit import SIZE, TAMPERED, audited, book, gift, verified

__all__ = ["book"]

COLUMNS = [
    "entry_id = 'led_00000000000000000000000000'",
    "operation = 'SPENT'",
    "amount = 501",
    "currency = 'USD'",
    "debit = 'bank:main'",
    "credit = 'held'",
    "nonce = 'other'",
    "metadata = '{}'",
    "metadata = metadata || '{\"yes\": 1}'",
    "metadata = metadata || '{\"number\": 1.0}'",
    "metadata = metadata || '{\"number\": true}'",
    "metadata = metadata || jsonb_build_object('number', repeat('9', 5000)::numeric)",
    "occurred_at = occurred_at + interval '1 s'",
    "recorded_at = recorded_at - interval '1 s'",
    "occurred_at = 'infinity'",
    "prev_entry_hash = 'sha256:'",
    "prev_entry_hash = NULL",
    "entry_hash = 'sha256:'",
    "entry_hash = upper(entry_hash)",
]


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("place", [5, 10])
def test_a_column_that_says_otherwise_than_its_line_is_named(tamper, book, column, place):
    tamper.execute(f"UPDATE ledger_entry SET {column} WHERE sequence = {place}")

    assert audited() == (TAMPERED, place)
    assert verified(tamper) == (Verdict.VALID, None)


def test_the_reason_names_the_columns(tamper, book):
    tamper.execute("UPDATE ledger_entry SET amount = 1, nonce = 'other' WHERE sequence = 5")

    [report] = audit_books()

    assert report.reason == "the line and the columns disagree: amount, nonce"
    assert report.coverage == "5 of 12 rows: bytes, columns"


def test_a_number_in_another_place_is_named(tamper, book):
    tamper.execute("UPDATE ledger_entry SET sequence = 50 WHERE sequence = 5")

    assert audited() == verified(tamper) == (TAMPERED, 5)


def test_metadata_that_no_parser_takes_is_named(tamper, book):
    deep = '{"a":' * 5000 + "1" + "}" * 5000
    tamper.execute(f"UPDATE ledger_entry SET metadata = '{deep}' WHERE sequence = 5")

    assert audited() == (TAMPERED, 5)


@pytest.mark.parametrize(
    "changes",
    [{"entry_id": "led_1"}, {"operation": "spent"}, {"nonce": ""}, {"nonce": "x" * 256}],
    ids=str,
)
def test_a_value_that_no_entry_has_is_named(tamper, book, changes):
    def change(rows):
        rows[5] = forged(rows[5], **changes)
        rechain(rows, 6)

    tamper.edit(change)
    tamper.state_head()

    assert audited() == (TAMPERED, 5)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE ledger_account SET debits = 1 WHERE name = 'stripe'", "stripe in EUR says 1 −"),
        ("UPDATE ledger_account SET credits = credits + 1 WHERE name LIKE 'fund%'", "add up to"),
        ("DELETE FROM ledger_account WHERE name = 'stripe'", "missing: stripe in EUR"),
        (
            "INSERT INTO ledger_account (organisation_id, book, currency, name, credits) "
            "SELECT organisation_id, book, 'EUR', 'held', 5 FROM ledger_book",
            "held in EUR says 0 − 5",
        ),
        ("UPDATE ledger_account SET name = 'held' WHERE name = 'stripe'", "held in EUR says"),
        ("DELETE FROM ledger_book", "no head"),
    ],
)
def test_sums_that_do_not_follow_are_found(tamper, book, statement, reason):
    tamper.execute(statement)

    [report] = audit_books()

    assert (report.verdict, report.first_bad_sequence) == (TAMPERED, None)
    assert reason in report.reason


@pytest.mark.parametrize(
    ("head", "verdict", "sequence"),
    [
        ("size = 13", Verdict.INCOMPLETE, None),
        ("size = 11", TAMPERED, 11),
        ("size = 0, head_hash = NULL", TAMPERED, 0),
        ("head_hash = 'sha256:'", TAMPERED, SIZE - 1),
        ("head_hash = NULL", TAMPERED, SIZE - 1),
    ],
)
def test_a_head_that_does_not_follow_is_found(tamper, book, head, verdict, sequence):
    tamper.execute(f"UPDATE ledger_book SET {head}")

    assert audited() == (verdict, sequence)


def test_a_book_without_entries_is_incomplete(tamper, book):
    tamper.execute("DELETE FROM ledger_entry")
    tamper.execute("UPDATE ledger_book SET size = 0, head_hash = NULL")
    assert audited() == (Verdict.INCOMPLETE, None)

    tamper.execute("DELETE FROM ledger_book")
    assert audited() == (TAMPERED, None)


def test_a_book_of_no_organisation_is_audited_all_the_same(tamper, book):
    tamper.execute("DELETE FROM organisations_organisation")
    assert audited() == (Verdict.VALID, None)

    [report] = audit_books(organisation=book.organisation_id, book="public")
    assert report.slug == book.organisation_id


def run(*arguments):
    output = StringIO()
    try:
        call_command("audit_ledger", *arguments, stdout=output)
    except SystemExit as exit_:
        return output.getvalue(), int(exit_.code)
    return output.getvalue(), 0


def test_the_command_says_what_it_looked_at(tamper, book):
    slug = book.organisation.slug

    assert run() == (
        f"VALID {slug}/public "
        "(12 entries; 12 of 12 rows, 4 accounts, 1 head: bytes, columns, balances)\n"
        "VALID: 1 books\n",
        0,
    )


@pytest.mark.parametrize(
    ("statement", "verdict", "where"),
    [
        ("UPDATE ledger_entry SET amount = 1 WHERE sequence = 5", "TAMPERED", " at 5: the"),
        ("UPDATE ledger_account SET debits = 1", "TAMPERED", " the account"),
        ("UPDATE ledger_book SET size = 99", "INCOMPLETE", " the head counts 99"),
        (
            "UPDATE ledger_entry SET (line, entry_hash) = "
            "('{}', 'sha256:' || encode(sha256('{}'), 'hex')) WHERE sequence = 5",
            "MALFORMED",
            " at 5: the line does not have",
        ),
    ],
)
def test_the_command_exits_with_the_worst_verdict(tamper, book, statement, verdict, where):
    tamper.execute(statement)
    untouched = OrganisationFactory().slug

    output, status = run()

    assert status == {"INCOMPLETE": 12, "TAMPERED": 13, "MALFORMED": 16}[verdict]
    assert f"{verdict} {book.organisation.slug}/public{where}" in output
    assert f"VALID {untouched}/public (1 entries" in output
    assert output.endswith(f"\n{verdict}: 2 books\n")
    assert run("--organisation", untouched)[1] == 0


def test_the_command_writes_json(tamper, book):
    tamper.execute("UPDATE ledger_entry SET amount = 1 WHERE sequence = 5")

    output, status = run("--json", "--organisation", book.organisation_id, "--book", "public")

    assert status == 13
    assert json.loads(output) == {
        "organisation": book.organisation_id,
        "slug": book.organisation.slug,
        "book": "public",
        "verdict": "TAMPERED",
        "first_bad_sequence": 5,
        "reason": "the line and the columns disagree: amount",
        "entries": 5,
        "rows": 12,
        "accounts": None,
        "sealed": None,
        "coverage": "5 of 12 rows: bytes, columns",
    }


def test_the_command_finds_no_book_that_is_not_there(tamper, book):
    for arguments in (["--organisation", "nobody"], ["--book", "credits"]):
        with pytest.raises(CommandError, match=r"^There is no such book\.$"):
            run(*arguments)


def test_an_empty_instance_is_valid(tamper):
    assert run() == ("VALID: 0 books\n", 0)
    assert run("--json") == ("", 0)


def test_more_rows_than_one_batch_are_read(tamper, book):
    append(book=book, drafts=[gift(number) for number in range(SIZE, 2500)])

    [report] = audit_books()
    assert (report.verdict, report.entries) == (Verdict.VALID, 2500)
    tamper.execute("UPDATE ledger_entry SET amount = 1 WHERE sequence = 2100")
    assert audited() == (TAMPERED, 2100)
