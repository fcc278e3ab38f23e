"""A witness over real HTTP, as a partner runs it: what it cosigns, and all that it does not."""

import base64
import http.client
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command

from ledger import notes
from ledger.witness import Witness
from tests.ledger.test_merkle import BIG_TREE

ROOT = Path(__file__).resolve().parents[2]
NAME = "ledger.example/log/org_1"
PRIVATE = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
KEY = notes.Key(NAME, notes.ED25519, PRIVATE.public_key().public_bytes_raw())
FORK = b"\x05" * 32
# Nothing of Almoner's; only what the measuring of coverage hands to the programs that tests start.
SURROUNDINGS = {
    name: value for name, value in os.environ.items() if name == "PATH" or "COVERAGE" in name
}


def checkpoint(size, *, root=None, origin=NAME, private=PRIVATE):
    """Return a signed checkpoint of the first leaves of a big tree."""
    text = str(notes.Checkpoint(origin, size, root or BIG_TREE.root(size)))
    return str(notes.Note(text, [notes.sign(private, origin, text)]))


def request(old, size, *, proof=None, note=None):
    """Return the body of a request."""
    steps = BIG_TREE.consistency(old, size) if proof is None else proof
    lines = [f"old {old}", *(base64.b64encode(step).decode() for step in steps), ""]
    return "\n".join([*lines, note or checkpoint(size)]).encode()


class Running:
    """A witness in a process of its own, with nothing in its environment."""

    def __init__(self, folder, *extra):
        arguments = [str(folder), "--name", "witness.example", "--log", str(KEY), "--port", "0"]
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "witness", *arguments, *extra],
            env=SURROUNDINGS,
            cwd=folder.parent,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.vkey = self.process.stdout.readline().strip()
        address = self.process.stdout.readline().strip()
        self.port = int(address.removesuffix("/add-checkpoint").rpartition(":")[2])

    def post(self, body, path="/add-checkpoint", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.getheader("Content-Type")
        finally:
            connection.close()

    def stop(self):
        self.process.terminate()
        assert self.process.stdout
        assert self.process.stdout.read() == "Stopped; what it has seen stays.\n"
        assert self.process.wait(30) == 0
        self.process.stdout.close()


@pytest.fixture
def witness(tmp_path):
    running = Running(tmp_path / "witness")
    yield running
    running.stop()


def cosigned(witness, answer, size):
    """Return when the witness says that it signed, checked with its key."""
    key = notes.parse_key(witness.vkey)
    note = notes.parse_note((checkpoint(size) + answer).encode())
    return note.signed_by([key])[key]


def test_it_cosigns_what_goes_on(witness):
    for old, size in [(0, 1), (1, 1), (1, 5), (5, 300), (300, 65_537)]:
        status, answer, content_type = witness.post(request(old, size))

        assert (status, content_type) == (200, "text/plain; charset=utf-8")
        assert cosigned(witness, answer, size) > 1_700_000_000


def test_it_remembers_over_a_restart(tmp_path):
    folder = tmp_path / "witness"
    first = Running(folder)
    first.post(request(0, 300))
    first.stop()
    second = Running(folder)
    try:
        assert second.vkey == first.vkey
        assert second.post(request(0, 300)) == (409, "300\n", "text/x.tlog.size")
        assert second.post(request(300, 301))[0] == 200
    finally:
        second.stop()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (request(0, 5), 409),
        (request(299, 300), 409),
        (request(300, 300, note=checkpoint(300, root=FORK)), 409),
        (request(300, 301, note=checkpoint(301, root=FORK)), 422),
        (request(300, 301, proof=[]), 422),
        (request(300, 301, proof=[FORK]), 422),
        (request(300, 300, proof=[FORK]), 422),
        (request(301, 300, proof=[]), 400),
        (request(300, 301, note=checkpoint(301, origin="ledger.example/log/org_2")), 404),
        (request(300, 301, note=checkpoint(301, private=Ed25519PrivateKey.generate())), 403),
        (request(300, 301).replace(b"\xe2\x80\x94", b"-"), 400),
        (request(300, 301, proof=[FORK] * 64), 400),
        (request(300, 301, proof=[FORK[:31]]), 400),
        (request(300, 301).replace(b"old 300", b"old 0300"), 400),
        (request(300, 301).replace(b"old 300", b"old -1"), 400),
        (request(300, 301).replace(b"old 300", b"new 300"), 400),
        (request(300, 301).replace(b"\n", b"\r\n"), 400),
        (b"", 400),
        (b"old 300\n\n", 400),
        (b"\xff\n\n\xff", 400),
        (checkpoint(301).encode(), 400),
    ],
)
def test_what_does_not_go_on_is_not_cosigned(witness, body, status):
    witness.post(request(0, 300))

    found, text, _ = witness.post(body)

    assert found == status
    assert "—" not in text
    assert witness.post(request(300, 301))[0] == 200


