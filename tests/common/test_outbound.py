"""Posting where somebody else says: to the address that was checked, and not for long."""

import socket
import ssl
from datetime import UTC, datetime, timedelta
from http.client import parse_headers
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from common import outbound
from common.outbound import NotSent
from tests.time_stamper import send as answer_with
from tests.time_stamper import serving

PUBLIC, OTHER, HERE = "93.184.216.34", "93.184.216.35", "127.0.0.1"


def sent(url, body=b"{}", **headers):
    return outbound.send(url, body, headers, allow_private=True)


def refused(url):
    with pytest.raises(NotSent) as refusal:
        sent(url)
    return str(refusal.value)


class Names:
    """A resolver: each time a name is asked for, the next answer; and who is then connected to."""

    def __init__(self, *answers):
        self.answers, self.asked, self.connected = list(answers), [], []

    def getaddrinfo(self, host, port, **_options):
        self.asked.append(host)
        return [(0, 0, 0, "", (address, port)) for address in self.answers.pop(0)]

    def create_connection(self, place, timeout):
        self.connected.append(place)
        raise ConnectionRefusedError(111, "Connection refused")


@pytest.fixture
def names(monkeypatch):
    """Provide what sets up a resolver, and lets nobody connect."""

    def resolving(*answers):
        resolver = Names(*answers)
        monkeypatch.setattr(outbound, "getaddrinfo", resolver.getaddrinfo)
        monkeypatch.setattr(outbound, "create_connection", resolver.create_connection)
        return resolver

    return resolving


def post(url):
    with pytest.raises(NotSent) as refusal:
        outbound.send(url, b"{}", {})
    return str(refusal.value)


def test_a_message_arrives_as_it_is_and_the_answer_comes_back():
    seen = []

    def answer(handler, body):
        seen.append((handler.path, handler.headers["Host"], handler.headers["webhook-id"], body))
        answer_with(handler, b"thanks", 202)

    with serving(answer) as url:
        found = sent(url, b'{"a":1}', **{"webhook-id": "msg_1"})

    assert found == (202, b"thanks")
    assert seen == [("/tsr?quick=1", url.split("/")[2], "msg_1", b'{"a":1}')]


def test_of_a_huge_answer_a_kilobyte_is_read():
    with serving(lambda handler, _body: answer_with(handler, b"x" * 10_000_000, 500)) as url:
        assert sent(url) == (500, b"x" * 1024)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(status):
    seen = []

    def answer(handler, _body):
        seen.append(handler.path)
        answer_with(handler, b"", status, Location="/elsewhere")

    with serving(answer) as url:
        assert sent(url).status == status

    assert seen == ["/tsr?quick=1"]


