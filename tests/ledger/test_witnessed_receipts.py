"""What the log and its receipts show of witnesses, over HTTP, in files, and to the verifier."""

import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.checks import run_checks
from django.core.management import CommandError, call_command

from ledger import log, notes, witnessing
from ledger.models import Checkpoint, Cosignature
from ledger.services.sealing import seal
from ledger.witnessing import checkpoint_for
from reviews.tasks import cosign_books
from tests.factories import OrganisationFactory, gift_entries
from tests.ledger.witnesses import policy_of_all, two_partners, write_policy

pytestmark = pytest.mark.django_db(transaction=True)
API = "/v1/public/organisations/lantern/ledger"
VERIFIER = Path(__file__).parents[2] / "verifier" / "almoner_verify.py"
PRIVATES = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (2, 3, 4)]
A, B, C = KEYS = [
    notes.Key(f"{name}.example", notes.COSIGNATURE, private.public_key().public_bytes_raw())
    for name, private in zip("abc", PRIVATES, strict=True)
]
LINES = [f"witness {key.name[0]} {key} http://127.0.0.1:1" for key in KEYS]
TWO_OF_THREE = ["group two 2 a b c", "quorum two"]


@pytest.fixture
def organisation():
    return OrganisationFactory(slug="lantern")


@pytest.fixture
def policy(settings, tmp_path):
    """Return what sets a policy of three witnesses and these lines."""
    return lambda *lines: write_policy(settings, tmp_path, *LINES, *lines)


@pytest.fixture
def checkpoints(organisation):
    """Five checkpoints, of 2, 4, 6, 8 and 10 entries; signs what a test wants."""
    for size in (2, 4, 6, 8, 10):
        book = organisation.books.get()
        gift_entries(organisation, size - book.size, first=book.size)
        seal(book=book)
    return partial(sign, organisation)


def sign(organisation, key, *sizes, at=1_790_000_000):
    """Have a witness sign checkpoints, as if it had been asked."""
    for checkpoint in Checkpoint.objects.filter(organisation=organisation, size__in=sizes):
        text = notes.parse_note(checkpoint.note.encode()).text
        line = notes.cosign(PRIVATES[KEYS.index(key)], key.name, text, unix_time=at)
        Cosignature.objects.create(
            organisation=organisation,
            book="public",
            size=checkpoint.size,
            witness=str(key),
            line=str(line),
            signed_at=datetime.fromtimestamp(at, UTC),
        )


def test_a_checkpoint_is_served_with_the_cosignatures_it_has(client, organisation, checkpoints):
    path = f"/log/{organisation.pk}/checkpoint"
    before = client.get(path)
    head = client.get(f"{API}/head")
    checkpoints(A, 8, 10)

    after = client.get(path, headers={"if-none-match": before["ETag"]})
    head_after = client.get(f"{API}/head", headers={"if-none-match": head["ETag"]})

    assert after.status_code == head_after.status_code == 200
    assert after["ETag"] != before["ETag"]
    note = notes.parse_note(after.content)
    assert notes.parse_checkpoint(note.text).size == 10
    assert note.signed_by(KEYS) == {A: 1_790_000_000}
    assert after.content.startswith(before.content)
    assert head_after.json()["checkpoint"].encode() == after.content
    assert client.get(path, headers={"if-none-match": after["ETag"]}).status_code == 304
    same = client.get(f"{API}/head", headers={"if-none-match": head_after["ETag"]})
    assert same.status_code == 304


def test_the_exported_checkpoint_has_them_too(client, organisation, checkpoints, tmp_path):
    call_command("export_log", str(tmp_path), stdout=StringIO())
    checkpoints(A, 10)

    call_command("export_log", str(tmp_path), stdout=StringIO())

    path = f"log/{organisation.pk}/checkpoint"
    assert (tmp_path / path).read_bytes() == client.get(f"/{path}").content
    assert notes.parse_note((tmp_path / path).read_bytes()).signed_by([A])


@pytest.mark.parametrize(
    ("signed", "case"),
    [
        ({}, (0, 10)),
        ({A: [10], B: [10]}, (0, 10)),
        ({A: [2, 4, 6, 8], B: [4, 6, 10]}, (0, 6)),
        ({A: [2, 4, 6, 8], B: [4, 6, 10]}, (5, 6)),
        ({A: [2, 4, 6, 8], B: [4, 6, 10]}, (6, 10)),
        ({A: [4, 8], B: [2, 6, 10], C: [2]}, (1, 2)),
        ({A: [4, 8], B: [2, 6, 10], C: [2]}, (2, 10)),
        ({A: [2, 4, 6, 8, 10]}, (0, 10)),
        ({A: [2, 8], B: [2, 10], C: [6, 8]}, (3, 8)),
        ({A: [10], B: [10], C: [10]}, (9, 10)),
    ],
)
def test_a_receipt_has_the_newest_checkpoint_with_a_quorum(
    client, checkpoints, policy, signed, case
):
    policy(*TWO_OF_THREE)
    sequence, size = case
    for key, sizes in signed.items():
        checkpoints(key, *sizes)

    receipt = client.get(f"{API}/entries/{sequence}/proof").content

    note = notes.parse_note(receipt.partition(b"\n\n")[2])
    assert notes.parse_checkpoint(note.text).size == size
    assert note.signed_by(KEYS).keys() == {key for key in signed if size in signed[key]}


