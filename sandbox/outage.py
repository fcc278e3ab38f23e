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

    def refuse(self) -> None:
        """Raise what the API answers while it is down."""
        if self.until is not None and time.time() >= self.until:
            self.status = self.until = None
        if self.status == 429:  # noqa: PLR2004 - a status of HTTP
            raise StripeError(429, "Too many requests.", code="rate_limit")
        if self.status:
            raise StripeError(self.status, "The sandbox plays an outage.", type="api_error")
