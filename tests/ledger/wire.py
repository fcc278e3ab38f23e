"""A wire between Django and PostgreSQL that is cut at a COMMIT: before it arrives, or after."""

import os
import select
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseRequestHandler, ThreadingUnixStreamServer
from threading import Lock, Thread

from django.db import connection

from tests.ledger.writers import connecting

COMMIT = b"COMMIT"
BYTES = 1 << 16
SOCKET = ".s.PGSQL.5432"


class Wire(ThreadingUnixStreamServer):
    """
    Relays the database's socket, and cuts it `cuts` times.

    `before`: the server never hears of that COMMIT. Otherwise it has committed, and the client
    never hears of that.
    """

    def __init__(self, folder: str, *, before: bool, cuts: int) -> None:
        super().__init__(os.path.join(folder, SOCKET), Relay)
        self.database = os.path.join(connection.get_connection_params()["host"], SOCKET)
        self.before = before
        self.cuts_max = cuts
        self.cuts = 0
        self.lock = Lock()

    def takes_a_cut(self) -> bool:
        with self.lock:
            takes = self.cuts < self.cuts_max
            self.cuts += takes
            return takes


class Relay(BaseRequestHandler):
    """One connection."""

    server: Wire

    def handle(self) -> None:
        with socket.socket(socket.AF_UNIX) as database:
            database.connect(self.server.database)
            while self.passes(database):
                pass

    def passes(self, database: socket.socket) -> bool:
        [source, *_], _, _ = select.select([database, self.request], [], [])
        message = source.recv(BYTES)
        if source is database:
            self.request.sendall(message)
        elif COMMIT in message and self.server.takes_a_cut():
            self.cut(database, message)
            return False
        else:
            database.sendall(message)
        return bool(message)

    def cut(self, database: socket.socket, message: bytes) -> None:
        if self.server.before:
            return
        database.sendall(message)
        while (answer := database.recv(BYTES)) and COMMIT not in answer:
            pass


@contextmanager
def cut_wire(*, before: bool, cuts: int = 1) -> Iterator[Wire]:
    """Send Django's connections over such a wire for a while."""
    with (
        tempfile.TemporaryDirectory(prefix="wire-") as folder,
        Wire(folder, before=before, cuts=cuts) as wire,
    ):
        Thread(target=wire.serve_forever, args=[0.01]).start()
        try:
            with connecting(HOST=folder):
                yield wire
        finally:
            wire.shutdown()
