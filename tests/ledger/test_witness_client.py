"""Asking a witness: whatever it is that answers, only a good cosignature counts."""

import socket
import ssl
import threading
import time
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from ledger import notes, witness_client
from ledger.policy import Witness
from ledger.witness_client import (
    AnswerWrong,
    Contradicted,
    Cosigned,
    LogUnknown,
    SeenAt,
    Silent,
    add_checkpoint,
    url_problem,
)
from tests.ledger.test_merkle import BIG_TREE
from tests.ledger.test_witness import Running, checkpoint, request

PRIVATE = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
KEY = notes.Key("w.example", notes.COSIGNATURE, PRIVATE.public_key().public_bytes_raw())
NOTE = notes.parse_note(checkpoint(300).encode())
PROOF = BIG_TREE.consistency(5, 300)
NOW = 1_790_000_000


def cosigned(note=NOTE, *, private=PRIVATE, name="w.example", at=NOW):
    return f"{notes.cosign(private, name, note.text, unix_time=at)}\n"


def answer(body, status="200 OK", headers=""):
    """Return the bytes of a whole answer."""
    content = body.encode() if isinstance(body, str) else body
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\n{headers}\r\n"
    return head.encode() + content


@contextmanager
def listening(*answers, context=None, stays=False):
    """Answer one connection after the other, with these bytes; give the witness to ask."""
    heard = []
    secured = partial(context.wrap_socket, server_side=True) if context else closing
    server = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve():
        for content in answers:
            connection, _ = server.accept()
            with suppress(ssl.SSLError), secured(connection) as line:
                heard.append(received(line))
                line.sendall(content)
                if stays:
                    over.wait(30)

    thread = threading.Thread(target=serve)
    thread.start()
    scheme = "https" if context else "http"
    name = "localhost" if context else "127.0.0.1"
    url = f"{scheme}://{name}:{server.getsockname()[1]}/wit"
    try:
        yield Witness("w", KEY, url), heard
    finally:
        over.set()
        thread.join()
        server.close()


def received(connection):
    """Return a whole request."""
    content = b""
    while not content.partition(b"\r\n\r\n")[1]:
        content += connection.recv(65_536)
    head, _, body = content.partition(b"\r\n\r\n")
    [length] = [
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    ]
    while len(body) < length:
        body += connection.recv(65_536)
    return head, body


def ask(witness):
    return add_checkpoint(witness, NOTE, old=5, proof=PROOF, clock=lambda: NOW)


def test_a_real_witness_cosigns(tmp_path):
    running = Running(tmp_path / "witness")
    try:
        url = f"http://127.0.0.1:{running.port}/"
        witness = Witness("w", notes.parse_key(running.vkey), url)
        assert add_checkpoint(witness, NOTE, old=0, proof=[]).line.startswith("— witness.example ")
        with pytest.raises(SeenAt) as refusal:
            add_checkpoint(witness, NOTE, old=0, proof=[])
        assert refusal.value.size == 300
        fork = notes.parse_note(checkpoint(300, root=b"\x05" * 32).encode())
        with pytest.raises(Contradicted):
            add_checkpoint(witness, fork, old=300, proof=[])
        stranger = notes.parse_note(checkpoint(300, origin="other.example").encode())
        with pytest.raises(LogUnknown, match="does not know"):
            add_checkpoint(witness, stranger, old=0, proof=[])
    finally:
        running.stop()


def test_what_is_asked_is_a_request_of_the_specification():
    with listening(answer(cosigned())) as (witness, heard):
        found = ask(witness)

    [(head, body)] = heard
    assert head.startswith(b"POST /wit/add-checkpoint HTTP/1.1\r\n")
    assert body == request(5, 300)
    assert found == Cosigned(cosigned().removesuffix("\n"), NOW)


def test_signatures_of_others_are_passed_over():
    lines = cosigned(name="other.example") + cosigned(private=Ed25519PrivateKey.generate())
    with listening(answer(lines + cosigned())) as (witness, _):
        assert ask(witness).line == cosigned().removesuffix("\n")


OTHER_TIME = notes.parse_signature(cosigned().removesuffix("\n"))
ALTERED = OTHER_TIME._replace(signature=(NOW + 9).to_bytes(8) + OTHER_TIME.signature[8:])
OTHER_NOTE = notes.parse_note(checkpoint(301).encode())
SIZE = "Content-Type: text/x.tlog.size\r\n"


def one_byte_too_long():
    """Return good lines that end, to the byte, where the answer becomes too long."""
    frame = "—  \n".encode()
    room = witness_client.ANSWER_BYTES_MAX + 1 - len(cosigned().encode()) - len(frame)
    name = "f" * (room % 4 + 4)
    filler = f"— {name} {'A' * (room - len(name))}\n"
    return filler + cosigned()


