"""A time stamper of the tests' own (RFC 3161): OpenSSL's, with its own certificate, over HTTP."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread

import pytest

CONFIGURATION = """
[req]
distinguished_name = name
prompt = no
[name]
CN = Tests
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[stamper]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = ours
[ours]
serial = {folder}/serial
default_policy = 1.2.3.4.1
digests = sha256
signer_digest = sha256
ess_cert_id_alg = sha256
accuracy = secs:1
"""


class TimeStamper:
    """Answers questions with OpenSSL; `answers` may change what is sent, as a bad one would."""

    def __init__(self, folder: Path) -> None:
        """Make a root certificate, and one for time stamps under it."""
        self.folder = folder
        self.url = ""
        self.questions: list[bytes] = []
        self.lock = Lock()
        self.answer: Callable[[bytes], bytes] = self.stamp
        (folder / "config").write_text(CONFIGURATION.format(folder=folder))
        (folder / "serial").write_text("01\n")
        for name, section, issuer in (
            ("root", "root", []),
            ("tsa", "stamper", ["-CA", "root.pem", "-CAkey", "root.key"]),
        ):
            self.openssl(
                "req", "-x509", "-config", "config", "-extensions", section, "-newkey", "rsa:2048",
                "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}",
                "-days", "2", *issuer,
            )  # fmt: skip

    def openssl(self, *arguments: str) -> None:
        subprocess.run(
            ["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, timeout=60
        )

    def stamp(self, question: bytes) -> bytes:
        """Answer as a good time stamper does."""
        with self.lock:
            (self.folder / "question").write_bytes(question)
            self.openssl(
                "ts", "-reply", "-config", "config", "-queryfile", "question",
                "-signer", "tsa.pem", "-inkey", "tsa.key", "-out", "answer",
            )  # fmt: skip
            return (self.folder / "answer").read_bytes()


@contextmanager
def serving(answer: Callable[[BaseHTTPRequestHandler, bytes], None]) -> Iterator[str]:
    """Answer every POST on this machine; provide the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer(self, self.rfile.read(int(self.headers["Content-Length"])))

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tsr?quick=1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def send(handler: BaseHTTPRequestHandler, content: bytes, status: int = 200, **headers) -> None:
    """Send an answer in one piece."""
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(content)), **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(content)


@pytest.fixture(scope="session")
def stamper_of_the_run(tmp_path_factory) -> TimeStamper:
    """The one whose certificates are made once."""
    if not shutil.which("openssl"):
        pytest.skip("OpenSSL is not installed: no time stamp was asked for or checked")
    return TimeStamper(tmp_path_factory.mktemp("stamper"))


@pytest.fixture
def stamper(stamper_of_the_run) -> Iterator[TimeStamper]:
    """A time stamper that is asked over HTTP."""
    stamper = stamper_of_the_run
    stamper.questions, stamper.answer = [], stamper.stamp

    def answer(handler, question):
        assert handler.headers["Content-Type"] == "application/timestamp-query"
        stamper.questions.append(question)
        send(handler, stamper.answer(question))

    with serving(answer) as stamper.url:
        yield stamper
