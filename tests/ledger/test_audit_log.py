"""What was signed binds the operator too: a database rewritten without a flaw is found out."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger import notes
from ledger.audit import audit_books
from ledger.audit_rules import Verdict
from ledger.services import append
from ledger.services.checkpoints import kept_file
from ledger.services.sealing import seal
from tests.factories import OrganisationFactory
from tests.ledger.tampering import forged, rechain
from tests.ledger.test_audit import gift

SIZE = 600


@pytest.fixture
def book(tamper):
    """A sealed book of 600 entries."""
    book = OrganisationFactory().books.get()
    append(book=book, drafts=[gift(number) for number in range(1, SIZE)])
    seal(book=book)
    return book


def audited():
    [report] = audit_books()
    return report.verdict.name, report.first_bad_sequence, report.reason


def rewrite(tamper, place, **changes):
    """Write a book in which an entry was different from the start: nothing in it disagrees."""

    def change(rows):
        rows[place] = forged(rows[place], **changes)
        rechain(rows, place + 1)

    tamper.edit(change)
    tamper.state_head()
    tamper.state_sums()


def cut(tamper, size):
    tamper.execute(f"DELETE FROM ledger_entry WHERE sequence >= {size}")
    tamper.state_head()
    tamper.state_sums()


def forget_log(tamper):
    for table in ("checkpoint", "tile", "log"):
        tamper.execute(f"DELETE FROM ledger_{table}")


def test_a_sealed_book_is_valid(book):
    [report] = audit_books()

    assert (report.verdict, report.sealed) == (Verdict.VALID, SIZE)
    assert report.coverage.endswith("1 head: bytes, columns, balances; log of 600")


def test_what_came_since_the_last_checkpoint_is_no_break(book):
    append(book=book, drafts=[gift(number) for number in range(SIZE, SIZE + 300)])

    assert audited() == ("VALID", None, "")


@pytest.mark.parametrize("place", [1, 255, 256, 599])
def test_an_entry_rewritten_with_all_later_hashes_is_named(tamper, book, place):
    rewrite(tamper, place, amount=1)

    assert audited() == ("TAMPERED", place, "the log has another entry in its place")


def test_a_log_rewritten_too_is_not_what_was_signed(tamper, book):
    note = kept_file(book).read_text()
    rewrite(tamper, 5, amount=1)
    forget_log(tamper)
    kept_file(book).unlink()
    seal(book=book)
    assert audited()[0] == "VALID"

    kept_file(book).write_text(note)

    assert audited() == ("TAMPERED", None, "the first 600 entries are not those that were signed")


def test_a_tail_that_is_cut_is_missed(tamper, book):
    cut(tamper, 500)

    assert audited() == ("INCOMPLETE", None, "600 entries were signed and 500 are here")


def test_so_is_one_that_only_the_file_knows(tamper, book):
    cut(tamper, 500)
    forget_log(tamper)

    assert audited()[0] == "INCOMPLETE"


@pytest.mark.parametrize(
    ("statement", "sequence", "words"),
    [
        (
            "UPDATE ledger_tile SET hashes = overlay(hashes PLACING sha256('x') FROM 65) "
            "WHERE level = 0 AND number = 1",
            258,
            "another entry",
        ),
        ("DELETE FROM ledger_tile WHERE level = 0 AND number = 1", 256, "another entry"),
        (
            "UPDATE ledger_tile SET hashes = substring(hashes FOR 320) WHERE number = 2",
            522,
            "another entry",
        ),
        (
            "INSERT INTO ledger_tile SELECT organisation_id, book, 0, 3, hashes FROM ledger_tile "
            "WHERE number = 2",
            768,
            "another entry",
        ),
        ("UPDATE ledger_tile SET hashes = sha256('x') WHERE level = 1", None, "of level 1 do not"),
        ("DELETE FROM ledger_tile WHERE level = 1", None, "of level 1 do not follow"),
        (
            "INSERT INTO ledger_tile SELECT organisation_id, book, 2, 0, hashes FROM ledger_tile "
            "WHERE level = 1",
            None,
            "of level 2 do not follow",
        ),
    ],
)
def test_tiles_that_do_not_follow_are_named(tamper, book, statement, sequence, words):
    tamper.execute(statement)

    verdict, found, reason = audited()

    assert (verdict, found) == ("TAMPERED", sequence)
    assert words in reason


def keep_signed(book, private, *, origin=None, text=None):
    """Keep a checkpoint that a key signed; the text may be another one than was signed."""
    note = notes.parse_note(kept_file(book).read_bytes())
    body = note.text if origin is None else note.text.replace(book.organisation_id, origin)
    name = note.signatures[0].name
    forged_note = notes.Note(text or body, [notes.sign(private, name, body)])
    kept_file(book).write_text(str(forged_note))


def test_a_checkpoint_of_another_key_is_nobodys(book):
    keep_signed(book, Ed25519PrivateKey.generate())

    assert audited()[0] == "UNKNOWN_KEY"


def test_a_checkpoint_of_another_log_is_not_this_ones(book):
    other = OrganisationFactory().books.get()
    seal(book=other)
    kept_file(book).write_text(kept_file(other).read_text())

    reports = {report.organisation: report for report in audit_books()}

    report = reports[book.organisation_id]
    assert report.verdict is Verdict.UNKNOWN_KEY
    assert other.organisation_id in report.reason
    assert reports[other.organisation_id].verdict is Verdict.VALID


def test_an_altered_checkpoint_was_not_signed(book):
    note = kept_file(book).read_text()
    kept_file(book).write_text(note.replace("\n600\n", "\n599\n"))

    verdict, _, reason = audited()

    assert verdict == "TAMPERED"
    assert reason.endswith("did not sign this.")


@pytest.mark.parametrize("content", ["", "x", "x\n\n— a AAAAAAA=\n"])
def test_a_file_that_holds_no_checkpoint_is_malformed(book, content):
    kept_file(book).write_text(content)

    verdict, _, reason = audited()

    assert verdict == "MALFORMED"
    assert str(kept_file(book)) in reason


def test_a_stored_checkpoint_that_is_none_is_malformed(tamper, book):
    tamper.execute("UPDATE ledger_checkpoint SET note = 'x'")

    assert audited()[0] == "MALFORMED"


def test_a_book_that_nobody_sealed_yet_has_no_log(tamper):
    OrganisationFactory()

    [report] = audit_books()

    assert (report.verdict, report.sealed) == (Verdict.VALID, 0)
    assert "log" not in report.coverage
