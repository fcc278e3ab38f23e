"""A public log over HTTP: anyone rebuilds the tree from it, and proves an entry without us."""

import base64
from hashlib import sha256

import pytest

from ledger import merkle, notes
from ledger.models import Entry
from ledger.services.books import open_book
from ledger.services.sealing import seal
from tests.factories import ApplicantFactory, OrganisationFactory, gift_entries
from tests.ledger.test_merkle import defined

pytestmark = pytest.mark.django_db(transaction=True)
API = "/v1/public/organisations/lantern/ledger"


@pytest.fixture
def organisation():
    return OrganisationFactory(slug="lantern")


@pytest.fixture
def log(organisation):
    """The path of a log of 600 entries, of which 515 are sealed."""
    gift_entries(organisation, 514)
    seal(book=organisation.books.get())
    gift_entries(organisation, 85, first=514)
    return f"/log/{organisation.id}"


def checkpoint_of(client, log):
    """Return what the log has signed, checked with the key in the genesis line."""
    note = notes.parse_note(client.get(f"{log}/checkpoint").content)
    key = notes.parse_key(Entry.objects.get(sequence=0).metadata["vkey"])
    assert note.signed_by([key])
    return notes.parse_checkpoint(note.text)


def hashes_of(content):
    return [content[at : at + 32] for at in range(0, len(content), 32)]


def lines_in(bundle):
    """Return the entries of a bundle."""
    lines, at = [], 0
    while at < len(bundle):
        length = int.from_bytes(bundle[at : at + 2])
        lines.append(bundle[at + 2 : at + 2 + length])
        at += 2 + length
    return lines


def test_a_stranger_rebuilds_the_tree_from_its_tiles(client, organisation, log):
    checkpoint = checkpoint_of(client, log)
    tiles = [client.get(f"{log}/tile/0/{path}") for path in ("000", "001", "002.p/3")]
    bundles = [client.get(f"{log}/tile/entries/{path}") for path in ("000", "001", "002.p/3")]
    above = client.get(f"{log}/tile/1/000.p/2")

    lines = [line for bundle in bundles for line in lines_in(bundle.content)]
    leaves = [leaf for tile in tiles for leaf in hashes_of(tile.content)]
    assert (checkpoint.origin, checkpoint.size) == (f"ledger.example{log}", 515)
    assert defined(lines) == checkpoint.root
    assert leaves == [*map(merkle.leaf_hash, lines)]
    assert hashes_of(above.content) == [defined(lines[:256]), defined(lines[256:512])]
    assert lines[0].startswith(b'{"amount":0,"book":"public","credit":"genesis:end"')


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/002",
        "tile/0/002.p/4",
        "tile/0/003",
        "tile/0/003.p/1",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/x000/000",
        "tile/0/0",
        "tile/0/999999",
        "tile/0/x999/x999/x999/x999/x999/999",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/00/000",
        "tile/1/000",
        "tile/1/000.p/3",
        "tile/2/000.p/1",
        "tile/7/000",
        "tile/entries/002",
        "tile/entries/002.p/4",
        "tile/entry/000",
        "tile/0/\u0660\u0660\u0660",
        "tile/0/000%0A",
        "tile/",
        "checkpoint/",
        "",
    ],
)
def test_what_the_checkpoint_does_not_need_is_not_there(client, log, path):
    assert client.get(f"{log}/{path}").status_code == 404


@pytest.mark.parametrize("path", ["tile/0/000.p/255", "tile/0/001.p/1", "tile/entries/001.p/1"])
def test_a_partial_tile_is_the_beginning_of_a_full_one(client, log, path):
    partial, full = client.get(f"{log}/{path}"), client.get(f"{log}/{path.partition('.')[0]}")

    assert full.content.startswith(partial.content)


