"""The events of an account, as the API lists them."""

from sandbox.blank import Resource
from sandbox.calls import Call, answers
from sandbox.expansion import shown
from sandbox.lists import PAGING, Filter, page_of
from sandbox.scope import Scope


@shown("event")
def as_of_now(scope: Scope, event: Resource) -> Resource:
    """Return the event with the number of deliveries that have not arrived yet."""
    return {**event, "pending_webhooks": scope.outbox.pending(event["id"])}


@answers("get", "/v1/events/{id}")
def retrieve(call: Call) -> Resource:
    return as_of_now(call.scope, call.scope.load("event", call.values["id"]))


@answers("get", "/v1/events", f"{PAGING} type types")
def list_events(call: Call) -> Resource:
    kinds = [call.get("type"), *call.get("types", [])]
    kinds = [kind for kind in kinds if kind]
    wanted = Filter()
    if kinds:
        wanted.add(f"json_extract(body, '$.type') IN ({', '.join('?' * len(kinds))})", *kinds)
    return page_of(call, "event", wanted, shown=as_of_now)
