"""Run a witness, also on a machine that has nothing else of Almoner: no database, no settings."""

import signal
import sqlite3
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ledger import notes
from ledger.witness import KnownLogs, Refused, SizeConflict, Witness

TEXT = "text/plain; charset=utf-8"
SIZE = "text/x.tlog.size"
BODY_BYTES_MAX = notes.NOTE_BYTES_MAX


class Command(BaseCommand):
    """Answers `add-checkpoint` until Ctrl-C or SIGTERM; put a proxy with TLS in front of it."""

    help = "Run a witness: it cosigns checkpoints of the logs that it knows (C2SP tlog-witness)."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where it keeps what it has seen, its name, the logs, and where it listens."""
        parser.add_argument("folder", type=Path, help="what it has seen, and its key")
        parser.add_argument("--name", required=True, help="such as witness.example.org")
        parser.add_argument(
            "--log", metavar="VKEY", action="append", default=[], help="may be repeated"
        )
        parser.add_argument(
            "--logs",
            metavar="FILE",
            type=Path,
            help="a policy whose logs it knows too, read again when it changes",
        )
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8300)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Say the witness' own key, and serve."""
        if not (options["log"] or options["logs"]):
            raise CommandError("Say which logs it knows: --log VKEY, or --logs FILE.")
        try:
            logs = KnownLogs(map(notes.parse_key, options["log"]), options["logs"])
            witness = Witness(options["folder"], name=options["name"], logs=logs, clock=time.time)
            notes.parse_key(witness.vkey)
            address = (options["host"], options["port"])
            server = ThreadingHTTPServer(address, partial(Handler, witness))
        except (ValueError, OSError) as error:
            raise CommandError(str(error)) from error
        # A service is ended by SIGTERM; what a shell starts in the background ignores Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with server:
            try:
                url = f"http://{address[0]}:{server.server_port}/add-checkpoint"
                self.stdout.write(f"{witness.vkey}\n{url}")
                self.stdout.flush()
                server.serve_forever()
            except KeyboardInterrupt:
                self.stdout.write("Stopped; what it has seen stays.")


class Handler(BaseHTTPRequestHandler):
    """One connection to the witness."""

    protocol_version = "HTTP/1.1"
    timeout = 10

    def __init__(self, witness: Witness, *args: Any) -> None:
        """Know whose it is."""
        self.witness = witness
        super().__init__(*args)

    def do_POST(self) -> None:
        """Answer `add-checkpoint`."""
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > BODY_BYTES_MAX:
            self.close_connection = True
            self._answer(413 if length.isdigit() else 411, "Send at most 1,000,000 bytes at once.")
            return
        body = self.rfile.read(int(length))
        if self.path != "/add-checkpoint":
            self._answer(404, "Post to /add-checkpoint.")
            return
        try:
            self._answer(200, self.witness.add_checkpoint(body))
        except SizeConflict as conflict:
            self._answer(conflict.status, str(conflict), SIZE)
        except Refused as refusal:
            self._answer(refusal.status, f"{refusal}\n")
        except sqlite3.Error as error:
            self._answer(503, f"Try again later: {error}\n")

    def _answer(self, status: int, text: str, content_type: str = TEXT) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what counts is in the folder."""
