"""One large download over HTTP, read as it comes."""

import http.client
from typing import BinaryIO

from config.surroundings import LOOPBACK

CHUNK = 1 << 20
TIMEOUT_SECONDS = 300


def download(port: int, path: str, file: BinaryIO | None = None) -> int:
    """Read a response to its end, into a file if there is one; return its bytes."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=TIMEOUT_SECONDS)
    connection.request("GET", path)
    response = connection.getresponse()
    assert response.status == http.HTTPStatus.OK, response.status
    count = 0
    while chunk := response.read(CHUNK):
        count += len(chunk)
        if file:
            file.write(chunk)
    connection.close()
    return count
