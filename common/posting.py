"""Posting to other people's servers: one answer from where we asked, bounded in size and time."""

from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from time import monotonic
from urllib.parse import SplitResult, urlsplit

CONNECTIONS = {"http": HTTPConnection, "https": HTTPSConnection}
SECONDS = 10
CHUNK = 65_536


class NotAnswered(Exception):
    """The other server gave no answer that can be used; the text says why."""


def post(
    url: str, body: bytes, *, content_type: str, bytes_max: int, seconds: float | None = None
) -> bytes:
    """
    Return the body of a 200 answer; no redirect is followed. Raises `NotAnswered`.

    Never in a transaction: it may take `seconds` (or `SECONDS`) to connect, and as long again to
    answer.
    """
    patience = SECONDS if seconds is None else seconds
    try:
        parts = urlsplit(url)
        connect, port = CONNECTIONS.get(parts.scheme), parts.port
    except ValueError as error:
        raise NotAnswered(f"{url} is no address: {error}.") from error
    if connect is None or not parts.hostname:
        raise NotAnswered(f"{url} is no address of http or https.")
    connection = connect(parts.hostname, port, timeout=patience)
    try:
        connection.request("POST", target_of(parts), body, {"Content-Type": content_type})
        with connection.getresponse() as response:
            return _read(response, url, bytes_max, patience)
    except (OSError, HTTPException) as error:
        reason = str(error) or type(error).__name__
        raise NotAnswered(f"{url} did not answer: {reason}.") from error
    finally:
        connection.close()


def target_of(parts: SplitResult) -> str:
    """Return what a request asks for: the path and the query of an address."""
    return f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"


def _read(response: HTTPResponse, url: str, bytes_max: int, seconds: float) -> bytes:
    if response.status != HTTPStatus.OK:
        raise NotAnswered(f"{url} answered {response.status} {response.reason}.")
    content, deadline = b"", monotonic() + seconds
    while chunk := response.read1(CHUNK):
        content += chunk
        if len(content) > bytes_max:
            raise NotAnswered(f"{url} answered with more than {bytes_max:,} bytes.")
        if monotonic() > deadline:
            raise NotAnswered(f"{url} took longer than {seconds} seconds to answer.")
    return content
