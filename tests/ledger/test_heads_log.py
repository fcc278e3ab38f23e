"""The heads log over HTTP and as files: anyone rebuilds it, and proves a book's checkpoint."""

import re
import shutil
import subprocess
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from ledger import merkle, notes
from ledger.log import vkey_of
from ledger.models import HeadsLeaf, HeadsLog
from ledger.services.heads import seal_heads
from ledger.services.sealing import seal
from ledger.witness import Witness
from tests.factories import OrganisationFactory, gift_entries, stamped
from tests.ledger.leaves import fill
from tests.ledger.test_log import hashes_of, lines_in, read
from tests.ledger.test_merkle import defined

pytestmark = pytest.mark.django_db(transaction=True)
LOG = "/log/heads"


@pytest.fixture
def organisation():
    return OrganisationFactory(slug="lantern")


def grow(organisation, count):
    """Let a book be sealed so many times."""
    book = organisation.books.get()
    for number in range(count):
        gift_entries(organisation, first=book.size + number)
        seal(book=book)


@pytest.fixture
def heads(organisation):
    """A log of 258 heads."""
    fill(250)
    grow(organisation, 8)
    seal_heads()


def test_nothing_is_there_before_the_first_head(client):
    assert client.get(f"{LOG}/checkpoint").status_code == 404
    assert client.get(f"{LOG}/tile/0/000.p/1").status_code == 404
    assert client.get("/v1/public/heads").json() == {
        "size": 0, "checkpoint": None, "vkey": None, "timestamp": None,
    }  # fmt: skip
    assert b"One log over all ledgers" not in client.get("/verify").content


def test_a_stranger_rebuilds_the_tree_with_the_published_key(client, heads):
    key = notes.parse_key(client.get("/v1/public/heads").json()["vkey"])
    note = notes.parse_note(client.get(f"{LOG}/checkpoint").content)
    checkpoint = notes.parse_checkpoint(note.text)
    paths = ("000", "001.p/2")
    bundles = [client.get(f"{LOG}/tile/entries/{path}").content for path in paths]
    tiles = [client.get(f"{LOG}/tile/0/{path}").content for path in paths]

    lines = [line for bundle in bundles for line in lines_in(bundle)]
    assert note.signed_by([key])
    assert checkpoint == notes.Checkpoint("ledger.example/log/heads", 258, defined(lines))
    assert [leaf for tile in tiles for leaf in hashes_of(tile)] == [*map(merkle.leaf_hash, lines)]
    assert hashes_of(client.get(f"{LOG}/tile/1/000.p/1").content) == [defined(lines[:256])]
    for path in ("tile/0/001.p/3", "tile/0/001", "tile/x", "tile/0/1"):
        assert client.get(f"{LOG}/{path}").status_code == 404


@pytest.mark.parametrize(
    ("path", "content_type", "caching"),
    [
        ("checkpoint", "text/plain; charset=utf-8", "public, max-age=2"),
        ("tile/0/000", "application/octet-stream", "public, max-age=31536000, immutable"),
        ("tile/entries/000", "application/octet-stream", "public, max-age=31536000, immutable"),
        ("checkpoints/258", "text/plain; charset=utf-8", "public, max-age=31536000, immutable"),
        (
            "checkpoints/258.tsr",
            "application/timestamp-reply",
            "public, max-age=31536000, immutable",
        ),
    ],
)
def test_it_is_served_like_the_books_logs(client, heads, path, content_type, caching):
    stamped(seal_heads())
    response = client.get(f"{LOG}/{path}")
    again = client.get(f"{LOG}/{path}", headers={"if-none-match": response["ETag"]})

    assert response["Content-Type"] == content_type
    assert response["Cache-Control"] == again["Cache-Control"] == caching
    assert response["Access-Control-Allow-Origin"] == "*"
    assert (again.status_code, again.content) == (304, b"")
    assert client.head(f"{LOG}/{path}")["ETag"] == response["ETag"]
    assert client.post(f"{LOG}/{path}").status_code == 405


def test_the_files_are_what_we_serve(client, heads, organisation, tmp_path):
    out = StringIO()
    call_command("export_log", tmp_path, stdout=out)

    assert out.getvalue() == "lantern: 9 entries\nheads: 258 checkpoints\n"
    folder = tmp_path / "log" / "heads"
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert sorted(file.relative_to(folder).as_posix() for file in files) == [
        "checkpoint", "tile/0/000", "tile/0/001.p/2", "tile/1/000.p/1", "tile/entries/000",
        "tile/entries/001.p/2",
    ]  # fmt: skip
    for file in files:
        path = file.relative_to(tmp_path).as_posix()
        assert file.read_bytes() == client.get(f"/{path}").content
    call_command("export_log", tmp_path / "one", "--organisation", "lantern", stdout=StringIO())
    assert not (tmp_path / "one" / "log" / "heads").exists()


# Proofs


def proof_of(client, text, **changes):
    checkpoint = notes.parse_checkpoint(text)
    named = {"origin": checkpoint.origin, "size": checkpoint.size, **changes}
    return client.get(f"{LOG}/proof", named)


