"""One account of the sandbox, as seen by whoever acts in it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import stripe

from sandbox import blank
from sandbox.blank import Resource
from sandbox.errors import missing
from sandbox.outbox import Outbox
from sandbox.store import Store

PLATFORM = "platform"
# The note of an account that ended the platform\'s access to it.
DISCONNECTED = "disconnected"

ScopeOf = Callable[..., "Scope"]


@dataclass(frozen=True)
class Scope:
    """
    One account with its clock, its objects and its events.

    `request_id` and `idempotency_key` are those of the API call that acts, if one does:
    the events of that call carry them.
    """

    store: Store
    outbox: Outbox
    account: str
    base_url: str
    request_id: str | None = None
    idempotency_key: str | None = None

    @property
    def platform(self) -> str:
        """Return the id of the account that owns the secret key."""
        return self.store.noted(PLATFORM, "account") or ""

    @property
    def application(self) -> str | None:
        """Return the platform's application id, as objects of connected accounts carry it."""
        return None if self.account == self.platform else f"ca_{self.platform[5:]}Sandbox"

    @property
    def is_connected(self) -> bool:
        """Tell whether the platform may know what happens on the account."""
        return not self.store.noted(self.account, DISCONNECTED)

    def now(self) -> int:
        """Return the account's time: the wall clock unless a control call set it."""
        return int(self.store.noted(self.account, "clock") or time.time())

    def move_on(self, moment: int) -> None:
        """Set the account's clock forward to a moment; the wall clock is left alone."""
        clock = self.store.noted(self.account, "clock")
        if clock and int(clock) < moment:
            self.store.note(self.account, "clock", str(moment))

    def new(self, kind: str, **fields: Any) -> Resource:
        """Return a new object of this account; `save` keeps it."""
        moment = self.now()
        identifier = blank.identifier(kind, account=self.account, moment=moment)
        return blank.blank(kind, id=identifier, created=moment, **fields)

    def save(self, resource: Resource) -> Resource:
        self.store.save(self.account, resource)
        return resource

    def load(self, kind: str, identifier: str, *, param: str = "id", status: int = 404) -> Resource:
        """Return this account's object of a kind; somebody else's does not exist."""
        found = self.store.find(identifier)
        if found and found[0] == self.account and found[1]["object"] == kind:
            return found[1]
        raise missing(kind, identifier, param=param, status=status)

    def emit(self, kind: str, resource: Resource, previous: Resource | None = None) -> None:
        """Tell that something happened to a resource: list an event, and send it."""
        content = {"object": resource}
        if previous:
            content["previous_attributes"] = previous
        moment = self.now()
        event = {
            "id": blank.identifier("event", account=self.account, moment=moment),
            "object": "event",
            "account": self.account,
            "api_version": stripe.api_version,
            "created": moment,
            "data": content,
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": self.request_id, "idempotency_key": self.idempotency_key},
            "type": kind,
        }
        if self.account == self.platform:
            del event["account"]
        self.save(event)
        if self.is_connected:
            self.outbox.add(self.account, event)
