"""`expand[]`: ids in an answer are replaced by the objects they name."""

from collections.abc import Callable
from typing import Any

from sandbox.blank import Resource
from sandbox.errors import invalid
from sandbox.scope import Scope

_DEPTH_MAX = 4

Include = Callable[[Scope, Resource], Resource]
_INCLUDED: dict[tuple[str, str], Include] = {}
_SHOWN: dict[str, Include] = {}


def included(kind: str, name: str) -> Callable[[Include], Include]:
    """Mark the function that makes a part which an object shows on request only."""

    def register(include: Include) -> Include:
        _INCLUDED[kind, name] = include
        return include

    return register


def shown(kind: str) -> Callable[[Include], Include]:
    """Mark the function through which a kind of object passes before anybody sees it."""

    def register(show: Include) -> Include:
        _SHOWN[kind] = show
        return show

    return register


def expand(scope: Scope, answer: Resource, paths: list[str]) -> None:
    """Expand each dotted path, as `data.source.charge`, in place."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > _DEPTH_MAX:
            message = f"You cannot expand more than {_DEPTH_MAX} levels of a property."
            raise invalid(message, param="expand")
        _expand(scope, answer, steps, path)


def _expand(scope: Scope, place: Any, steps: list[str], path: str) -> None:
    if isinstance(place, list):
        for item in place:
            _expand(scope, item, steps, path)
    elif isinstance(place, dict) and steps:
        step = steps[0]
        place[step] = _expanded(scope, place, step, path)
        _expand(scope, place[step], steps[1:], path)


def _expanded(scope: Scope, place: Resource, step: str, path: str) -> Any:
    include = _INCLUDED.get((str(place.get("object")), step))
    if include and step not in place:
        return include(scope, place)
    if step not in place:
        message = f"This property cannot be expanded ({path})."
        raise invalid(message, code="property_cannot_be_expanded", param="expand")
    value = place[step]
    found = scope.store.find(value) if isinstance(value, str) else None
    if not found:
        return value
    show = _SHOWN.get(found[1]["object"])
    return show(scope, found[1]) if show else found[1]
