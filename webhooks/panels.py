"""What the page of a case shows of messages: a failed event, an address that does not answer."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from reviews.models import Case
from reviews.panels import Maker, Panel
from webhooks.models import Attempt, Endpoint, StripeEvent, Topic

TRIES_SHOWN = 5
STANDINGS = {
    StripeEvent.Status.PENDING: "in the queue",
    StripeEvent.Status.DONE: "done",
    StripeEvent.Status.IGNORED: "stored, and nothing is done for it",
    StripeEvent.Status.PARKED: "parked: nothing is done for it until somebody decides",
}


def of_event(case: Case) -> Iterator[Panel]:
    """Yield an event in words; who paid stands in its payload, which is not shown."""
    for event in StripeEvent.objects.filter(id=case.subject):
        standing = STANDINGS[StripeEvent.Status(event.status)]
        context = {"event": event, "standing": standing, "about": _about(event)}
        yield Panel("At Stripe: the event", "webhooks/panels/event.html", context)


def of_endpoint(case: Case) -> Iterator[Panel]:
    """Yield an endpoint and its last tries; its whole address may hold a token."""
    for endpoint in Endpoint.objects.filter(id=case.subject):
        tries = Attempt.objects.filter(delivery__endpoint=endpoint).order_by("-id")
        context = {
            "endpoint": endpoint,
            "host": urlsplit(endpoint.url).hostname,
            "topics": [Topic(topic).label for topic in endpoint.events],
            "tries": tries[:TRIES_SHOWN],
        }
        yield Panel("The address", "webhooks/panels/endpoint.html", context)


def _about(event: StripeEvent) -> str:
    told: dict[str, Any] = event.payload.get("data", {}).get("object", {})
    kind = str(told.get("object", "")).rpartition(".")[-1].replace("_", " ")
    return f"{kind} {told.get('id', '')}".strip()


MAKERS: dict[tuple[Case.Kind, ...], Maker] = {
    (Case.Kind.PARKED_EVENT,): of_event,
    (Case.Kind.SUBSCRIBER,): of_endpoint,
}
