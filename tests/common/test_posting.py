"""Posting to other people's servers: what is no plain, short, prompt answer is refused in words."""

import socket

import pytest

from common import posting
from common.posting import NotAnswered, post
from tests.time_stamper import send, serving


def asked(url, bytes_max=10, **patience):
    return post(url, b"question", content_type="text/plain", bytes_max=bytes_max, **patience)


def refused(url, **patience):
    with pytest.raises(NotAnswered) as refusal:
        asked(url, **patience)
    return str(refusal.value)


def test_an_answer_is_returned_as_it_is():
    seen = []

    def answer(handler, body):
        seen.append((handler.path, handler.headers["Content-Type"], body))
        send(handler, b"0123456789")

    with serving(answer) as url:
        found = asked(url)

    assert found == b"0123456789"
    assert seen == [("/tsr?quick=1", "text/plain", b"question")]


def test_what_is_longer_is_refused():
    with serving(lambda handler, _body: send(handler, b"0123456789a")) as url:
        assert refused(url) == f"{url} answered with more than 10 bytes."


@pytest.mark.parametrize("status", [201, 302, 404, 500])
def test_only_200_is_an_answer_and_no_redirect_is_followed(status):
    seen = []

    def answer(handler, body):
        seen.append(handler.path)
        send(handler, b"", status, Location="/elsewhere")

    with serving(answer) as url:
        assert refused(url).startswith(f"{url} answered {status} ")

    assert seen == ["/tsr?quick=1"]


def test_an_answer_that_drips_is_cut_off(monkeypatch):
    moments = iter([0, posting.SECONDS + 1])
    monkeypatch.setattr(posting, "monotonic", lambda: next(moments))

    with serving(lambda handler, _body: send(handler, b"0")) as url:
        assert refused(url) == f"{url} took longer than 10 seconds to answer."


def test_silence_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(posting, "SECONDS", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as server:  # takes connections, and says nothing
        url = f"http://127.0.0.1:{server.getsockname()[1]}"

        assert refused(url) == f"{url} did not answer: timed out."
        monkeypatch.undo()
        assert refused(url, seconds=0.01) == f"{url} did not answer: timed out."


def test_nobody_and_nonsense_are_told():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert "Connection refused" in refused(f"http://127.0.0.1:{port}/")
    assert "Connection refused" in refused(f"https://127.0.0.1:{port}/")
    with serving(lambda handler, _body: handler.wfile.write(b"SSH-2.0\r\n")) as url:
        assert refused(url) == f"{url} did not answer: SSH-2.0\r\n."


@pytest.mark.parametrize(
    "url", ["", "x", "file:///etc/passwd", "ftp://127.0.0.1/", "http:///x", "http://a:b/", "//a/b"]
)
def test_what_is_no_address_is_told(url):
    assert "is no address" in refused(url)
