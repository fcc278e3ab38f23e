"""JSON as our doors take it: one meaning for everybody, or refused."""

import json
import re
from typing import Any, NoReturn

DEPTH_MAX = 32
# PostgreSQL stores no NUL and UTF-8 no lone surrogate, but JSON's escapes can write both.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
ESCAPED = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


class JsonMalformed(ValueError):
    """Not JSON, or JSON that two readers may read differently; the message says what is wrong."""


def parse(raw: bytes) -> Any:
    """
    Return what these bytes say.

    Raises `JsonMalformed` for what is not JSON in UTF-8 (a byte order mark, NaN and Infinity are
    not), and for duplicate keys, NUL and lone surrogates in texts, and more than 32 levels.
    """
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_unique, parse_constant=_refuse)
    except JsonMalformed:
        raise
    except RecursionError as error:
        raise JsonMalformed(f"it is nested deeper than {DEPTH_MAX} levels") from error
    except UnicodeDecodeError as error:
        raise JsonMalformed(f"it is not UTF-8 (byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise JsonMalformed(f"it is not JSON ({error.msg}, character {error.pos})") from error
    except ValueError as error:
        raise JsonMalformed("it has a number with too many digits") from error
    _check_depth(value)
    if ESCAPED.search(raw):
        _check_texts(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise JsonMalformed("a key stands twice in one object")
    return fields


def _refuse(constant: str) -> NoReturn:
    raise JsonMalformed(f"{constant} is not a number")


def _check_depth(value: Any) -> None:
    level = [value]
    for _depth in range(DEPTH_MAX):
        level = _inside(level)
        if not level:
            return
    raise JsonMalformed(f"it is nested deeper than {DEPTH_MAX} levels")


def _check_texts(value: Any) -> None:
    level = [value]
    while level:
        if any(isinstance(item, str) and UNSTORABLE.search(item) for item in level):
            raise JsonMalformed("a text has a NUL or a lone surrogate")
        keys = [key for item in level if isinstance(item, dict) for key in item]
        level = keys + _inside(level)


def _inside(level: list[Any]) -> list[Any]:
    inner: list[Any] = []
    for item in level:
        if isinstance(item, dict):
            inner += item.values()
        elif isinstance(item, list):
            inner += item
    return inner
