"""The world around the demo: donors and banks at the sandbox, and people who sign in."""

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import requests
from django.conf import settings
from django.core.management.base import CommandError

from organisations.models import User
from organisations.services import members
from webhooks.models import StripeEvent

WAIT_SECONDS = 120
TIMEOUT_SECONDS = 30


def person(email: str, name: str, **rights: Any) -> tuple[User, dict[str, str]]:
    """Return somebody who can sign in, with a new password."""
    password = secrets.token_urlsafe(12)
    user = User.objects.filter(email=email).first()
    if user is None:
        user = User.objects.create_user(email, name=name, **rights)
    members.change_password(user=user, password=password)
    return user, {"email": email, "password": password}


def control(path: str, **fields: Any) -> Any:
    """Ask the sandbox to do what only the world outside does."""
    answer = requests.post(
        f"{settings.STRIPE_API_BASE}/_control/{path}",
        json=fields,
        headers={"Authorization": f"Bearer {settings.STRIPE_SECRET_KEY}"},
        timeout=TIMEOUT_SECONDS,
    )
    answer.raise_for_status()
    return answer.json()


def set_clock(house: dict[str, Any], moment: datetime | None) -> None:
    """Let an account of the sandbox live at a moment, or now."""
    control(
        "clock",
        account=house["stripe_account"],
        now=None if moment is None else int(moment.timestamp()),
    )


def promise(house: dict[str, Any], key: str, **gift: Any) -> dict[str, Any]:
    """Promise a gift over our API; the same key again returns the same gift."""
    answer = requests.post(
        f"{settings.BASE_URL}/v1/donations",
        json={"flow": "checkout", **gift},
        headers={
            "Authorization": f"Bearer {house['api_key']}",
            "Idempotency-Key": f"demo-{house['slug']}-{key}",
        },
        timeout=TIMEOUT_SECONDS,
    )
    answer.raise_for_status()
    told: dict[str, Any] = answer.json()
    return told


def pay(promised: dict[str, Any], *cards: str) -> str:
    """Try cards on a gift's payment page, one after the other; return the page's session."""
    session = str(promised["checkout_url"]).rsplit("/", 1)[-1]
    for card in cards:
        with suppress(requests.HTTPError):  # some are declined, and what is paid stays so
            control(f"checkout/{session}/pay", card_number=card)
    return session


def wait_until_booked() -> None:
    """Wait until the sandbox has told everything and the worker has booked it."""
    control("delivery/flush", timeout=WAIT_SECONDS)
    pending = StripeEvent.objects.filter(status=StripeEvent.Status.PENDING)
    wait_for(lambda: not pending.exists())


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until the worker has done something."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise CommandError("The worker does not keep up: see the worker's log.")
        time.sleep(0.1)
