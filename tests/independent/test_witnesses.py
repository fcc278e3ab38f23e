"""Witnesses of both sides: theirs drive ours, and theirs cosign our log."""

import subprocess
import sys
from contextlib import contextmanager

import pytest
import requests

from ledger import notes
from ledger.log import vkey_of
from ledger.models import Log
from tests.factories import OrganisationFactory
from tests.independent.conftest import text_of
from tests.independent.programs import NO_AICS, Keys, Program, said_by
from tests.ledger.test_export_log import grow
from tests.ledger.test_witness import Running, request
from verifier import almoner_verify

pytestmark = pytest.mark.django_db(transaction=True)
STEPS = [(0, 1), (1, 257), (257, 1000)]


@pytest.fixture
def organisation():
    return OrganisationFactory(slug="lantern")


@pytest.fixture
def log(live_server, organisation):
    """The address of a log."""
    return f"{live_server.url}/log/{organisation.id}"


@pytest.fixture
def witness(organisation, tmp_path):
    """Our witness, which knows the log."""
    running = Running(tmp_path / "witness", "--log", vkey_of(organisation.id))
    yield running
    running.stop()


def proof_of(organisation, old, size):
    return Log.objects.of(organisation.books.get()).get().tiles().consistency(old, size)


def test_go_has_our_witness_cosign(go, organisation, log, witness):
    keys = Keys(vkey_of(organisation.id), witness.vkey)
    door = f"http://127.0.0.1:{witness.port}/add-checkpoint"

    def ask(old):
        return said_by([go.reader, "witness", *keys, log, door, str(old)])

    for old, size in STEPS:
        grow(organisation, size)
        assert notes.parse_note(ask(old).encode()).signed_by(map(notes.parse_key, keys))
    with pytest.raises(AssertionError, match="409"):
        ask(257)


def test_the_client_of_aics_has_our_witness_cosign(organisation, log, witness):
    feeder = pytest.importorskip("aics_witness.feeder", reason=NO_AICS)

    def prove(old, size):
        return proof_of(organisation, old, size)

    with feeder.WitnessClient(f"http://127.0.0.1:{witness.port}", witness.vkey) as client:
        for _, size in STEPS:
            grow(organisation, size)
            note = text_of(f"{log}/checkpoint")
            cosigned = feeder.merge_cosignatures(note, client.submit(note, prove))
            assert notes.parse_note(cosigned).signed_by([notes.parse_key(witness.vkey)])
        # It understands what our witness answers to another old size.
        assert "— witness.example " in client.submit(note, prove, old_size=257)


def test_the_witness_of_aics_cosigns_our_log(organisation, log, tmp_path):
    pytest.importorskip("aics_witness", reason=NO_AICS)
    with their_witness(tmp_path, vkey_of(organisation.id)) as (vkey, door):
        for old, size in STEPS:
            grow(organisation, size)
            note = text_of(f"{log}/checkpoint")
            proof = proof_of(organisation, old, size)
            answer = requests.post(door, request(old, size, proof=proof, note=note), timeout=30)
            assert answer.status_code == 200
            cosigned = notes.parse_note((note + answer.text).encode())
            assert cosigned.signed_by([notes.parse_key(vkey)])
    entry = log.replace(f"log/{organisation.id}", "v1/public/organisations/lantern/ledger/entries")
    receipt = Program(tmp_path).file("receipt", text_of(f"{entry}/700/proof") + answer.text)
    known = ["--key", vkey_of(organisation.id), "--witness", vkey, "--quiet"]
    assert almoner_verify.main(["receipt", receipt, *known]) == 0


@contextmanager
def their_witness(folder, vkey):
    """Run aics-witness; return its key, and where it takes checkpoints."""
    command, config = [sys.executable, "-m", "aics_witness"], ["-c", str(folder / "witness.json")]
    init = [*command, "init", *config, "--name", "witness.example/1", "--listen", "127.0.0.1:0"]
    witness = said_by(init).strip()
    said_by([*command, "add-log", *config, "--origin", vkey.split("+")[0], "--vkey", vkey])
    process = subprocess.Popen([*command, "serve", *config], stderr=subprocess.PIPE, text=True)
    assert process.stderr
    try:
        said = next(line for line in process.stderr if "add-checkpoint at" in line)
        yield witness, said.rpartition(" at ")[2].strip().rstrip(")")
    finally:
        process.terminate()
        process.communicate(timeout=30)
