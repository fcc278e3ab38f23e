"""Known answers: our code writes tests/data/proofs to the byte, and every program takes them."""

from base64 import b64decode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger import line, notes
from ledger.merkle import leaf_hash
from ledger.tiles import Tiles
from ledger.witness import Witness
from tests.independent.programs import Keys
from tests.independent.test_programs import those_that_read
from tests.ledger.test_log import read
from tests.verifier.signing import OTHER, vkey_of
from verifier import almoner_verify

FOLDER = Path(__file__).parents[1] / "data" / "proofs"
TEXTS = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.iterdir()}
LINES = TEXTS["lines.ndjson"].encode().splitlines()
KEYS = Keys(TEXTS["vkey"].strip(), TEXTS["witness-vkey"].strip())
UNKNOWN_KEY = 15
NAME, WITNESS = "ledger.example/org/acme", "witness.example/w1"
LOG = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
TREE = Tiles(lambda _level, _number: b"".join(map(leaf_hash, LINES)))
OLD, NEW = TEXTS["checkpoint-3"], TEXTS["checkpoint-7"]
CONSISTENCY = [*map(b64decode, TEXTS["consistency-3-7"].split())]


def signed(size):
    text = str(notes.Checkpoint(NAME, size, TREE.root(size)))
    return str(notes.Note(text, [notes.sign(LOG, NAME, text)]))


# Our code writes them


def test_the_key():
    assert KEYS.log == f"{NAME}+ad9a938f+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
    public = LOG.public_key().public_bytes_raw()
    assert KEYS.log == str(notes.Key(NAME, notes.ED25519, public))


@pytest.mark.parametrize("content", LINES)
def test_the_lines(content):
    assert line.encode(line.parse(content)).encode() == content


def test_the_checkpoints_and_proofs():
    assert (signed(3), signed(7)) == (OLD, NEW)
    assert TREE.consistency(3, 7) == CONSISTENCY
    assert read(TEXTS["receipt-5.tlog-proof"]) == (LINES[5], 5, TREE.inclusion(5, 7), NEW)


def test_the_cosignature(tmp_path):
    (tmp_path / "seed").write_bytes(b"\x02" * 32)
    logs = {NAME: notes.parse_key(KEYS.log)}
    witness = Witness(tmp_path, name=WITNESS, logs=logs, clock=lambda: 1_790_000_000)
    witness.add_checkpoint(f"old 0\n\n{OLD}".encode())

    cosignature = witness.add_checkpoint(TEXTS["add-checkpoint"].encode())

    assert witness.vkey == KEYS.witness
    assert cosignature == TEXTS["cosignature"]
    assert TEXTS["receipt-5.tlog-proof"] + cosignature == TEXTS["cosigned-5.tlog-proof"]


# Every program takes them


@pytest.mark.parametrize(
    "arguments",
    [
        ["export", "lines.ndjson", "--checkpoint", "checkpoint-7"],
        ["receipt", "receipt-5.tlog-proof"],
        ["receipt", "cosigned-5.tlog-proof", "--witness", KEYS.witness],
        ["consistency", "checkpoint-3", "checkpoint-7", "--export", "lines.ndjson"],
    ],
)
def test_our_verifier(arguments, monkeypatch, capsys):
    monkeypatch.chdir(FOLDER)

    assert almoner_verify.main([*arguments, "--key", KEYS.log]) == 0
    assert capsys.readouterr().out.startswith("VALID\n")
    assert almoner_verify.main([*arguments, "--key", vkey_of(NAME, 1, OTHER)]) == UNKNOWN_KEY


@those_that_read("receipt")
def test_others_read_receipts(program):
    assert program.checkpoint(KEYS, OLD)
    assert program.checkpoint(KEYS, NEW)
    assert program.receipt(KEYS, TEXTS["receipt-5.tlog-proof"])


@those_that_read("consistency")
def test_others_read_consistency(program):
    assert program.consistency(KEYS, OLD, NEW, CONSISTENCY)


@those_that_read("cosigned")
def test_others_read_cosigned_receipts(program):
    assert program.cosigned(KEYS, TEXTS["cosigned-5.tlog-proof"])
