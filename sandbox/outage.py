"""Lets the API be down for a while, when a test or the demo asks for it."""

import time
from dataclasses import dataclass

from sandbox.errors import StripeError, invalid

_STATUSES = (429, 500)


@dataclass
class Outage:
    """Whether the API answers at all: not until a moment, or not until it is lifted."""

    status: int | None = None
    until: float | None = None

    def begin(self, status: int | None, seconds: float | None) -> None:
        """Answer with this status from now on; `None` for both lifts the outage."""
        if status is None and seconds is not None:
            status = 500
        if status not in (None, *_STATUSES):
            raise invalid("Invalid status: must be one of 429, 500", param="status")
        self.status = status
        self.until = None if seconds is None else time.time() + seconds

    @property
    def is_on(self) -> bool:
        """Return whether the API is down; an outage whose time is over ends now."""
        if self.until is not None and time.time() >= self.until:
            self.status = self.until = None
        return self.status is not None

    def refuse(self) -> None:
        """Raise what the API answers while it is down."""
        if not self.is_on:
            return
        if self.status == 429:  # noqa: PLR2004 - a status of HTTP
            raise StripeError(429, "Too many requests.", code="rate_limit")
        raise StripeError(self.status or 500, "The sandbox plays an outage.", type="api_error")
