"""Lists as Stripe pages them: newest first, by cursor, filtered."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.blank import Resource
from sandbox.calls import Call
from sandbox.errors import invalid, missing
from sandbox.scope import Scope

PAGING = "limit starting_after ending_before created"

_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_LIMIT_DEFAULT = 10
_LIMIT_MAX = 100

Shown = Callable[[Scope, Resource], Resource]


def as_it_is(scope: Scope, resource: Resource) -> Resource:
    return resource


@dataclass
class Filter:
    """The conditions of a list as SQL, with their values."""

    conditions: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, condition: str, *values: Any) -> None:
        self.conditions.append(condition)
        self.values += values


def page(call: Call, kind: str, *, fields: str = "", shown: Shown = as_it_is) -> Resource:
    """Return the page of the account's objects of a kind that the call's parameters ask for."""
    wanted = Filter()
    for name in fields.split():
        if name in call.parameters:
            wanted.add(f"json_extract(body, '$.{name}') = ?", call.get(name))
    return page_of(call, kind, wanted, shown=shown)


def page_of(call: Call, kind: str, wanted: Filter, *, shown: Shown = as_it_is) -> Resource:
    """Return a page of the objects that fit the conditions, and the call's paging and dates."""
    wanted.add("kind = ?", kind)
    if kind != "account":
        wanted.add("account = ?", call.scope.account)
    _add_dates(wanted, call.get("created"))
    is_backwards = _add_cursor(wanted, call, kind)
    limit = limit_of(call)
    direction = "ASC" if is_backwards else "DESC"
    rows = call.scope.store.rows(
        f"SELECT body FROM resources WHERE {' AND '.join(wanted.conditions)}"  # noqa: S608 - ours
        f" ORDER BY created {direction}, position {direction} LIMIT ?",
        *wanted.values,
        limit + 1,
    )
    resources = [shown(call.scope, json.loads(body)) for (body,) in rows[:limit]]
    if is_backwards:
        resources.reverse()
    return as_list(resources, call.url, has_more=len(rows) > limit)


def as_list(resources: list[Resource], url: str, *, has_more: bool = False) -> Resource:
    return {"object": "list", "data": resources, "has_more": has_more, "url": url}


def limit_of(call: Call) -> int:
    """Return how many objects a page may have at most."""
    limit = int(call.get("limit", _LIMIT_DEFAULT))
    if not 1 <= limit <= _LIMIT_MAX:
        message = f"This value must be between 1 and {_LIMIT_MAX}."
        raise invalid(message, code="parameter_invalid_integer", param="limit")
    return limit


def _add_dates(wanted: Filter, created: Any) -> None:
    if isinstance(created, int):
        wanted.add("created = ?", created)
    elif created:
        for name, moment in created.items():
            wanted.add(f"created {_COMPARISONS[name]} ?", moment)


def _add_cursor(wanted: Filter, call: Call, kind: str) -> bool:
    """Add the cursor's condition; return whether the page is read backwards."""
    cursors = [name for name in ("starting_after", "ending_before") if name in call.parameters]
    if len(cursors) > 1:
        message = "You may only specify one of these parameters: ending_before, starting_after."
        raise invalid(message, code="parameters_exclusive", param="ending_before")
    for name in cursors:
        identifier = call.get(name)
        places = call.scope.store.rows(
            "SELECT created, position FROM resources WHERE id = ? AND kind = ?"
            " AND ? IN (account, 'account')",
            identifier,
            kind,
            kind if kind == "account" else call.scope.account,
        )
        if not places:
            raise missing(kind, identifier, param=name, status=400)
        sign = "<" if name == "starting_after" else ">"
        wanted.add(f"(created, position) {sign} (?, ?)", *places[0])
    return "ending_before" in cursors