def test_a_wrong_signature_of_the_known_key_is_forbidden(witness):
    note = notes.parse_note(checkpoint(5).encode())
    forged = note._replace(text=note.text.replace("\n5\n", "\n6\n"))

    assert witness.post(request(0, 6, note=str(forged)))[0] == 403


def test_nothing_shows_that_a_log_begins_empty(witness):
    assert witness.post(request(0, 5, proof=[FORK]))[0] == 422


def test_of_many_at_once_the_last_one_stands(witness):
    witness.post(request(0, 100))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(witness.post, [request(100, 101 + place) for place in range(8)]))

    assert sorted(status for status, _, _ in answers) == [200, *[409] * 7]
    [size] = [101 + place for place, answer in enumerate(answers) if answer[0] == 200]
    assert {text for status, text, _ in answers if status == 409} == {f"{size}\n"}


def test_other_paths_and_methods_are_refused(witness):
    assert witness.post(request(0, 5), path="/other")[0] == 404
    connection = http.client.HTTPConnection("127.0.0.1", witness.port, timeout=30)
    connection.request("GET", "/add-checkpoint")
    assert connection.getresponse().status == 501
    connection.close()


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (b"Content-Length: 1000001", b"413"),
        (b"Content-Length: -1", b"411"),
        (b"Content-Length: x", b"411"),
        (b"Transfer-Encoding: chunked", b"411"),
    ],
)
def test_a_body_of_no_or_another_length_is_refused(witness, header, status):
    with socket.create_connection(("127.0.0.1", witness.port), timeout=30) as client:
        client.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\n" + header + b"\r\n\r\n")
        assert client.recv(1000).split()[1] == status


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--log", "x"], "is no verifier key"),
        (["--logs", "nowhere.policy"], "No such file"),
        (["--logs", __file__], "Line 1: a line is"),
        (["--name", "a name"], "is no verifier key"),
        (["--port", "1", "--host", "192.0.2.1"], ""),
    ],
)
def test_what_cannot_run_says_why(tmp_path, arguments, words):
    known = {"--name": "w.example", "--log": str(KEY), "--port": "0"}
    given = known | dict(zip(arguments[::2], arguments[1::2], strict=True))
    options = [word for pair in given.items() for word in pair]

    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "witness", str(tmp_path / "w"), *options],
        env=SURROUNDINGS,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_the_logs_of_a_policy_are_known_as_they_come(tmp_path):
    file = tmp_path / "witnesses.policy"
    other = KEY._replace(name="ledger.example/log/org_2")
    asked = request(0, 5, note=checkpoint(5, origin=other.name))
    file.write_text("quorum none\n")
    witness = Running(tmp_path / "witness", "--logs", str(file))
    try:
        assert witness.post(asked)[0] == 404
        file.write_text(f"log {other} https://ledger.example/log/org_2\nquorum none\n")
        assert witness.post(asked)[0] == 200
        file.write_text("log and no more")
        assert witness.post(request(0, 5))[0] == 200
        file.unlink()
        assert witness.post(asked)[:2] == (409, "5\n")
    finally:
        witness.stop()


def test_what_it_cannot_keep_it_does_not_cosign(tmp_path, witness):
    witness.post(request(0, 300))
    (tmp_path / "witness" / "witness.sqlite3").write_bytes(b"no database any more" * 1000)

    status, text, _ = witness.post(request(300, 301))

    assert status == 503
    assert text.startswith("Try again later: ")


def test_a_witness_of_nothing_is_refused(tmp_path):
    with pytest.raises(CommandError, match="Say which logs it knows"):
        call_command("witness", str(tmp_path / "w"), "--name", "w.example")


def test_a_signature_has_whole_seconds(tmp_path):
    witness = Witness(tmp_path / "witness", name="w", logs={NAME: KEY}, clock=lambda: 5.9)

    line = witness.add_checkpoint(request(0, 7))

    key = notes.parse_key(witness.vkey)
    assert notes.parse_note((checkpoint(7) + line).encode()).signed_by([key]) == {key: 5}
