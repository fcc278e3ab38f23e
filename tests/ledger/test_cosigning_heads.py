"""Witnesses sign the heads log too: what is kept and served, and when staff hear."""

import pytest
import requests

from ledger import keys, log, notes
from ledger.models import HeadsCosignature, HeadsKey
from ledger.services.heads import seal_heads
from ledger.services.sealing import seal
from ledger.witnessing import witness_policy
from reviews.models import Case
from reviews.tasks import cosign_books
from tests.factories import OrganisationFactory, gift_entries
from tests.ledger.witnesses import policy_of_all, two_partners, write_policy

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def organisation():
    organisation = OrganisationFactory(slug="lantern")
    seal(book=organisation.books.get())
    seal_heads()
    return organisation


@pytest.fixture
def partners(tmp_path, organisation):
    """Two witnesses who know the heads log, and no other."""
    with two_partners(tmp_path, HeadsKey.objects.get().vkey) as partners:
        yield partners


@pytest.fixture
def policy(settings, tmp_path, partners):
    return write_policy(settings, tmp_path, *policy_of_all(partners))


def grow(organisation, count=1):
    book = organisation.books.get()
    for _ in range(count):
        book.refresh_from_db()
        gift_entries(organisation, 1, first=book.size)
        seal(book=book)
    return seal_heads()


def served(client):
    """The checkpoint as anybody gets it, and which of the policy's witnesses signed it."""
    note = notes.parse_note(client.get("/log/heads/checkpoint").content)
    known = note.signed_by([witness.key for witness in witness_policy().witnesses])
    return notes.parse_checkpoint(note.text).size, sorted(key.name for key in known)


def test_every_witness_signs_what_is_new_and_once(client, organisation, partners, policy):
    cosign_books(timestamp=0)
    cosign_books(timestamp=0)
    assert served(client) == (1, ["anna.example", "bert.example"])

    grow(organisation, 3)
    cosign_books(timestamp=0)

    assert served(client) == (4, ["anna.example", "bert.example"])
    assert HeadsCosignature.objects.count() == 4
    assert str(HeadsCosignature.objects.order_by("pk").first()).startswith("heads/1 by anna")


def test_one_that_is_down_signs_later(client, organisation, partners, policy):
    anna, _bert = partners
    anna.stop()
    cosign_books(timestamp=0)
    assert served(client) == (1, ["bert.example"])

    anna.start()
    cosign_books(timestamp=0)

    assert served(client) == (1, ["anna.example", "bert.example"])
    assert not Case.objects.exists()


def test_a_witness_that_has_seen_another_log_is_a_case(client, organisation, partners, policy):
    key = HeadsKey.objects.get()
    name, private = notes.parse_key(key.vkey).name, keys.open_key(bytes(key.encrypted_seed))
    body = str(notes.Checkpoint(name, 9, bytes(32)))
    note = str(notes.Note(body, [notes.sign(private, name, body)]))
    for partner in partners:
        door = f"http://127.0.0.1:{partner.port}/add-checkpoint"
        assert requests.post(door, f"old 0\n\n{note}".encode(), timeout=30).status_code == 200

    cosign_books(timestamp=0)

    assert served(client) == (1, [])
    cases = list(Case.objects.filter(kind="witness", subject__startswith="heads "))
    assert len(cases) == 2
    assert {case.organisation for case in cases} == {None}
    assert "It has cosigned 9 entries, and 1 are here." in cases[0].summary


def test_before_anything_is_signed_nobody_is_asked(db, settings):
    cosign_books(timestamp=0)

    assert not HeadsCosignature.objects.exists()


def test_the_policy_file_has_the_heads_log(client, organisation):
    vkey = HeadsKey.objects.get().vkey

    lines = client.get("/witnesses/policy").content.decode().splitlines()

    assert f"log {vkey} http://localhost:8000/log/heads" in lines
    assert f"log {log.vkey_of(organisation.id)} " in "\n".join(lines)