@pytest.mark.parametrize("sequence", [0, 1, 255, 256, 257])
def test_a_proof_shows_that_a_checkpoint_is_in_it(client, heads, sequence):
    body = HeadsLeaf.objects.get(sequence=sequence).body

    response = proof_of(client, body)

    leaf, index, path, note = read(response.content.decode())
    checkpoint = notes.parse_checkpoint(notes.parse_note(note.encode()).text)
    assert (leaf.decode(), index) == (body, sequence)
    assert note.encode() == client.get(f"{LOG}/checkpoint").content
    merkle.check_inclusion(
        leaf=merkle.leaf_hash(leaf), index=index, size=checkpoint.size, root=checkpoint.root,
        path=path,
    )  # fmt: skip
    disposition = f'attachment; filename="heads-{sequence}.tlog-proof"'
    assert response["Content-Disposition"] == disposition
    again = client.get(
        response.request["PATH_INFO"],
        {"origin": notes.parse_checkpoint(body).origin, "size": notes.parse_checkpoint(body).size},
        headers={"if-none-match": response["ETag"]},
    )
    assert (again.status_code, again.content) == (304, b"")


def test_what_is_not_in_it_has_no_proof(client, organisation):
    grow(organisation, 2)
    seal_heads()
    body = HeadsLeaf.objects.get(sequence=1).body

    for changes in (
        {"size": "7"}, {"size": "0"}, {"size": ""}, {"size": "x"}, {"size": "03"}, {"origin": ""},
        {"size": str(2**53 - 1)}, {"size": "9" * 16}, {"origin": f"x{body.partition(chr(10))[0]}"},
        {"origin": "\0"}, {"origin": organisation.id},
    ):  # fmt: skip
        assert proof_of(client, body, **changes).status_code == 404, changes
    assert client.get(f"{LOG}/proof").status_code == 404
    assert proof_of(client, body).status_code == 200
    for size in (1, 10**30):
        assert client.get(f"{LOG}/checkpoints/{size}").status_code == 404
        assert client.get(f"{LOG}/checkpoints/{size}.tsr").status_code == 404


def test_a_leaf_that_is_not_sealed_yet_has_no_proof_yet(client, organisation, monkeypatch):
    grow(organisation, 1)
    monkeypatch.setattr("ledger.services.heads._seal", lambda: None)
    seal_heads()
    body = HeadsLeaf.objects.get().body
    waiting = proof_of(client, body).status_code
    monkeypatch.undo()
    seal_heads()

    assert (waiting, proof_of(client, body).status_code) == (404, 200)


# Where people and programs find it


def test_the_api_says_where_it_stands(client, organisation):
    grow(organisation, 2)
    checkpoint = seal_heads()
    before = client.get("/v1/public/heads")
    stamped(checkpoint)

    after = client.get("/v1/public/heads", headers={"if-none-match": before["ETag"]})
    again = client.get("/v1/public/heads", headers={"if-none-match": after["ETag"]})

    assert (before.json()["size"], before.json()["timestamp"]) == (2, None)
    assert after.json()["checkpoint"].encode() == client.get(f"{LOG}/checkpoint").content
    assert after.json()["timestamp"] == {"size": 2, "stamped_at": "2026-11-21T12:00:00Z"}
    assert again.status_code == 304


def test_the_page_about_verifying_shows_its_key(client, organisation):
    grow(organisation, 2)
    checkpoint = seal_heads()
    before = client.get("/verify").content.decode()
    stamped(checkpoint)

    page = client.get("/verify").content.decode()

    assert client.get("/v1/public/heads").json()["vkey"] in page
    assert '<a href="/log/heads/checkpoint">' in page
    assert "time stamper" not in before
    assert '<a href="/log/heads/checkpoints/2.tsr">' in page
    assert "2026-11-21 12:00 UTC" in page


# Programs that know nothing of heads


@pytest.fixture
def script(tmp_path):
    """The script of docs/receipts.md, as somebody saves it."""
    if not shutil.which("openssl"):
        pytest.skip("OpenSSL is not installed: the script of docs/receipts.md was not run")
    page = (Path(__file__).parents[2] / "docs" / "receipts.md").read_text()
    [text] = re.findall(r"^```sh\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    file = tmp_path / "receipt.sh"
    file.write_text(text)
    return file


def test_openssl_checks_a_proof_like_a_receipt(client, organisation, script):
    grow(organisation, 5)
    seal_heads()
    vkey, body = (
        client.get("/v1/public/heads").json()["vkey"],
        HeadsLeaf.objects.get(sequence=3).body,
    )
    file = script.with_name("heads-3.tlog-proof")
    file.write_bytes(proof_of(client, body).content)

    def run(vkey):
        command = ["bash", str(script), str(file), vkey]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode == 0, done.stdout.endswith(f"that were signed:\n{body}\n")

    assert run(vkey) == (True, True)
    assert run(vkey_of(organisation.id)) == (False, False)
    file.write_bytes(file.read_bytes().replace(b"index 3", b"index 2"))
    assert run(vkey) == (False, False)


def test_a_witness_cosigns_it(client, organisation, tmp_path):
    grow(organisation, 2)
    seal_heads()
    key = notes.parse_key(client.get("/v1/public/heads").json()["vkey"])
    witness = Witness(tmp_path, name="witness.example", logs={key.name: key}, clock=lambda: 1)
    first = client.get(f"{LOG}/checkpoint").content

    answers = [witness.add_checkpoint(b"old 0\n\n" + first)]
    grow(organisation, 3)
    seal_heads()
    second = client.get(f"{LOG}/checkpoint").content
    proof = "".join(f"{notes.encode(each)}\n" for each in HeadsLog().tiles().consistency(2, 5))
    answers.append(witness.add_checkpoint(f"old 2\n{proof}\n".encode() + second))

    for note, answer in zip((first, second), answers, strict=True):
        cosigned = notes.parse_note(note + answer.encode())
        assert cosigned.signed_by([notes.parse_key(witness.vkey)])
