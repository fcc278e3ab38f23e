"""Witnesses of both sides: theirs drive ours, and theirs cosign our log."""

import pytest

from ledger import notes
from ledger.log import vkey_of
from ledger.models import Log
from tests.factories import OrganisationFactory
from tests.independent.programs import Keys, said_by
from tests.ledger.test_export_log import grow
from tests.ledger.test_witness import Running

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
