"""The heads log: what the public books sign becomes its leaves, once each, in order, for ever."""

from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from config.postgres_home import SUPERUSER
from ledger import keys, notes
from ledger.errors import SealingHalted
from ledger.models import (
    Checkpoint,
    HeadsCheckpoint,
    HeadsKey,
    HeadsLeaf,
    HeadsLog,
    HeadsTile,
    SigningKey,
)
from ledger.services import heads
from ledger.services.books import open_book
from ledger.services.checkpoints import kept_file
from ledger.services.heads import seal_heads
from ledger.services.sealing import seal
from ledger.tiles import bundle_of, lines_in
from reviews.models import Case
from reviews.tasks import seal_books
from tests.factories import ApplicantFactory, OrganisationFactory, gift_entries, stamped
from tests.ledger.backups import TABLES_OF_HEADS, unlocked
from tests.ledger.leaves import fill
from tests.ledger.test_merkle import defined

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def organisation():
    return OrganisationFactory(slug="lantern")


@pytest.fixture
def superuser(connect):
    return connect(SUPERUSER)


def grow(organisation, count=1):
    """Give again, and seal the book; return what its key signed."""
    book = organisation.books.get(book="public")
    gift_entries(organisation, count, first=book.size)
    return text_of(seal(book=book))


def text_of(checkpoint):
    return notes.parse_note(checkpoint.note.encode()).text


def bodies():
    return list(HeadsLeaf.objects.order_by("sequence").values_list("body", flat=True))


def test_every_head_is_a_leaf_in_the_order_of_sealing(organisation):
    other = OrganisationFactory()
    signed = [grow(organisation), grow(other), grow(organisation)]

    first = seal_heads()
    signed += [grow(other), grow(organisation)]
    second = seal_heads()

    assert bodies() == signed
    key = notes.parse_key(HeadsKey.objects.get().vkey)
    for checkpoint, size in ((first, 3), (second, 5)):
        note = notes.parse_note(checkpoint.note.encode())
        root = defined([body.encode() for body in signed[:size]])
        assert notes.parse_checkpoint(note.text) == notes.Checkpoint(
            "ledger.example/log/heads", size, root
        )
        assert note.signed_by([key]) == {key: 0}
    assert kept_file(HeadsLog()).read_text() == second.note
    assert kept_file(HeadsLog()).name == "heads"


def test_its_key_is_no_organisations(organisation):
    grow(organisation)

    seal_heads()

    key = notes.parse_key(HeadsKey.objects.get().vkey)
    assert key.name == "ledger.example/log/heads"
    assert key.public not in {notes.parse_key(row.vkey).public for row in SigningKey.objects.all()}
    private = keys.open_key(bytes(HeadsKey.objects.get().encrypted_seed))
    assert private.public_key().public_bytes_raw() == key.public


def test_nothing_new_is_signed_once(organisation):
    assert seal_heads() is None
    grow(organisation)

    assert seal_heads() == seal_heads()

    assert HeadsCheckpoint.objects.count() == HeadsKey.objects.count() == 1


def test_only_public_books_are_in_it(organisation):
    open_book(organisation=organisation, name="credits")
    seal(book=organisation.books.get(book="credits"))
    hidden = OrganisationFactory()
    grow(hidden)
    type(hidden).objects.filter(pk=hidden.pk).update(status="rejected")
    ApplicantFactory()
    signed = grow(organisation)

    seal_heads()

    assert bodies() == [signed]


def test_hundreds_of_heads_fill_tiles(organisation):
    fill(255)
    signed = [grow(organisation) for _ in range(5)]

    checkpoint = seal_heads()

    assert bodies()[255:] == signed
    assert bytes(checkpoint.root) == defined([body.encode() for body in bodies()])


def test_a_clock_that_goes_back_changes_no_order_within_a_book(organisation, superuser):
    signed = [grow(organisation), grow(organisation)]
    with unlocked(superuser, ["ledger_checkpoint"]):
        superuser.execute(
            "UPDATE ledger_checkpoint SET sealed_at = sealed_at - interval '1 day' WHERE size = 3"
        )

    seal_heads()

    assert bodies() == signed


