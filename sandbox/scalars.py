"""Checks single values: texts, numbers, booleans, and words of a list."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sandbox.errors import invalid


def check_choice(value: Any, choices: tuple[Any, ...], where: str) -> Any:
    """Return the value when it is one of the words."""
    if value in choices:
        return value
    if value == "":
        return _check_text(value, where)
    listed = ", ".join(filter(None, choices))
    message = f"Invalid {where}: must be one of {listed}"
    raise invalid(message, code="parameter_invalid_enum", param=where)


def _check_text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise invalid("Invalid string", code="parameter_invalid_string", param=where)
    if not value:
        message = (
            f"You passed an empty string for '{where}'. We assume empty values are an attempt "
            f"to unset a parameter; however '{where}' cannot be unset."
        )
        raise invalid(message, code="parameter_invalid_empty", param=where)
    return value


def _check_integer(value: Any, where: str) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]{1,18}", value):
        message = f"Invalid integer: {value}"
        raise invalid(message, code="parameter_invalid_integer", param=where)
    return int(value)


def _check_decimal(value: Any, where: str) -> float:
    if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", value):
        message = f"Invalid decimal: {value}"
        raise invalid(message, code="parameter_invalid_decimal", param=where)
    return float(value)


def _check_boolean(value: Any, where: str) -> bool:
    if value not in ("true", "false"):
        message = f"Invalid boolean: {value}"
        raise invalid(message, code="parameter_invalid_boolean", param=where)
    return bool(value == "true")


def _check_anything(value: Any, where: str) -> Any:
    return value


CHECKS: dict[Any, Callable[[Any, str], Any]] = {
    str: _check_text,
    int: _check_integer,
    float: _check_decimal,
    bool: _check_boolean,
    Decimal: _check_decimal,
    Any: _check_anything,
}
