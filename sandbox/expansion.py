"""`expand[]`: ids in an answer are replaced by the objects they name."""

from collections.abc import Callable
from typing import Any

from stripe._object_classes import get_object_class

from sandbox.blank import Resource
from sandbox.errors import invalid
from sandbox.scope import Scope

_DEPTH_MAX = 4
# The source of a movement may be a charge, which has no `charge`, or a refund, which has one.
_OF_MANY_KINDS = {("balance_transaction", "source")}

Include = Callable[[Scope, Resource], Resource | None]
_INCLUDED: dict[tuple[str, str], Include] = {}
Show = Callable[[Scope, Resource], Resource]
_SHOWN: dict[str, Show] = {}


def included(kind: str, name: str) -> Callable[[Include], Include]:
    """Mark the function that makes a part which an object shows on request only."""

    def register(include: Include) -> Include:
        _INCLUDED[kind, name] = include
        return include

    return register


def shown(kind: str) -> Callable[[Show], Show]:
    """Mark the function through which a kind of object passes before anybody sees it."""

    def register(show: Show) -> Show:
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


def _expand(
    scope: Scope, place: Any, steps: list[str], path: str, *, is_one_of_many: bool = False
) -> None:
    """Expand below a place; what is one of many kinds need not have the property."""
    if isinstance(place, list):
        for item in place:
            _expand(scope, item, steps, path, is_one_of_many=is_one_of_many)
    elif isinstance(place, dict) and steps:
        step, kind = steps[0], str(place.get("object"))
        if (kind, step) in _INCLUDED and step not in place:
            place[step] = _INCLUDED[kind, step](scope, place)
        if step in place:
            place[step] = _expanded(scope, place[step])
            is_one_of_many = (kind, step) in _OF_MANY_KINDS
            _expand(scope, place[step], steps[1:], path, is_one_of_many=is_one_of_many)
        elif not is_one_of_many and step not in get_object_class("V1", kind).__annotations__:
            message = f"This property cannot be expanded ({path})."
            raise invalid(message, code="property_cannot_be_expanded", param="expand")


def _expanded(scope: Scope, value: Any) -> Any:
    found = scope.store.find(value) if isinstance(value, str) else None
    if not found:
        return _bank_account(scope, value) or value
    show = _SHOWN.get(found[1]["object"])
    return show(scope, found[1]) if show else found[1]


def _bank_account(scope: Scope, identifier: Any) -> Resource | None:
    """Return a bank account, which is no object of its own; one that was taken away is deleted."""
    if not isinstance(identifier, str) or not identifier.startswith("ba_"):
        return None
    deleted = {"id": identifier, "object": "bank_account", "deleted": True}
    banks = scope.load("account", scope.account)["external_accounts"]["data"]
    return next((bank for bank in banks if bank["id"] == identifier), deleted)
