"""Checks what a caller sent against the parameter types of the installed `stripe` package."""

import types
from functools import cache
from importlib import import_module
from typing import Any, Literal, Union, get_args, get_origin

from stripe import RequestOptions
from stripe._stripe_object import UntypedStripeObject
from typing_extensions import get_type_hints, is_typeddict

from sandbox.contract import Route
from sandbox.errors import StripeError, invalid
from sandbox.scalars import CHECKS, check_choice

_OBJECTS = (dict, UntypedStripeObject)


def check(route: Route, sent: dict[str, Any]) -> dict[str, Any]:
    """
    Return the parameters with their types: integers, booleans, lists, nested objects.

    Raises `StripeError` (400) that names the first parameter Stripe would not take.
    """
    return _check_fields(sent, _parameters(route), "")


@cache
def _parameters(route: Route) -> Any:
    return getattr(import_module(route.module), route.type_name)


@cache
def _hints(shape: Any) -> dict[str, Any]:
    """Return the types of a TypedDict's own fields: the options of a request are no parameters."""
    module = import_module(shape.__module__)
    own = {
        name: hint
        for name, hint in shape.__annotations__.items()
        if name not in RequestOptions.__annotations__
    }
    holder = type(shape.__name__, (), {"__annotations__": own})
    return get_type_hints(holder, globalns=vars(module))


def _check_fields(sent: dict[str, Any], shape: Any, prefix: str) -> dict[str, Any]:
    hints = _hints(shape)
    for name in sent:
        if name not in hints:
            where = _join(prefix, name)
            message = f"Received unknown parameter: {where}"
            raise invalid(message, code="parameter_unknown", param=where)
    for name in sorted(shape.__required_keys__ & hints.keys()):
        if name not in sent:
            where = _join(prefix, name)
            raise invalid(
                f"Missing required param: {where}.", code="parameter_missing", param=where
            )
    return {name: _check(value, hints[name], _join(prefix, name)) for name, value in sent.items()}


def _join(prefix: str, name: str) -> str:
    return f"{prefix}[{name}]" if prefix else name


def _check(value: Any, hint: Any, where: str) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _check_union(value, get_args(hint), where)
    if origin is Literal:
        return check_choice(value, get_args(hint), where)
    if origin is list:
        return _check_list(value, get_args(hint)[0], where)
    if origin in _OBJECTS:
        _require_object(value, where)
        inner = get_args(hint)[-1]
        return {name: _check_value(item, inner, _join(where, name)) for name, item in value.items()}
    if is_typeddict(hint):
        _require_object(value, where)
        return _check_fields(value, hint, where)
    return CHECKS[hint](value, where)


def _check_value(value: Any, hint: Any, where: str) -> Any:
    """Check one value of a free mapping such as metadata, where an empty text removes the key."""
    return "" if value == "" else _check(value, hint, where)


def _check_union(value: Any, hints: tuple[Any, ...], where: str) -> Any:
    """
    Try the alternatives that can hold such a value.

    The package writes an enumeration as `Literal[…] | str`, open for the future; today's Stripe
    takes the listed words only. `Literal[''] | str` is a text that may be emptied.
    """
    fitting = [hint for hint in hints if _is_nested(hint) == isinstance(value, dict)] or [*hints]
    if any(get_origin(hint) is Literal and any(get_args(hint)) for hint in fitting):
        fitting = [hint for hint in fitting if hint is not str]
    refusal: StripeError | None = None
    for hint in fitting:
        try:
            return _check(value, hint, where)
        except StripeError as error:
            refusal = error
    assert refusal
    raise refusal


def _is_nested(hint: Any) -> bool:
    return is_typeddict(hint) or get_origin(hint) in (list, *_OBJECTS)


def _check_list(value: Any, hint: Any, where: str) -> list[Any]:
    if not isinstance(value, dict) or not all(name.isdecimal() for name in value):
        raise invalid("Invalid array", code="parameter_invalid_array", param=where)
    names = sorted(value, key=int)
    return [_check(value[name], hint, _join(where, name)) for name in names]


def _require_object(value: Any, where: str) -> None:
    if not isinstance(value, dict):
        raise invalid("Invalid object", code="parameter_invalid_object", param=where)