def test_the_search_for_a_quorum_ends(organisation, checkpoints, policy, monkeypatch):
    policy(*TWO_OF_THREE)
    for key, sizes in {A: [4, 8], B: [2, 6, 10], C: [2]}.items():
        checkpoints(key, *sizes)
    monkeypatch.setattr(witnessing, "STEPS_MAX", 3)

    assert checkpoint_for(organisation.pk, 0).size == 10


@pytest.mark.parametrize("quorum", ["quorum none", "quorum a"])
def test_where_nobody_has_to_sign_the_newest_is_taken(organisation, checkpoints, policy, quorum):
    policy(quorum)
    checkpoints(A, 8)

    assert checkpoint_for(organisation.pk, 0).size == (10 if quorum == "quorum none" else 8)
    assert checkpoint_for(organisation.pk, 9).size == 10
    assert checkpoint_for(organisation.pk, 10) is None


@pytest.mark.parametrize(
    ("lines", "needed"),
    [
        (["quorum none"], 0),
        (["quorum b"], 1),
        (["group two 2 a b c", "quorum two"], 2),
        (["group ab all a b", "group one any ab c", "quorum one"], 1),
        (["group ab all a b", "group one all ab c", "quorum one"], 3),
    ],
)
def test_it_is_known_how_many_are_needed_at_least(organisation, checkpoints, policy, lines, needed):
    policy(*lines)

    assert witnessing.witnessed(checkpoint_for(organisation.pk, 0)).needed == needed


# With real witnesses, to the end


def verify(*arguments):
    done = subprocess.run(
        [sys.executable, str(VERIFIER), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.fixture
def partners(organisation, settings, tmp_path):
    """Two witnesses who know the log, and are both wanted; they are told how to be verified."""
    with two_partners(tmp_path, log.vkey_of(organisation.pk)) as partners:
        write_policy(settings, tmp_path, *policy_of_all(partners))
        yield partners


def grow(organisation, count):
    book = organisation.books.get()
    gift_entries(organisation, count, first=book.size)
    seal(book=book)


def test_the_verifier_takes_a_receipt_that_two_real_witnesses_signed(
    client, organisation, partners, tmp_path
):
    file, known = tmp_path / "receipt", ["--key", log.vkey_of(organisation.pk), "--witnesses", "2"]
    known += [word for partner in partners for word in ("--witness", partner.vkey)]

    def verdict():
        file.write_bytes(client.get(f"{API}/entries/3/proof").content)
        return verify("receipt", file, *known)

    grow(organisation, 4)
    partners[1].stop()
    cosign_books(timestamp=0)
    assert verdict() == (
        11,
        "UNWITNESSED\nReason: 1 of 2 witnesses signed the checkpoint, and more are asked for.\n",
    )
    partners[1].start()
    cosign_books(timestamp=0)
    grow(organisation, 3)
    code, said = verdict()
    assert (code, said.splitlines()[0]) == (0, "VALID")
    assert "2 of your 2 witnesses signed it too" in said
    partners[0].kill()
    cosign_books(timestamp=0)
    assert verdict() == (code, said)
    partners[0].start()
    cosign_books(timestamp=0)
    assert verdict()[0] == 0
    assert b"\n8\n" in file.read_bytes()


# The file that says whom to ask


def problems():
    return [str(problem) for problem in run_checks() if problem.id == "ledger.E001"]


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["quorum x"], "Line 1: `x` is no witness and no group"),
        ([f"witness a {A}", "quorum a"], "Line 1: the witness `a` needs an address"),
        ([*LINES, f"witness d {A} ftp://x", "quorum a"], "Line 4: the witness `d` needs"),
        (LINES, "Line 4: the file ends without a quorum"),
    ],
)
def test_a_broken_policy_fails_the_check_with_its_line(settings, tmp_path, lines, sentence):
    file = write_policy(settings, tmp_path, *lines)

    [problem] = problems()

    assert f"{file}: {sentence}" in problem
    assert "docs/witnesses.md" in problem
    with pytest.raises(CommandError, match="Line"):
        call_command("check")


def test_a_policy_that_is_not_there_fails_the_check(settings, tmp_path):
    settings.LEDGER_WITNESS_POLICY = str(tmp_path / "nowhere")

    [problem] = problems()

    assert "No such file" in problem


def test_a_good_policy_and_none_pass_the_check(settings, tmp_path):
    assert problems() == []
    write_policy(settings, tmp_path, *LINES, *TWO_OF_THREE)
    assert problems() == []