def test_two_workers_at_once_change_nothing(organisation):
    signed = [grow(organisation) for _ in range(3)]

    def work(_number):
        try:
            return seal_heads()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, range(8)))

    assert {checkpoint.size for checkpoint in found} == {3}
    assert bodies() == signed
    assert HeadsCheckpoint.objects.count() == HeadsKey.objects.count() == 1


# What is cut off


def test_the_job_finds_heads_that_are_missing(organisation):
    signed = [grow(organisation), grow(organisation)]  # the job ended before their leaves

    seal_books(timestamp=0)

    assert bodies() == signed
    assert HeadsCheckpoint.objects.get().size == 2


def test_leaves_that_nobody_signed_yet_are_signed_as_they_are(organisation, monkeypatch):
    grow(organisation)
    real = heads.seal_log
    monkeypatch.setattr(heads, "seal_log", lambda log: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        seal_heads()
    there = bodies()
    grow(organisation)
    monkeypatch.setattr(heads, "seal_log", real)

    checkpoint = seal_heads()

    assert len(there) == 1
    assert bodies()[:1] == there
    assert checkpoint.size == 2


def test_a_checkpoint_that_only_the_file_has_is_published(organisation, superuser):
    grow(organisation)
    note = seal_heads().note
    with unlocked(superuser, TABLES_OF_HEADS):  # as if we had died before the commit
        superuser.execute("DELETE FROM ledger_headscheckpoint")
        superuser.execute("DELETE FROM ledger_headstile")
        superuser.execute("UPDATE ledger_headslog SET size = 0")

    assert seal_heads().note == note


# When the database has lost something, and the ways out


def forget_heads(superuser, *, size):
    """Take the heads log back to its first leaves, as an older backup has it."""
    with unlocked(superuser, TABLES_OF_HEADS):
        superuser.execute(f"DELETE FROM ledger_headscheckpoint WHERE size > {size}")
        superuser.execute(f"DELETE FROM ledger_headsleaf WHERE sequence >= {size}")
        superuser.execute("DELETE FROM ledger_headstile")
        superuser.execute("UPDATE ledger_headslog SET size = 0")


def test_an_older_backup_takes_no_leaf_and_is_a_case(organisation, superuser, caplog):
    grow(organisation)
    seal_heads()
    grow(organisation)
    note = seal_heads().note
    forget_heads(superuser, size=1)

    seal_books(timestamp=0)
    seal_books(timestamp=0)

    case = Case.objects.get()
    assert (case.kind, case.subject, case.organisation) == ("sealing", "heads", None)
    assert case.summary.startswith("2 heads were signed and 1 are here: this database is an older")
    assert case.summary.endswith("manage.py restore_heads FOLDER")
    assert [record.message for record in caplog.records] == ["sealing halted"] * 2
    assert len(bodies()) == 1
    assert kept_file(HeadsLog()).read_text() == note


def test_other_leaves_than_those_that_were_signed_are_not_signed(organisation, superuser):
    grow(organisation)
    seal_heads()
    forget_heads(superuser, size=0)
    kept, other = kept_file(HeadsLog()).read_text(), OrganisationFactory()
    kept_file(HeadsLog()).unlink()
    with unlocked(superuser, ["ledger_checkpoint"]):
        superuser.execute("UPDATE ledger_checkpoint SET sealed_at = '2999-01-01Z'")
    grow(other)
    seal_heads()
    with unlocked(superuser, TABLES_OF_HEADS):
        superuser.execute("DELETE FROM ledger_headscheckpoint")
    kept_file(HeadsLog()).write_text(kept)
    grow(other)

    with pytest.raises(SealingHalted, match="The first 1 heads are not those that were signed"):
        seal_heads()


def command(name, *arguments):
    out = StringIO()
    call_command(name, *map(str, arguments), stdout=out)
    return out.getvalue()


def test_a_lost_file_is_asked_for(organisation):
    with pytest.raises(CommandError, match="Nothing of this log was ever signed"):
        command("trust_heads")
    grow(organisation)
    seal_heads()
    kept_file(HeadsLog()).unlink()
    grow(organisation)

    with pytest.raises(SealingHalted, match=r"is gone.*: manage\.py trust_heads$"):
        seal_heads()
    said = command("trust_heads")

    assert said == "Sealing goes on from the checkpoint of 1 heads.\n"
    assert seal_heads().size == 2
    with pytest.raises(CommandError, match="is there: sealing goes on from it"):
        command("trust_heads")


def mirror_of(organisation, folder, size):
    """Let a heads log have so many leaves, of which 3 were signed before, and mirror it."""
    for _ in range(3):
        grow(organisation)
    seal_heads()
    fill(size - 5)
    for _ in range(2):
        grow(organisation)
    seal_heads()
    command("export_log", folder)
    return folder / "log" / "heads"


@pytest.mark.parametrize("size", [0, 3, 256, 258])
def test_what_is_lost_comes_back_from_a_mirror(organisation, superuser, tmp_path, size):
    mirror_of(organisation, tmp_path, 260)
    there, note = bodies(), HeadsLog().checkpoints().first().note
    forget_heads(superuser, size=size)

    said = command("restore_heads", tmp_path)

    assert said == f"{260 - size} heads are back, and the log is sealed with them.\n"
    assert bodies() == there
    assert HeadsLog().checkpoints().first().note == note


def test_they_come_back_without_the_checkpoints_of_their_book(organisation, superuser, tmp_path):
    mirror_of(organisation, tmp_path, 5)
    forget_heads(superuser, size=0)
    with unlocked(superuser, ["ledger_checkpoint", "ledger_headskey"]):
        superuser.execute("DELETE FROM ledger_checkpoint WHERE size < 6")
        superuser.execute("DELETE FROM ledger_headskey")

    command("restore_heads", tmp_path)

    assert seal_heads().size == 5
    assert Checkpoint.objects.count() == 1


def refused(*arguments):
    with pytest.raises(CommandError) as refusal:
        command("restore_heads", *arguments)
    return str(refusal.value)


def test_a_mirror_that_does_not_go_on_brings_nothing_back(organisation, superuser, tmp_path):
    folder = mirror_of(organisation, tmp_path, 5)
    first = HeadsCheckpoint.objects.get(size=3).note
    assert refused(tmp_path) == "The mirror has 5 heads, and 5 are here."
    forget_heads(superuser, size=3)
    bundle = folder / "tile" / "entries" / "000.p" / "5"
    whole = bundle.read_bytes()
    lines = list(lines_in(whole))
    contents = {
        "ends within an entry": whole[:-1],
        "the leaf 4 does not go on": bundle_of([*lines[:3], lines[4], lines[3]]),
        "headsleaf_body_check": whole.replace(b"ledger.example/log/", b"ledger.example /log"),
        "invalid input syntax": whole.replace(b"\n6\n", b"\nx\n"),
        "can't decode byte": whole.replace(b"ledger", b"\xff" * 6),
        "has not all the heads that its checkpoint counts": bundle_of(lines[:4]),
        "The first 5 heads are not those that": whole.replace(b"ledger.", b"redger."),
    }

    for words, content in contents.items():
        bundle.write_bytes(content)
        assert words in refused(tmp_path)
    kept_file(HeadsLog()).write_text(first)
    assert "The first 5 heads are not those that were signed" in refused(tmp_path)
    assert kept_file(HeadsLog()).read_text() == first
    (folder / "checkpoint").write_text("x")
    assert "is not a text, an empty line and signatures" in refused(tmp_path)
    (folder / "checkpoint").unlink()
    assert "No such file" in refused(tmp_path)
    assert len(bodies()) == 3


def test_rows_say_what_they_are(organisation):
    body = grow(organisation)
    stamp = stamped(seal_heads())

    assert str(HeadsKey.objects.get()).startswith("ledger.example/log/heads+")
    assert str(HeadsLeaf.objects.get()) == f"0: {body}"
    assert str(HeadsTile.objects.get()) == "heads/0/0"
    assert str(HeadsCheckpoint.objects.get()) == "heads/1"
    assert str(stamp) == "1 at 2026-11-21 12:00:00+00:00"
