"""The audit of the heads log: it is what the books signed, all of it, and nothing else."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger import notes
from ledger.audit_heads import audit_heads
from ledger.models import HeadsLog
from ledger.services.checkpoints import kept_file
from ledger.services.heads import seal_heads
from ledger.services.sealing import seal
from reviews.models import Case
from reviews.tasks import audit_books_nightly
from tests.factories import OrganisationFactory, gift_entries
from tests.ledger.test_audit_columns import run


def grow(organisation):
    book = organisation.books.get()
    gift_entries(organisation, first=book.size)
    seal(book=book)


@pytest.fixture
def organisation(tamper):
    """An organisation with three heads in the log, of sizes 2, 3 and 4."""
    organisation = OrganisationFactory(slug="lantern")
    for _ in range(3):
        grow(organisation)
    seal_heads()
    return organisation


def audited():
    report = audit_heads()
    return report.verdict.name, report.first_bad_sequence, report.reason


def test_a_heads_log_is_valid(organisation):
    report = audit_heads()

    assert report.verdict.name == "VALID"
    assert report.coverage == "3 of 3 checkpoints of public books; log of 3"


def test_where_nothing_was_signed_there_is_nothing_to_audit(tamper):
    grow(OrganisationFactory())

    assert audit_heads() is None


def test_what_was_signed_a_moment_ago_is_no_break(organisation):
    grow(organisation)

    assert audited() == ("VALID", None, "")


@pytest.mark.parametrize("status", ["approved", "rejected"])
def test_a_checkpoint_that_was_left_out_is_missed(tamper, organisation, status):
    grow(organisation)
    tamper.execute("UPDATE ledger_checkpoint SET sealed_at = sealed_at - interval '11 minutes'")
    tamper.execute(f"UPDATE organisations_organisation SET status = '{status}'")

    report = audit_heads()

    assert report.coverage.startswith("3 of 4" if status == "approved" else "3 of 3")
    assert (report.verdict.name, report.reason) == (
        ("INCOMPLETE", "1 checkpoints of public books are missing, such as lantern at 5")
        if status == "approved"
        else ("VALID", "")
    )


def test_it_is_missed_also_where_nothing_is_in_the_log(tamper):
    grow(OrganisationFactory(slug="lantern"))
    tamper.execute("UPDATE ledger_checkpoint SET sealed_at = sealed_at - interval '11 minutes'")

    assert audited()[0] == "INCOMPLETE"


def forge(organisation_id, size=5, root="A" * 43 + "=", host="ledger.example"):
    return f"{host}/log/{organisation_id}\n{size}\n{root}\n"


@pytest.mark.parametrize(
    ("statement", "found", "words"),
    [
        (
            "DELETE FROM ledger_headsleaf WHERE sequence = 2",
            ("INCOMPLETE", None),
            "3 heads were",
        ),
        (
            "DELETE FROM ledger_headsleaf WHERE sequence = 1",
            ("TAMPERED", 1),
            "in its place is gone",
        ),
        (
            "DELETE FROM ledger_headsleaf WHERE sequence = 0",
            ("TAMPERED", 0),
            "in its place is gone",
        ),
        (
            "DELETE FROM ledger_headsleaf",
            ("INCOMPLETE", None),
            "3 heads were signed and 0",
        ),
        (
            "UPDATE ledger_headsleaf SET body = replace(body, 'ledger.', 'other.') "
            "WHERE sequence = 1",
            ("TAMPERED", 1),
            "the log has another entry in its place",
        ),
        ("UPDATE ledger_headstile SET hashes = sha256('x')", ("TAMPERED", 0), "another entry"),
        ("DELETE FROM ledger_headstile", ("TAMPERED", 0), "another entry in its place"),
        (
            "INSERT INTO ledger_headstile VALUES (1, 0, sha256('x'))",
            ("TAMPERED", None),
            "tiles of level 1 do not follow",
        ),
        (
            "UPDATE ledger_headscheckpoint SET note = replace(note, '/heads', '/tails')",
            ("UNKNOWN_KEY", None),
            "no known key signed the checkpoint of ledger.example/log/tails",
        ),
        ("UPDATE ledger_headscheckpoint SET note = 'x'", ("MALFORMED", None), "is not a text"),
        (
            "UPDATE ledger_headscheckpoint SET note = replace(note, chr(10) || '3' || chr(10), "
            "chr(10) || '2' || chr(10))",
            ("TAMPERED", None),
            "did not sign this",
        ),
        ("DELETE FROM ledger_headskey", ("UNKNOWN_KEY", None), "no known key signed"),
        (
            "UPDATE ledger_checkpoint SET note = replace(note, 'ledger.', 'other.') WHERE size = 3",
            ("TAMPERED", 1),
            "the book has signed something else",
        ),
    ],
)
def test_what_does_not_follow_is_named(tamper, organisation, statement, found, words):
    tamper.execute(statement)

    *verdict, reason = audited()

    assert tuple(verdict) == found
    assert words in reason


def test_a_log_made_anew_is_not_what_was_signed(tamper, organisation):
    note = kept_file(HeadsLog()).read_text()
    kept_file(HeadsLog()).unlink()
    for table in ("checkpoint", "tile", "log", "leaf"):
        tamper.execute(f"DELETE FROM ledger_heads{table}")
    tamper.execute("DELETE FROM ledger_checkpoint WHERE size = 2")
    seal_heads()
    grow(organisation)
    seal_heads()
    assert audited()[0] == "VALID"

    kept_file(HeadsLog()).write_text(note)

    assert audited() == ("TAMPERED", None, "the first 3 heads are not those that were signed")


def test_a_file_that_holds_no_checkpoint_is_malformed(organisation):
    kept_file(HeadsLog()).write_text("x")

    assert audited()[0] == "MALFORMED"


def test_a_checkpoint_of_another_key_is_nobodys(organisation):
    file = kept_file(HeadsLog())
    note = notes.parse_note(file.read_bytes())
    signature = notes.sign(Ed25519PrivateKey.generate(), note.signatures[0].name, note.text)
    file.write_text(str(notes.Note(note.text, [signature])))

    assert audited()[0] == "UNKNOWN_KEY"


# Leaves whose checkpoint is not stored any more, as a mirror brings them back


def test_what_a_mirror_brought_back_follows_from_the_book(tamper, organisation):
    tamper.execute("DELETE FROM ledger_checkpoint WHERE size = 3")

    assert audited()[0] == "VALID"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"size": 4}, "the book cannot have signed it"),
        ({"size": 4, "host": "other.example"}, "the book cannot have signed it"),
        ({"size": 99}, "no book can have signed it"),
        ({"size": 2, "organisation_id": "org_nobody"}, "no book can have signed it"),
        ({"root": "x"}, "no book can have signed it"),
    ],
)
def test_a_leaf_that_no_book_signed_is_named(tamper, organisation, changes, words):
    body = forge(**{"organisation_id": organisation.id, **changes})
    tamper.execute("DELETE FROM ledger_checkpoint WHERE size = 4")
    tamper.execute("DELETE FROM ledger_headsleaf WHERE sequence = 2")
    tamper.execute(f"INSERT INTO ledger_headsleaf (sequence, body) VALUES (2, '{body}')")
    for table in ("checkpoint", "tile", "log"):
        tamper.execute(f"DELETE FROM ledger_heads{table}")
    kept_file(HeadsLog()).unlink()
    seal_heads()

    assert audited() == ("TAMPERED", 2, words)


# Where staff hear of it


def test_the_command_audits_it_with_the_books(tamper, organisation):
    said, status = run()
    assert status == 0
    assert "VALID heads (3 entries; 3 of 3 checkpoints of public books; log of 3)\n" in said
    assert said.endswith("VALID: 1 books and the heads log\n")
    tamper.execute("DELETE FROM ledger_headsleaf WHERE sequence = 1")

    said, status = run()
    objects, _ = run("--json")

    assert status == 13
    assert "TAMPERED heads at 1: the leaf in its place is gone (2 entries; 2 of" in said
    assert said.endswith("TAMPERED: 1 books and the heads log\n")
    book, heads = map(json.loads, objects.splitlines())
    assert (book["verdict"], heads["verdict"]) == ("VALID", "TAMPERED")
    assert (heads["organisation"], heads["book"], heads["first_bad_sequence"]) == ("", "heads", 1)
    assert run("--organisation", "lantern")[1] == 0


def test_it_is_a_case_at_night(tamper, organisation):
    audit_books_nightly(timestamp=0)
    assert not Case.objects.exists()
    tamper.execute("DELETE FROM ledger_headsleaf WHERE sequence = 1")

    audit_books_nightly(timestamp=0)

    case = Case.objects.get()
    assert (case.kind, case.subject, case.organisation) == ("audit", "heads", None)
    assert case.summary == (
        "TAMPERED at 1: the leaf in its place is gone\nTo audit it again: manage.py audit_ledger"
    )
