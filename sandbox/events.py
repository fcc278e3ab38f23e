"""The events of an account, as the API lists them."""

from sandbox.blank import Resource
from sandbox.calls import Call, answers
from sandbox.errors import invalid
from sandbox.expansion import shown
from sandbox.lists import PAGING, Filter, page_of
from sandbox.scope import Scope

_KEPT_SECONDS = 30 * 86_400
_TYPES_MAX = 20


@shown("event")
def as_of_now(scope: Scope, event: Resource) -> Resource:
    """Return the event with the number of deliveries that have not arrived yet."""
    return {**event, "pending_webhooks": scope.outbox.pending(event["id"])}


@answers("get", "/v1/events/{id}")
def retrieve(call: Call) -> Resource:
    return as_of_now(call.scope, call.scope.load("event", call.values["id"]))


@answers("get", "/v1/events", f"{PAGING} delivery_success type types")
def list_events(call: Call) -> Resource:
    wanted = Filter()
    wanted.add("created >= ?", call.scope.now() - _KEPT_SECONDS)
    _add_types(wanted, call)
    if "delivery_success" in call.parameters:
        undelivered = "id IN (SELECT event FROM deliveries UNION ALL SELECT event FROM losses)"
        wanted.add(f"NOT {undelivered}" if call.get("delivery_success") else undelivered)
    return page_of(call, "event", wanted, shown=as_of_now)


def _add_types(wanted: Filter, call: Call) -> None:
    """Add the wanted types: `type` is one, or a group such as `charge.*`; `types` are some."""
    types = call.get("types", [])
    if types and "type" in call.parameters:
        message = "You may only specify one of these parameters: type, types."
        raise invalid(message, code="parameters_exclusive", param="types")
    if len(types) > _TYPES_MAX:
        raise invalid(f"You may only give {_TYPES_MAX} types.", param="types")
    if types:
        words = ", ".join("?" * len(types))
        wanted.add(f"json_extract(body, '$.type') IN ({words})", *types)
    if "type" in call.parameters:
        wanted.add("json_extract(body, '$.type') GLOB ?", call.get("type"))
