"""Form-encoded text with bracket nesting, as Stripe's libraries send it."""

import re
from typing import Any
from urllib.parse import parse_qsl

from sandbox.errors import invalid

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_FIELDS_MAX = 2000
_DEPTH_MAX = 12


def decode(text: str) -> dict[str, Any]:
    """
    Return `a[b][0]=x` as `{"a": {"b": {"0": "x"}}}`: all leaves are text.

    A list is still an object with the keys 0, 1, …; only the parameter's type can tell.
    """
    fields: dict[str, Any] = {}
    for name, value in _pairs(text):
        _put(fields, _path(name), value, name)
    return fields


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_FIELDS_MAX)
    except ValueError as error:
        raise invalid(f"The request body could not be read: {error}") from error


def _path(name: str) -> list[str]:
    match = _NAME.fullmatch(name)
    if not match:
        return [name]
    path = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
    if len(path) > _DEPTH_MAX:
        raise invalid("The parameters are nested too deeply.", param=match[1])
    return path


def _put(fields: dict[str, Any], path: list[str], value: str, name: str) -> None:
    for step in path[:-1]:
        fields = fields.setdefault(step or str(len(fields)), {})
        if not isinstance(fields, dict):
            raise invalid("A parameter is both a value and an object.", param=name)
    last = path[-1] or str(len(fields))
    if isinstance(fields.get(last), dict):
        raise invalid("A parameter is both a value and an object.", param=name)
    fields[last] = value
