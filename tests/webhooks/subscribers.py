"""Integrators of the tests' own: real servers on this machine, and what is sent to them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any

from django.db.models import F
from django.utils import timezone
from standardwebhooks import Webhook

from organisations.models import Organisation
from webhooks.models import Delivery, Topic
from webhooks.services.sending import Sender
from webhooks.services.subscribing import NewSecret, add_endpoint


class Subscriber:
    """A server that keeps what it is sent, and answers `status` with `answer`."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.status, self.answer, self.location = 200, b"", ""
        self.hangs_up = False
        self.held: Event | None = None
        self.lock = Lock()
        self.url = ""

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        """Keep a message and answer it."""
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        with self.lock:
            headers = {name.lower(): value for name, value in handler.headers.items()}
            self.received.append((headers, body))
        if self.held:
            assert self.held.wait(30)
        if self.hangs_up:
            return
        handler.send_response(self.status)
        handler.send_header("Content-Length", str(len(self.answer)))
        if self.location:
            handler.send_header("Location", self.location)
        handler.end_headers()
        handler.wfile.write(self.answer)

    def ids(self) -> list[str]:
        """Return the ids of the messages that came."""
        return [headers["webhook-id"] for headers, _ in self.received]

    def verified(self, *secrets: str) -> list[dict[str, Any]]:
        """Return the messages; every one is verified with each of these secrets."""
        for secret in secrets:
            told = [Webhook(secret).verify(body, headers) for headers, body in self.received]
        return told


class Server(ThreadingHTTPServer):
    """Says nothing of clients that hang up."""

    request_queue_size = 64

    def handle_error(self, *_arguments: Any) -> None:
        pass


@contextmanager
def subscribing() -> Iterator[Subscriber]:
    """Provide a server."""
    subscriber = Subscriber()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            subscriber.take(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    subscriber.url = f"http://127.0.0.1:{server.server_port}/hooks?from=almoner"
    try:
        yield subscriber
    finally:
        if subscriber.held:
            subscriber.held.set()
        server.shutdown()
        thread.join()
        server.server_close()


def endpoint_at(url: str, organisation: Organisation, *events: str, **fields: Any) -> NewSecret:
    """Add an endpoint; it hears of everything where nothing is named."""
    return add_endpoint(
        organisation=organisation, url=url, events=list(events) or list(Topic), **fields
    )


def send_all() -> int:
    """Send what is due, to the end; return how many were sent."""
    with Sender() as sender:
        count = 0
        while done := sender.work():
            count += done
        return count


def make_due(**conditions: Any) -> None:
    """Let time go by until everything that waits is due."""
    due = Delivery.objects.filter(status=Delivery.Status.DUE, **conditions)
    due.update(next_attempt_at=timezone.now())


def let_days_go_by(delivery: Delivery, days: int) -> None:
    """Move what was noted of an endpoint into the past."""
    endpoint = type(delivery.endpoint).objects.filter(pk=delivery.endpoint_id)
    endpoint.update(failing_since=F("failing_since") - timedelta(days=days))