@pytest.mark.parametrize(
    ("path", "content_type", "caching"),
    [
        ("checkpoint", "text/plain; charset=utf-8", "public, max-age=2"),
        ("tile/0/000", "application/octet-stream", "public, max-age=31536000, immutable"),
        ("tile/0/002.p/1", "application/octet-stream", "public, max-age=31536000, immutable"),
        ("tile/entries/000", "application/octet-stream", "public, max-age=31536000, immutable"),
    ],
)
def test_what_never_changes_is_kept_for_ever(client, log, path, content_type, caching):
    response = client.get(f"{log}/{path}")
    again = client.get(f"{log}/{path}", headers={"if-none-match": response["ETag"]})

    assert response["Content-Type"] == content_type
    assert response["Cache-Control"] == again["Cache-Control"] == caching
    assert response["Access-Control-Allow-Origin"] == "*"
    assert (again.status_code, again.content) == (304, b"")
    assert client.head(f"{log}/{path}")["ETag"] == response["ETag"]
    assert client.post(f"{log}/{path}").status_code == 405


def test_private_books_and_unknown_organisations_have_no_log(client, organisation):
    open_book(organisation=organisation, name="credits")
    hidden = ApplicantFactory()
    seal(book=organisation.books.get(book="credits"))

    for organisation_id in (organisation.id, hidden.id, "org_0", "lantern", "%00"):
        assert client.get(f"/log/{organisation_id}/checkpoint").status_code == 404
        assert client.get(f"/log/{organisation_id}/tile/0/000.p/1").status_code == 404


# Receipts


def read(proof):
    """Return a receipt's line, index, path and checkpoint, as a stranger reads it."""
    head, _, note = proof.partition("\n\n")
    kind, extra, index, *path = head.split("\n")
    assert kind == "c2sp.org/tlog-proof@v1"
    line = base64.b64decode(extra.removeprefix("extra "), validate=True)
    return line, int(index.removeprefix("index ")), [*map(base64.b64decode, path)], note


@pytest.mark.parametrize("sequence", [0, 1, 255, 256, 511, 512, 514])
def test_a_receipt_proves_an_entry_offline(client, log, sequence):
    response = client.get(f"{API}/entries/{sequence}/proof")

    line, index, path, note = read(response.content.decode())
    checkpoint = notes.parse_checkpoint(notes.parse_note(note.encode()).text)
    assert index == sequence
    assert note.encode() == client.get(f"{log}/checkpoint").content
    assert "sha256:" + sha256(line).hexdigest() == Entry.objects.get(sequence=sequence).entry_hash
    merkle.check_inclusion(
        leaf=merkle.leaf_hash(line), index=index, size=checkpoint.size, root=checkpoint.root,
        path=path,
    )  # fmt: skip


def test_a_receipt_is_a_file(client, log):
    response = client.get(f"{API}/entries/7/proof", headers={"accept": "image/png"})
    again = client.get(f"{API}/entries/7/proof", headers={"if-none-match": response["ETag"]})

    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="lantern-7.tlog-proof"'
    assert again.status_code == 304


def test_an_entry_that_is_not_sealed_yet_has_no_receipt_yet(client, log, organisation):
    waiting = client.get(f"{API}/entries/515/proof")
    missing = client.get(f"{API}/entries/600/proof")

    assert (waiting.status_code, waiting.json()["code"]) == (409, "not_yet_sealed")
    assert missing.status_code == 404
    seal(book=organisation.books.get())
    assert client.get(f"{API}/entries/515/proof").status_code == 200


def test_the_head_shows_the_checkpoint_as_soon_as_there_is_one(client, organisation):
    before = client.get(f"{API}/head")
    seal(book=organisation.books.get())

    after = client.get(f"{API}/head", headers={"if-none-match": before["ETag"]})

    assert before.json()["checkpoint"] is None
    assert client.get(f"/log/{organisation.id}/checkpoint").status_code == 200
    assert after.json()["checkpoint"].startswith(f"ledger.example/log/{organisation.id}\n1\n")
    assert before.json()["size"] == after.json()["size"] == 1
