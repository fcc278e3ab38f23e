"""
Speaking to addresses that somebody else chose: guarded where we connect, and over in a few seconds.

A name is resolved once. Every address that it leads to must be public, and the connection goes to
the checked address itself, so that a name that answers otherwise a moment later changes nothing.
No redirect is followed, and proxies of the environment are not asked.
"""

import ssl
from collections.abc import Mapping
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from io import BufferedReader, RawIOBase
from socket import SOCK_STREAM, create_connection, getaddrinfo, socket
from time import monotonic
from typing import Any, NamedTuple

from common.addresses import AddressForbidden, Destination, check_public, destination_of
from common.posting import target_of

SECONDS = 10
ANSWER_BYTES_MAX = 1_024


class NotSent(Exception):
    """Nobody answered, or nobody was asked; the text says why."""


class Answer(NamedTuple):
    """What a server said: the status, and the first kilobyte of the rest."""

    status: int
    beginning: bytes


def send(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    method: str = "POST",
    allow_private: bool = False,
) -> Answer:
    """
    Post to an address of somebody else's choice; return whatever is answered. Raises `NotSent`.

    Never in a transaction: resolving the name takes what the system allows, all the rest together
    `SECONDS`.
    """
    try:
        destination = destination_of(url, allow_private=allow_private)
        addresses = resolve(destination, allow_private=allow_private)
        deadline = monotonic() + SECONDS
        with _connected(destination, addresses, deadline) as connection:
            timed = _Timed(connection, deadline)
            return _converse(timed, destination, method, body, headers)
    except AddressForbidden as error:
        raise NotSent(str(error)) from error
    except TimeoutError as error:
        raise NotSent(f"There was no answer within {SECONDS} seconds.") from error
    except (OSError, HTTPException, ValueError) as error:
        raise NotSent(f"There was no answer: {str(error) or type(error).__name__}.") from error


def resolve(destination: Destination, *, allow_private: bool) -> list[str]:
    """Return the addresses of a name, all of them checked. Raises `AddressForbidden`, `OSError`."""
    found = getaddrinfo(destination.host, destination.port, type=SOCK_STREAM)
    addresses = list(dict.fromkeys(str(place[0]) for *_, place in found))
    for address in addresses:
        check_public(address, allow_private=allow_private)
    return addresses


@cache
def tls() -> ssl.SSLContext:
    """Return how certificates are checked: by the system's authorities, against the name."""
    return ssl.create_default_context()


class _Timed:
    """A connection on which everything ends at one moment, however slowly the other side drips."""

    def __init__(self, connection: socket, deadline: float) -> None:
        self._connection, self._deadline = connection, deadline

    def hurried(self) -> socket:
        """Return the connection, with the time that is left. Raises `TimeoutError`."""
        self._connection.settimeout(_left(self._deadline))
        return self._connection

    def sendall(self, content: bytes) -> None:
        """Send everything."""
        self.hurried().sendall(content)

    def makefile(self, *_mode: Any) -> BufferedReader:
        """Return what the answer is read from."""
        return BufferedReader(_Reading(self))

    def close(self) -> None:
        """Leave closing to whoever connected."""


class _Reading(RawIOBase):
    def __init__(self, timed: _Timed) -> None:
        self._timed = timed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._timed.hurried().recv_into(buffer)


def _connected(destination: Destination, addresses: list[str], deadline: float) -> socket:
    for address in addresses[:-1]:
        try:
            return _connect(destination, address, deadline)
        except OSError:  # the next one may be there
            continue
    return _connect(destination, addresses[-1], deadline)


def _connect(destination: Destination, address: str, deadline: float) -> socket:
    connection = create_connection((address, destination.port), timeout=_left(deadline))
    if not destination.is_secure:
        return connection
    try:
        connection.settimeout(_left(deadline))
        return tls().wrap_socket(connection, server_hostname=destination.host)
    except BaseException:
        connection.close()
        raise


def _converse(
    timed: _Timed, destination: Destination, method: str, body: bytes, headers: Mapping[str, str]
) -> Answer:
    connection = HTTPConnection(destination.host, destination.port)
    connection.sock = timed
    host = destination.parts.netloc
    connection.request(method, target_of(destination.parts), body, {"Host": host, **headers})
    with connection.getresponse() as response:
        return Answer(response.status, _beginning(response))


def _beginning(response: HTTPResponse) -> bytes:
    # The status is what counts; an answer that breaks off or drips after it is cut.
    content = b""
    try:
        while chunk := response.read1(ANSWER_BYTES_MAX - len(content)):
            content += chunk
    except (OSError, HTTPException):
        pass
    return content


def _left(deadline: float) -> float:
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError
    return left
