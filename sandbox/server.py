"""HTTP/1.1 on the loopback address, one thread a connection."""

import socketserver
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from sandbox.messages import Answer, Request, as_json

_BODY_MAX = 1 << 20

Answers = Callable[[Request], Answer]


class Server(ThreadingHTTPServer):
    """A server that is bound but answers nobody until `answers` is set and it serves."""

    daemon_threads = True
    request_queue_size = 128
    answers: Answers

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        """Bind without the name service that the parent would ask."""
        socketserver.TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet about a client that went away; a bug is told on standard error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    server: Server

    def answer(self) -> None:
        """Read one request whole, and answer it."""
        body = self._body()
        if body is None:
            self.close_connection = True
            self._send(as_json(413, {"error": {"message": "The body is too large."}}))
            return
        address = urlsplit(self.path)
        path = unquote(address.path)
        request = Request(self.command, path, address.query, self.headers, body)
        self._send(self.server.answers(request))

    do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the names http.server looks for

    def _body(self) -> bytes | None:
        """Return the body; `None` when it has no decimal length or is too long."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            return None
        return None if int(length) > _BODY_MAX else self.rfile.read(int(length))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the sandbox prints one line, when it is ready."""
