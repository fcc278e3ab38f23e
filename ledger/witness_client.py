"""
Asking a witness to cosign a checkpoint (C2SP tlog-witness), over HTTP. No Django, no database.

What comes back is not believed: a cosignature is checked with the witness' key and our clock, an
answer has a size and a time, and nobody is followed elsewhere.
https://c2sp.org/tlog-witness
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from ledger import notes
from ledger.policy import Witness

# To connect, then for the whole answer, however it trickles in.
CONNECT_SECONDS, ANSWER_SECONDS = 3.0, 5.0
ANSWER_BYTES_MAX = 16_384
# How far a witness' clock may be from ours.
CLOCK_SECONDS = 300
SIZE_TYPE = "text/x.tlog.size"
SCHEMES: Final = {"http": HTTPConnection, "https": HTTPSConnection}


class NotCosigned(Exception):
    """A witness did not cosign; the sentence says why."""


class Silent(NotCosigned):
    """The witness is not there, or not well; it may be soon."""


class LogUnknown(NotCosigned):
    """The witness does not know the log, or only another key of it."""


class Contradicted(NotCosigned):
    """The witness says that it has seen a log that this one does not go on from."""


class AnswerWrong(NotCosigned):
    """The answer is none that a witness gives."""


class SeenAt(NotCosigned):
    """The witness cosigned another size last."""

    def __init__(self, size: int) -> None:
        """Take the size."""
        super().__init__(f"It cosigned {size:,} entries last.")
        self.size = size


class Cosigned(NamedTuple):
    """What a witness has signed: the `line` for the note, and when it says that it did."""

    line: str
    unix_time: int


def url_problem(url: str) -> str:
    """Say why nobody can be asked at an address; nothing if somebody can."""
    try:
        parts = urlsplit(url)
        is_plain = url.isascii() and not (parts.query or parts.fragment or parts.username)
        if is_plain and parts.scheme in SCHEMES and parts.hostname and parts.port != 0:
            return ""
    except ValueError:
        pass
    return "needs an address to be asked at, such as https://witness.example.org (in ASCII)"


def add_checkpoint(
    witness: Witness,
    note: notes.Note,
    *,
    old: int,
    proof: Sequence[bytes],
    clock: Callable[[], float] = time.time,
) -> Cosigned:
    """
    Return a witness' cosignature of a note whose tree goes on from one of `old` entries.

    Raises `NotCosigned`. The witness has an address without a `url_problem`.
    """
    lines = [f"old {old}", *map(notes.encode, proof), "", str(note)]
    try:
        status, content_type, body = _post(witness.url, "\n".join(lines).encode())
    except ssl.SSLCertVerificationError as error:
        raise Silent("Its certificate is none that we trust.") from error
    except (OSError, HTTPException, UnicodeError) as error:
        raise Silent("It does not answer.") from error
    if status != HTTPStatus.OK:
        raise _refusal(status, content_type, body)
    cosigned = _cosignature(witness.key, note, body)
    if abs(cosigned.unix_time - clock()) > CLOCK_SECONDS:
        raise AnswerWrong("It answered with a signature of another time: is its clock right?")
    return cosigned


def _post(url: str, body: bytes) -> tuple[int, str, bytes]:
    parts = urlsplit(url)
    assert parts.hostname
    connection = SCHEMES[parts.scheme](parts.hostname, parts.port)
    connected = socket.create_connection((connection.host, connection.port), CONNECT_SECONDS)
    # Ends the reading also of what comes a byte at a time. A copy, for TLS takes the first one.
    with closing(connected.dup()) as line, closing(connection):
        end = threading.Timer(ANSWER_SECONDS, _hang_up, [line])
        end.start()
        try:
            connection.sock = connected
            if parts.scheme == "https":
                context = ssl.create_default_context()
                connection.sock = context.wrap_socket(connected, server_hostname=connection.host)
            path = f"{parts.path.rstrip('/')}/add-checkpoint"
            connection.request("POST", path, body, {"Content-Type": "text/plain"})
            answer = connection.getresponse()
            content = answer.read(ANSWER_BYTES_MAX + 1)
            return answer.status, answer.getheader("Content-Type", ""), content
        finally:
            end.cancel()


def _cosignature(key: notes.Key, note: notes.Note, body: bytes) -> Cosigned:
    try:
        if len(body) > ANSWER_BYTES_MAX or not body.endswith(b"\n"):
            raise notes.NoteMalformed("These are no signature lines.")
        lines = body.decode().removesuffix("\n").split("\n")
        ours = [each for each in map(notes.parse_signature, lines) if each.is_of(key)]
        times = [notes.check_signature(key, note.text, each.signature) for each in ours]
    except (UnicodeDecodeError, notes.NoteMalformed) as error:
        raise AnswerWrong("It answered with something else than signatures.") from error
    except notes.SignatureWrong as error:
        raise AnswerWrong("It answered with a signature that its key did not make.") from error
    if not ours:
        raise AnswerWrong("It answered with signatures of other keys than its own.")
    return Cosigned(str(ours[0]), times[0])


def _refusal(status: int, content_type: str, body: bytes) -> NotCosigned:
    is_size = content_type.partition(";")[0].strip() == SIZE_TYPE
    match status:
        case HTTPStatus.NOT_FOUND:
            refusal: NotCosigned = LogUnknown("It does not know this log.")
        case HTTPStatus.FORBIDDEN:
            refusal = LogUnknown("It knows another key of this log.")
        case HTTPStatus.CONFLICT if is_size:
            refusal = _seen_at(body)
        case HTTPStatus.CONFLICT | HTTPStatus.UNPROCESSABLE_ENTITY:
            refusal = Contradicted("It has seen another tree of this log.")
        case HTTPStatus.TOO_MANY_REQUESTS:
            refusal = Silent("It is asked too much.")
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            refusal = Silent(f"It cannot sign now (HTTP {status}).")
        case _:
            refusal = AnswerWrong(f"It answered with HTTP {status}, and did not sign.")
    return refusal


def _seen_at(body: bytes) -> NotCosigned:
    try:
        return SeenAt(notes.decode_size(body.decode().removesuffix("\n")))
    except (UnicodeDecodeError, notes.NoteMalformed):
        return AnswerWrong("It answered with a size that is none.")


def _hang_up(line: socket.socket) -> None:
    with suppress(OSError):  # the other side was faster
        line.shutdown(socket.SHUT_RDWR)
