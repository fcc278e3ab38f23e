"""One part of a file: range requests of HTTP (RFC 9110 §14)."""

import re

from django.http import HttpRequest, HttpResponse

RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})\Z", re.IGNORECASE)


def part_of(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """
    Return the part of a response that a GET asks for: 206, or 416 when there is no such part.

    It is the whole response that answers other units, several parts at once, and those who hold a
    part of something older than this (If-Range).
    """
    response.headers["Accept-Ranges"] = "bytes"
    asked = request.headers.get("Range", "")
    is_older = request.headers.get("If-Range", response.headers["ETag"]) != response.headers["ETag"]
    is_one_part = asked.lower().startswith("bytes=") and "," not in asked
    if request.method != "GET" or is_older or not is_one_part:
        return response
    length, span = len(response.content), _span(asked, len(response.content))
    if span is None:
        refused = HttpResponse(f"This has {length} bytes: ask for some of them.\n", status=416)
        refused.headers["Content-Range"] = f"bytes */{length}"
        return refused
    start, stop = span
    response.status_code = 206
    response.content = response.content[start:stop]
    response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{length}"
    return response


def _span(asked: str, length: int) -> tuple[int, int] | None:
    match = RANGE.match(asked)
    if not match or not any(match.groups()):
        return None
    first, last = match.groups()
    if first:
        start, stop = int(first), min(length, int(last) + 1) if last else length
    else:
        start, stop = max(0, length - int(last)), length
    return (start, stop) if start < stop else None