@pytest.mark.parametrize(
    ("content", "error", "sentence"),
    [
        (answer(""), AnswerWrong, "something else than signatures"),
        (answer("hello\n"), AnswerWrong, "something else than signatures"),
        (answer(b"\xff\n"), AnswerWrong, "something else than signatures"),
        (answer(cosigned().removesuffix("\n")), AnswerWrong, "something else"),
        (answer(f"{cosigned()}\n{cosigned()}"), AnswerWrong, "something else"),
        (answer("x" * 1_000_000), AnswerWrong, "something else"),
        (answer(cosigned() * 200), AnswerWrong, "something else"),
        (answer(one_byte_too_long()), AnswerWrong, "something else"),
        (answer(cosigned(name="other.example")), AnswerWrong, "other keys than its own"),
        (
            answer(cosigned(private=Ed25519PrivateKey.generate())),
            AnswerWrong,
            "other keys than its own",
        ),
        (answer(cosigned(OTHER_NOTE)), AnswerWrong, "that its key did not make"),
        (answer(f"{ALTERED}\n"), AnswerWrong, "that its key did not make"),
        (answer(cosigned() + cosigned(OTHER_NOTE)), AnswerWrong, "that its key did not make"),
        (answer(cosigned(at=NOW + 301)), AnswerWrong, "is its clock right"),
        (answer(cosigned(at=NOW - 301)), AnswerWrong, "is its clock right"),
        (answer(cosigned(at=0)), AnswerWrong, "is its clock right"),
        (answer("300\n", "409 Conflict", SIZE), SeenAt, "It cosigned 300 entries last"),
        (answer("0300\n", "409 Conflict", SIZE), AnswerWrong, "a size that is none"),
        (answer(b"\xff", "409 Conflict", SIZE), AnswerWrong, "a size that is none"),
        (answer("300\n", "409 Conflict"), Contradicted, "another tree"),
        (answer("", "422 Unprocessable Entity"), Contradicted, "another tree"),
        (answer("", "404 Not Found"), LogUnknown, "does not know this log"),
        (answer("", "403 Forbidden"), LogUnknown, "another key of this log"),
        (answer("", "400 Bad Request"), AnswerWrong, "HTTP 400, and did not sign"),
        (answer("", "204 No Content"), AnswerWrong, "HTTP 204, and did not sign"),
        (
            answer("", "307 Temporary Redirect", "Location: http://127.0.0.1:1/\r\n"),
            AnswerWrong,
            "HTTP 307, and did not sign",
        ),
        (answer("", "429 Too Many Requests"), Silent, "asked too much"),
        (answer("", "503 Service Unavailable"), Silent, "HTTP 503"),
        (b"", Silent, "It does not answer"),
        (b"\r\n\r\n", Silent, "It does not answer"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200, Silent, "It does not answer"),
    ],
)
def test_only_a_good_cosignature_counts(content, error, sentence):
    with listening(content) as (witness, _), pytest.raises(error, match=sentence):
        ask(witness)


@pytest.mark.parametrize("content", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"])
def test_a_witness_that_hangs_is_left(monkeypatch, content):
    monkeypatch.setattr(witness_client, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(witness_client, "CONNECT_SECONDS", 30)
    began = time.monotonic()

    with listening(content, stays=True) as (witness, _), pytest.raises((Silent, AnswerWrong)):
        ask(witness)

    assert time.monotonic() - began < 20


def test_nobody_there_is_silence():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    for host in ("127.0.0.1", f"{'x' * 64}.example"):
        with pytest.raises(Silent, match="It does not answer"):
            ask(Witness("w", KEY, f"http://{host}:{port}"))


@pytest.fixture
def certificate(tmp_path):
    """A certificate of localhost that only we know."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    builder = builder.not_valid_before(now - timedelta(days=1))
    builder = builder.not_valid_after(now + timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    signed = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    file = tmp_path / "localhost.pem"
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(key.private_bytes(pem, *plain) + signed.public_bytes(pem))
    return file


def test_over_tls_the_certificate_is_checked(monkeypatch, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    with listening(answer(cosigned()), answer(cosigned()), context=context) as (witness, _):
        with pytest.raises(Silent, match="Its certificate is none that we trust"):
            ask(witness)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert ask(witness).unix_time == NOW


@pytest.mark.parametrize(
    ("url", "is_good"),
    [
        ("http://127.0.0.1:8300", True),
        ("https://witness.example.org/some/where/", True),
        ("", False),
        ("witness.example.org", False),
        ("ftp://witness.example.org", False),
        ("https://", False),
        ("https://w.example:99999", False),
        ("https://w.example:0", False),
        ("https://user@w.example", False),
        ("https://w.example/?a=b", False),
        ("https://w.example/#a", False),
        ("https://wítness.example", False),
        ("https://[::1", False),
    ],
)
def test_an_address_is_one_that_can_be_asked(url, is_good):
    assert (url_problem(url) == "") == is_good
