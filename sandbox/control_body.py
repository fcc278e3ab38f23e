"""The JSON bodies of control calls, read strictly."""

import json
from typing import Any

from sandbox.errors import invalid

Values = dict[str, Any]

_KINDS = {int: "an integer", str: "a text", dict: "an object", float: "a number", list: "a list"}


def values_of(body: bytes) -> Values:
    """Return the JSON object that a body is."""
    try:
        values = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise invalid("The body is not JSON.") from error
    if not isinstance(values, dict):
        raise invalid("The body is not a JSON object.")
    return values


def take(values: Values, name: str, kind: type, *otherwise: Any) -> Any:
    """Return a value of the body with the right type, or what it is otherwise."""
    value = values.get(name)
    if value is None and otherwise:
        return otherwise[0]
    kinds = (int, float) if kind is float else kind
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise invalid(f"`{name}` must be {_KINDS[kind]}.", param=name)
    return value
