"""Messages as Stripe sends them."""

import itertools
import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

from tests.stripe_story import sign

URL = "/v1/webhooks/stripe"
NUMBERS = itertools.count()
# One for all: each new client reads the names of all static files.
CLIENT = Client(raise_request_exception=False)
EMAIL = "zoe@example.org"
CLIENT_SECRET = "pi_1_secret_K5ZvNbFmCI8gfgrZ"


def event(type: str = "charge.updated", **changes: Any) -> dict[str, Any]:
    """Return an event about nothing much."""
    intent = {"id": "pi_1", "object": "payment_intent", "receipt_email": EMAIL}
    return {
        "id": f"evt_{next(NUMBERS)}",
        "object": "event",
        "account": "acct_1",
        "created": 1_791_191_551,
        "data": {"object": {**intent, "client_secret": CLIENT_SECRET}},
        "livemode": False,
        "type": type,
        **changes,
    }


def body_of(message: Any) -> bytes:
    """Return a message as it is sent; bytes as they are."""
    if isinstance(message, bytes):
        return message
    return json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass")


def deliver(message: Any, header: str | None = None, **more: Any) -> HttpResponse:
    """Send a message to our door, signed unless a header is given."""
    body = body_of(message)
    headers = {"Stripe-Signature": sign(body) if header is None else header}
    return CLIENT.generic("POST", URL, body, "application/json", headers=headers, **more)
