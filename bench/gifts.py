"""Gifts for the inbox: promised by our service, paid at the sandbox, told by its events."""

import json
from typing import Any

import requests
from django.conf import settings

from bench.books import open_book
from bench.load import Request
from bench.programs import STRIPE_KEY, Programs
from common.stripe_api import client, on_account
from donations.services.promises import create_sandbox_account, promise_donation
from ledger.models import Book
from organisations.models import Organisation

INBOX = "/v1/webhooks/stripe"
CONTROL_SECONDS = 60


class Giving:
    """An organisation with an account at a sandbox of its own, and donors who give to it."""

    def __init__(self, programs: Programs) -> None:
        """Start the sandbox and open the organisation."""
        settings.STRIPE_API_BASE = programs.start_sandbox()
        settings.STRIPE_SECRET_KEY = STRIPE_KEY
        client.cache_clear()
        self.control("delivery", mode="drop")  # the load generator delivers in its place
        self.account = self.new_account()
        self.book: Book = open_book(stripe_account=self.account)
        self.organisation: Organisation = self.book.organisation
        self.told: set[str] = set()

    def new_account(self) -> str:
        """Return a new account at the sandbox."""
        return create_sandbox_account(country="BE", currency="EUR")

    def give(self, count: int) -> None:
        """Let gifts be promised and paid; Stripe's balance has them when this returns."""
        for number in range(count):
            promised = promise_donation(
                organisation=self.organisation,
                amount=1000 + number,
                currency="EUR",
                flow="payment_intent",
            )
            client().v1.payment_intents.confirm(
                promised.donation.payment_intent,
                {"payment_method": "pm_card_visa"},
                on_account(self.account),
            )
        self.control("delivery/flush")

    def news(self) -> list[dict[str, Any]]:
        """Return the events that Stripe has to tell since this was last asked, oldest first."""
        events: list[dict[str, Any]] = []
        options = on_account(self.account)
        for event in client().v1.events.list({"limit": 100}, options).auto_paging_iter():
            if event.id in self.told:
                break
            events.append(event.to_dict(for_json=True))
        self.told |= {event["id"] for event in events}
        return events[::-1]

    def control(self, path: str, **fields: Any) -> None:
        """Ask the sandbox for what only the world outside does."""
        answer = requests.post(
            f"{settings.STRIPE_API_BASE}/_control/{path}",
            json=fields,
            headers={"Authorization": f"Bearer {settings.STRIPE_SECRET_KEY}"},
            timeout=CONTROL_SECONDS,
        )
        answer.raise_for_status()


def deliveries(events: list[dict[str, Any]], path: str = INBOX) -> list[Request]:
    """Return events as Stripe delivers them."""
    return [Request(path, json.dumps(event, ensure_ascii=False, indent=2)) for event in events]


def renamed(events: list[dict[str, Any]], count: int, run: str) -> list[dict[str, Any]]:
    """Return so many events of the same contents under ids that nobody has seen."""
    return [
        events[number % len(events)] | {"id": f"evt_{run}{number:08}"} for number in range(count)
    ]
