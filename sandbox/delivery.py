"""Sends the events of the outbox to the webhook, signed, from several threads."""

import hashlib
import hmac
import http.client
import threading
import time
from urllib.parse import urlsplit, urlunsplit

from sandbox.outbox import Outbox, Parcel
from sandbox.store import Store

_THREADS = 4
_PAUSE_SECONDS = 0.1
_TIMEOUT_SECONDS = 10
_OK = range(200, 300)


def signature(body: bytes, secret: str, moment: int) -> str:
    """Return Stripe's signature header for these bytes at this moment."""
    signed = b"%d.%b" % (moment, body)
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


class Delivery:
    """The threads that carry events to the webhook, each over a connection it keeps."""

    def __init__(self, store: Store, outbox: Outbox, *, url: str, secret: str) -> None:
        self._store = store
        self._outbox = outbox
        self._secret = secret
        self._url = urlsplit(url)
        self._path = urlunsplit(("", "", self._url.path or "/", self._url.query, ""))
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(_THREADS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what is on its way; the rest stays in the store for the next start."""
        self._is_over.set()
        for thread in self._threads:
            self._outbox.wake()
            thread.join(_TIMEOUT_SECONDS)

    def _run(self) -> None:
        connection = http.client.HTTPConnection(
            self._url.hostname or "", self._url.port, timeout=_TIMEOUT_SECONDS
        )
        while not self._is_over.is_set():
            with self._store.transaction():
                parcel = self._outbox.take()
            if parcel:
                self._carry(parcel, connection)
            else:
                connection.close()  # an idle one would be closed by the other side one day
                self._outbox.wait(_PAUSE_SECONDS)
        connection.close()

    def _carry(self, parcel: Parcel, connection: http.client.HTTPConnection) -> None:
        has_arrived = self._post(parcel.body, connection)
        with self._store.transaction():
            if has_arrived:
                self._outbox.arrived(parcel)
            else:
                self._outbox.failed(parcel)
        self._outbox.wake()

    def _post(self, body: bytes, connection: http.client.HTTPConnection) -> bool:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(body, self._secret, int(time.time())),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }
        try:
            connection.request("POST", self._path, body, headers)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return False
        return response.status in _OK
