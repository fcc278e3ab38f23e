"""A mirror of a log by a plain file server: our verifier needs nothing of ours to serve it."""

import subprocess
import sys
from pathlib import Path

import pytest

from ledger.log import vkey_of
from tests.factories import OrganisationFactory
from tests.ledger.test_export_log import export, grow
from verifier import almoner_verify

pytestmark = pytest.mark.django_db
PROGRAM = Path(almoner_verify.__file__)


@pytest.fixture
def mirror(tmp_path):
    """The address of a folder that Python's own file server serves."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "-d", tmp_path],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    port = process.stdout.readline().split(" port ")[1].split()[0]
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(30)
    process.stdout.close()


def verify(address, vkey):
    """Run the verifier as a stranger does."""
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "log", address, "--key", vkey],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_plain_file_server_serves_a_log_that_verifies(mirror, tmp_path):
    organisation = OrganisationFactory()
    vkey = vkey_of(organisation.id)
    address = f"{mirror}/log/{organisation.id}"
    for size in (2, 300):
        grow(organisation, size)
        export(tmp_path)
        code, told = verify(address, vkey)
        assert (code, told.splitlines()[0]) == (0, "VALID")
        assert f"Entries that agree: {size}." in told

    bundle = tmp_path / "log" / organisation.id / "tile/entries/001.p/44"
    bundle.write_bytes(bundle.read_bytes().replace(b'"amount":5000', b'"amount":6000', 1))

    assert verify(address, vkey)[0] == 13
