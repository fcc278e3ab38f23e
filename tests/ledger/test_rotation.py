"""A new signing key: the books say so, the old key vouches for it, and both sign for a while."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from ledger import notes, rotation
from ledger.audit import audit_books
from ledger.errors import KeyLocked, NoKeyYet
from ledger.log import keys_of, vkey_of
from ledger.models import Entry, SigningKey, log
from ledger.services.books import open_book
from ledger.services.rotating import rotate_key
from ledger.services.sealing import seal
from tests.factories import ApplicantFactory, OrganisationFactory, gift_entries
from tests.ledger.tampering import forged, rechain

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def organisation():
    return OrganisationFactory(slug="lantern")


@pytest.fixture
def book(organisation):
    return organisation.books.get()


def signers(book) -> set[str]:
    """Whose signatures the next checkpoint has, checked."""
    note = notes.parse_note(seal(book=book).note.encode())
    keys = [notes.parse_key(key.vkey) for key in SigningKey.objects.all()]
    return {str(key) for key in note.signed_by(keys)}


def rotate(organisation, **options) -> str:
    return rotate_key(organisation=organisation, **options).vkey


def test_the_book_says_which_key_follows_and_the_old_one_signs_it(organisation):
    old = vkey_of(organisation.id)

    new = rotate(organisation)

    entry = Entry.objects.of(organisation).get(sequence=1)
    assert (entry.operation, entry.amount, entry.currency) == ("KEY_ROTATION", 0, "XXX")
    key = notes.parse_key(new)
    assert entry.nonce == f"key:{key.id.hex()}"
    assert {**entry.metadata, "signature": ""} == {"retires": old, "signature": "", "vkey": new}
    notes.check_signature(
        notes.parse_key(old),
        f"almoner-key-rotation/v1\n{old}\n{new}\n",
        notes.decode(entry.metadata["signature"]),
    )
    assert key.name == notes.parse_key(old).name
    assert vkey_of(organisation.id) == new
    assert [entry.sequence for entry in keys_of(organisation.id)] == [0, 1]


def test_every_book_of_the_organisation_rotates(organisation):
    open_book(organisation=organisation, name="credits")
    OrganisationFactory()

    new = rotate(organisation)

    rotations = Entry.objects.filter(operation="KEY_ROTATION").order_by("book")
    assert [(row.book, row.metadata["vkey"]) for row in rotations] == [
        ("credits", new),
        ("public", new),
    ]
    assert {row.organisation_id for row in rotations} == {organisation.id}
    assert {report.verdict.name for report in audit_books()} == {"VALID"}


def test_a_book_that_opens_later_begins_with_the_key_in_force(organisation):
    new = rotate(organisation)

    open_book(organisation=organisation, name="credits")

    assert vkey_of(organisation.id) == new
    genesis = Entry.objects.get(book="credits", sequence=0)
    assert genesis.metadata["vkey"] == new
    assert [entry.sequence for entry in keys_of(organisation.id, "credits")] == [0]


def test_both_keys_sign_for_thirty_days(organisation, book, monkeypatch):
    old = vkey_of(organisation.id)
    assert signers(book) == {old}

    new = rotate(organisation)

    assert signers(book) == {old, new}
    note = notes.parse_note(seal(book=book).note.encode())
    assert note.signatures[0].is_of(notes.parse_key(new))
    monkeypatch.setattr(log, "OVERLAP", timedelta(days=-1))
    gift_entries(organisation, 1)
    assert signers(book) == {new}


def test_the_overlap_is_thirty_days():
    assert timedelta(days=30) == log.OVERLAP


def test_only_the_last_two_keys_sign(organisation, book):
    rotate(organisation)
    second, third = vkey_of(organisation.id), rotate(organisation)

    assert signers(book) == {second, third}


def test_what_comes_with_the_rotation_is_signed_by_the_new_key(organisation, book):
    old = vkey_of(organisation.id)
    before = seal(book=book)
    new = rotate(organisation)

    assert notes.parse_note(before.note.encode()).signed_by([notes.parse_key(new)]) == {}
    assert before.size == keys_of(organisation.id)[1].sequence
    assert signers(book) == {old, new}
    [report] = audit_books()
    assert (report.verdict.name, report.sealed) == ("VALID", 2)


def test_a_lost_key_vouches_for_nothing(organisation, book, settings):
    seal(book=book)
    settings.LEDGER_KEY_SECRET = "another secret"
    with pytest.raises(KeyLocked):
        rotate(organisation)
    assert SigningKey.objects.count() == 1

    new = rotate(organisation, is_lost=True)

    assert "signature" not in Entry.objects.get(operation="KEY_ROTATION").metadata
    assert signers(book) == {new}
    [report] = audit_books()
    assert report.verdict.name == "VALID"


def test_without_a_key_there_is_nothing_to_rotate():
    organisation = ApplicantFactory()

    with pytest.raises(NoKeyYet):
        rotate(organisation)


def test_the_command_prints_the_new_key(organisation):
    out = StringIO()

    call_command("rotate_key", organisation="lantern", stdout=out)

    assert out.getvalue() == f"{vkey_of(organisation.id)}\n"
    assert "signature" in Entry.objects.get(operation="KEY_ROTATION").metadata


def test_the_command_says_that_a_key_is_lost(organisation):
    call_command("rotate_key", "--organisation=lantern", "--lost", stdout=StringIO())

    assert "signature" not in Entry.objects.get(operation="KEY_ROTATION").metadata


@pytest.mark.parametrize(
    ("slug", "said"),
    [("nobody", "There is no such organisation."), ("applied", "approve it first")],
)
def test_the_command_refuses_in_words(slug, said):
    ApplicantFactory(slug="applied")

    with pytest.raises(CommandError, match=said):
        call_command("rotate_key", organisation=slug)


# What the audit makes of rotations that nobody could write through the guards


@pytest.fixture
def rotated(tamper):
    """A book of a genesis, a gift, a rotation and a gift; not sealed."""
    organisation = OrganisationFactory()
    gift_entries(organisation, 1)
    rotate(organisation)
    gift_entries(organisation, 1, first=5)
    return organisation


def edit(tamper, change):
    """Have the rotation say something else, in a chain that holds."""

    def rewrite(rows):
        rows[2] = forged(rows[2], **change(rows[2]))
        rechain(rows, 3)

    tamper.edit(rewrite)
    tamper.state_head()


def finding():
    [report] = audit_books()
    return report.verdict.name, report.first_bad_sequence, report.reason


def saying(**changes):
    return lambda row: {"metadata": {**row["metadata"], **changes}}


OTHER = str(notes.Key("other", notes.ED25519, b"1" * 32))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (saying(more=1), "rotates the key in an unknown form"),
        (saying(retires=OTHER), "retires a key that is not in force"),
        (
            lambda row: saying(vkey=row["metadata"]["retires"])(row),
            "brings back a key that was retired",
        ),
        (saying(vkey=OTHER), "names the new key otherwise than the old one"),
        (lambda _row: {"nonce": "key:00000000"}, "names the new key otherwise than the old one"),
        (saying(vkey="no key"), "names a key or a signature that cannot be read"),
        (
            lambda row: saying(
                vkey=str(notes.parse_key(row["metadata"]["vkey"])._replace(type=notes.COSIGNATURE))
            )(row),
            "names a key or a signature that cannot be read",
        ),
        (saying(signature="?"), "names a key or a signature that cannot be read"),
        (
            saying(signature=notes.encode(b"1" * 64)),
            "has a signature that is not of the retired key",
        ),
        (saying(signature=7), "names a key or a signature that cannot be read"),
        (
            lambda _row: {"currency": "EUR", "debit": "stripe", "credit": "fund:winter-shelter"},
            "rotates the key and moves something",
        ),
    ],
)
def test_a_false_rotation_is_named(tamper, rotated, change, reason):
    edit(tamper, change)
    tamper.state_sums()

    assert finding() == ("TAMPERED", 2, f"the entry {reason}")


def test_a_rotation_without_a_word_of_the_old_key_is_no_break(tamper, rotated):
    said = ("retires", "vkey")
    edit(tamper, lambda row: {"metadata": {name: row["metadata"][name] for name in said}})

    assert finding()[0] == "VALID"


@pytest.mark.parametrize("which", ["retired", "new"])
def test_a_checkpoint_needs_the_key_in_force_at_its_size(tamper, rotated, which, monkeypatch):
    book = rotated.books.get()
    retired, new = (entry.metadata["vkey"] for entry in keys_of(rotated.id))
    signer = SigningKey.objects.get(vkey=retired if which == "retired" else new)
    monkeypatch.setattr(log.Log, "signers", lambda _log, _size: [signer])

    seal(book=book)

    expected = "UNKNOWN_KEY" if which == "retired" else "VALID"
    assert finding()[0] == expected


def test_the_words_that_are_signed_name_both_keys():
    assert rotation.words_of("a", "b") == "almoner-key-rotation/v1\na\nb\n"


def test_what_was_signed_before_a_rotation_needs_no_other_key(organisation, book):
    seal(book=book)
    rotate(organisation)

    [report] = audit_books()

    assert (report.verdict.name, report.sealed) == ("VALID", 1)
