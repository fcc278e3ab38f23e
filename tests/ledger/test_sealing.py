"""Sealing: what was signed stays signed, and a database that forgot some of it signs nothing."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from config.postgres_home import SUPERUSER
from ledger import notes
from ledger.audit import audit_books
from ledger.errors import SealingHalted
from ledger.models import Checkpoint, Entry, Log, Tile
from ledger.services.checkpoints import kept_file
from ledger.services.sealing import seal
from tests.factories import OrganisationFactory, gift_entries
from tests.ledger.backups import forget
from tests.ledger.test_merkle import defined

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def organisation():
    return OrganisationFactory(slug="lantern")


@pytest.fixture
def book(organisation):
    return organisation.books.get()


def lines_of(book):
    rows = Entry.objects.of(book.organisation_id, book.book).order_by("sequence")
    return [line.encode() for line in rows.values_list("line", flat=True)]


def test_a_checkpoint_signs_every_entry(organisation, book):
    gift_entries(organisation, 3)

    checkpoint = seal(book=book)

    lines = lines_of(book)
    note = notes.parse_note(checkpoint.note.encode())
    assert notes.parse_checkpoint(note.text) == notes.Checkpoint(
        f"ledger.example/log/{organisation.id}", 4, defined(lines)
    )
    key = notes.parse_key(Entry.objects.get(sequence=0).metadata["vkey"])
    assert note.signed_by([key]) == {key: 0}
    assert kept_file(book).read_text() == checkpoint.note


def test_nothing_new_is_signed_once(book):
    first = seal(book=book)

    assert seal(book=book) == first
    assert Checkpoint.objects.count() == 1


@pytest.mark.parametrize("sizes", [[1, 2, 3, 255, 256, 257, 600], [700], [256, 512, 513]])
def test_the_tree_grows_with_the_book(organisation, book, sizes):
    for size in sizes:
        there = Entry.objects.count()
        gift_entries(organisation, size - there, first=there - 1) if size > there else None
        checkpoint = seal(book=book)
        assert (checkpoint.size, bytes(checkpoint.root)) == (size, defined(lines_of(book)))
    assert Log.objects.get().size == sizes[-1]
    assert Tile.objects.filter(level=0).count() == (sizes[-1] + 255) // 256


# When the database has lost something


@pytest.fixture
def superuser(connect):
    return connect(SUPERUSER)


def test_an_older_backup_signs_nothing(organisation, book, superuser):
    gift_entries(organisation, 3)
    note = seal(book=book).note
    forget(superuser, size=3)

    with pytest.raises(SealingHalted, match=r"4 entries were signed and 3 are here"):
        seal(book=book)

    assert not Checkpoint.objects.exists()
    assert kept_file(book).read_text() == note


def test_an_older_backup_that_went_on_signs_nothing(organisation, book, superuser):
    gift_entries(organisation, 3)
    seal(book=book)
    forget(superuser, size=3)
    gift_entries(organisation, 5, first=10)

    with pytest.raises(SealingHalted, match="The first 4 entries are not those that were signed"):
        seal(book=book)

    assert not Checkpoint.objects.exists()


def test_what_was_rewritten_below_the_checkpoint_is_not_signed(organisation, book, superuser):
    gift_entries(organisation, 3)
    seal(book=book)
    superuser.execute("ALTER TABLE ledger_tile DISABLE TRIGGER ledger_guard_tile")
    superuser.execute(
        "UPDATE ledger_tile SET hashes = sha256('other') || substring(hashes FROM 33)"
    )
    superuser.execute("ALTER TABLE ledger_tile ENABLE ALWAYS TRIGGER ledger_guard_tile")

    with pytest.raises(SealingHalted, match="The first 4 entries are not those"):
        seal(book=book)


def test_a_lost_file_is_asked_for(organisation, book):
    seal(book=book)
    kept_file(book).unlink()
    remedy = "manage.py trust_checkpoint --organisation lantern --book public"

    with pytest.raises(SealingHalted, match=f"is gone.*: {re.escape(remedy)}$"):
        seal(book=book)
    command("trust_checkpoint", "--organisation", "lantern")
    gift_entries(organisation)

    assert seal(book=book).size == 2


@pytest.mark.parametrize("content", ["", "nothing", "x\n\n— a AAAAAAA=\n"])
def test_a_file_that_is_none_signs_nothing(book, content):
    seal(book=book)
    kept_file(book).write_text(content)

    with pytest.raises(SealingHalted, match="holds no checkpoint"):
        seal(book=book)


def test_the_checkpoint_of_another_book_is_none_of_this(book):
    other = OrganisationFactory().books.get()
    seal(book=book)
    seal(book=other)
    kept_file(book).write_text(kept_file(other).read_text())

    with pytest.raises(SealingHalted, match=f"A checkpoint of .*{other.organisation_id} is kept"):
        seal(book=book)


def test_a_checkpoint_that_only_the_file_has_is_published(organisation, book, superuser):
    gift_entries(organisation, 3)
    note = seal(book=book).note
    superuser.execute("ALTER TABLE ledger_checkpoint DISABLE TRIGGER ledger_refuse")
    superuser.execute("DELETE FROM ledger_checkpoint")  # as if we had died before the commit
    superuser.execute("ALTER TABLE ledger_checkpoint ENABLE ALWAYS TRIGGER ledger_refuse")

    assert seal(book=book).note == note


def test_a_file_that_is_behind_is_no_reason_to_halt(organisation, book):
    first = seal(book=book).note
    gift_entries(organisation, 3)
    seal(book=book)
    kept_file(book).write_text(first)
    gift_entries(organisation, 3, first=3)

    assert seal(book=book).size == 7


# The ways out


def command(name, *arguments):
    out = StringIO()
    call_command(name, *map(str, arguments), stdout=out)
    return out.getvalue()


@pytest.fixture
def export(client, organisation, tmp_path):
    """A book of 1,204 entries, sealed, and its export."""
    gift_entries(organisation, 1203)
    seal(book=organisation.books.get())
    answer = client.get("/v1/public/organisations/lantern/ledger/export?format=ndjson")
    file = tmp_path / "ledger.ndjson"
    file.write_bytes(b"".join(answer.streaming_content))
    return file


def test_what_is_lost_comes_back_from_an_export(organisation, book, superuser, export):
    forget(superuser, size=3)
    before = Checkpoint.objects.count()

    said = command("restore_entries", "--organisation", "lantern", export)

    assert said == "1,201 entries are back, and the log is sealed with them.\n"
    assert before == 0
    assert [*lines_of(book)] == export.read_bytes().split(b"\n")[:-1]
    assert Checkpoint.objects.get().size == 1204
    [report] = audit_books()
    assert report.finding == "VALID"
    assert "0 entries are back" in command("restore_entries", "--organisation", "lantern", export)


def refused(*arguments):
    with pytest.raises(CommandError) as refusal:
        command("restore_entries", *arguments)
    return str(refusal.value)


def test_an_export_that_lacks_something_brings_nothing_back(
    organisation, superuser, export, tmp_path
):
    forget(superuser, size=3)
    lines = export.read_bytes().splitlines(keepends=True)
    files = {
        "entries were signed and 1,203": lines[:-1],
        "does not go on": [*lines[:5], *lines[6:]],
        "is no export: the line": [*lines[:5], b"{}\n"],
        "is no export: 'INVENTED' is not": [
            *lines[:5],
            lines[5].replace(b"DONATION_RECEIVED", b"INVENTED"),
        ],
    }

    for number, (words, content) in enumerate(files.items()):
        file = tmp_path / str(number)
        file.write_bytes(b"".join(content))
        assert words in refused("--organisation", "lantern", file)
    OrganisationFactory(slug="other")
    assert "of another book" in refused("--organisation", "other", export)
    assert "No such file" in refused("--organisation", "lantern", tmp_path / "none")
    assert "no such book" in refused("--organisation", "nobody", export)
    assert Entry.objects.filter(organisation=organisation).count() == 3


def test_what_is_there_need_not_be_trusted(book):
    with pytest.raises(CommandError, match="Nothing of this log was ever signed"):
        command("trust_checkpoint", "--organisation", "lantern")
    seal(book=book)
    with pytest.raises(CommandError, match="is there: sealing goes on from it"):
        command("trust_checkpoint", "--organisation", "lantern")