def test_the_environment_names_no_proxy_for_it(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    with serving(lambda handler, _body: answer_with(handler, b"")) as url:
        assert sent(url).status == 200


def test_one_address_that_is_not_public_among_many_refuses_all(names):
    resolver = names([PUBLIC, OTHER, "10.0.0.1"])

    assert post("https://hooks.example.org/") == (
        "The name leads to 10.0.0.1, which is not a public address."
    )
    assert resolver.connected == []


def test_a_name_is_resolved_once_and_the_checked_address_is_connected_to(names):
    resolver = names([PUBLIC], [HERE])

    assert post("https://rebinding.example.org/") == (
        "There was no answer: [Errno 111] Connection refused."
    )
    assert resolver.asked == ["rebinding.example.org"]
    assert resolver.connected == [(PUBLIC, 443)]


def test_the_next_address_is_tried_when_one_does_not_answer(names):
    resolver = names([PUBLIC, PUBLIC, OTHER])

    post("https://hooks.example.org:8443/")

    assert resolver.connected == [(PUBLIC, 8443), (OTHER, 8443)]


def test_no_name_is_asked_for_where_the_address_is_refused(names):
    resolver = names([PUBLIC])

    assert post("http://hooks.example.org/").startswith("Write a complete address")
    assert resolver.asked == []


def test_nobody_and_nonsense_are_told():
    with socket.create_server((HERE, 0)) as server:
        port = server.getsockname()[1]
    assert "Connection refused" in refused(f"http://{HERE}:{port}/")
    with serving(lambda handler, _body: handler.wfile.write(b"SSH-2.0\r\n")) as url:
        assert refused(url) == "There was no answer: SSH-2.0\r\n."
    with serving(lambda _handler, _body: None) as url:
        assert "without response" in refused(url)


def test_a_name_that_is_not_there_is_told(monkeypatch):
    def unknown(*_arguments, **_options):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(outbound, "getaddrinfo", unknown)

    assert "Name or service not known" in post("https://nobody.example.org/")


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\nX: "])
def test_silence_is_not_waited_for_wherever_it_begins(monkeypatch, said):
    monkeypatch.setattr(outbound, "SECONDS", 0.2)
    with socket.create_server((HERE, 0)) as server:

        def mumble():
            connection, _ = server.accept()
            connection.sendall(said)
            held.append(connection)

        held = []
        thread = Thread(target=mumble)
        thread.start()
        try:
            assert "no answer within" in refused(f"http://{HERE}:{server.getsockname()[1]}/")
        finally:
            thread.join()
            held[0].close()


def test_headers_that_drip_are_cut_off_at_one_moment(monkeypatch):
    # Each drop comes in time for a limit of each read; together they take longer than is allowed.
    moments = iter(range(1000))
    monkeypatch.setattr(outbound, "monotonic", lambda: next(moments))

    def answer(handler, _body):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(100):
            handler.wfile.write(b"X-%d: y\r\n" % number)
            handler.wfile.flush()

    monkeypatch.setattr(outbound._Reading, "readinto", one_byte(outbound._Reading.readinto))
    with serving(answer) as url:
        assert refused(url) == "There was no answer within 10 seconds."


def one_byte(readinto):
    return lambda reading, buffer: readinto(reading, memoryview(buffer)[:1])


def test_a_status_counts_when_the_rest_breaks_off():
    def answer(handler, _body):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"5\r\nthanks")

    with serving(answer) as url:
        assert sent(url).status == 200


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    """A certificate for hooks.example.org, and the file with it and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("hooks.example.org")]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "hooks.pem"
    pem = serialization.Encoding.PEM
    file.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(pem)
    )
    return file


class SecureServer:
    """Answers one request over TLS, and keeps the name it was asked for by."""

    def __init__(self, file):
        self.names = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self.context = context
        self.listening = socket.create_server((HERE, 0))
        self.port = self.listening.getsockname()[1]
        self.thread = Thread(target=self.answer)
        self.thread.start()

    def answer(self):
        plain, _ = self.listening.accept()
        try:
            with self.context.wrap_socket(plain, server_side=True) as secure:
                # To its end: who hangs up on words not read yet takes the answer back.
                request = secure.makefile("rb")
                request.readline()
                request.read(int(parse_headers(request)["Content-Length"]))
                secure.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        except OSError:
            plain.close()


@pytest.fixture
def secure(certified, monkeypatch):
    """A server for hooks.example.org whose certificate we trust, wherever names lead."""
    server = SecureServer(certified)
    monkeypatch.setenv("SSL_CERT_FILE", str(certified))
    outbound.tls.cache_clear()
    here = [(0, 0, 0, "", (HERE, server.port))]
    monkeypatch.setattr(outbound, "getaddrinfo", lambda *_arguments, **_options: here)
    yield server
    server.thread.join()
    server.listening.close()
    outbound.tls.cache_clear()


def test_the_checked_address_is_asked_for_the_name_and_shows_its_certificate(secure):
    assert sent(f"https://hooks.example.org:{secure.port}/").status == 204
    assert secure.names == ["hooks.example.org"]


def test_a_certificate_of_another_name_is_refused(secure):
    assert "certificate is not valid for 'other.example.org'" in refused(
        f"https://other.example.org:{secure.port}/"
    )


def test_an_authority_that_the_system_does_not_know_is_refused(secure, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")

    assert "CERTIFICATE_VERIFY_FAILED" in refused(f"https://hooks.example.org:{secure.port}/")
