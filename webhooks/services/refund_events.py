"""What events say of refunds that were asked for here. One that fails is told under two names."""

from collections.abc import Callable
from typing import Any

from donations.services.refunding import Told, learn_refund
from webhooks.models import StripeEvent


def refund_told(event: StripeEvent, refund: dict[str, Any]) -> None:
    """Let the refund that an event is about know; those made elsewhere are none of ours."""
    assert event.organisation
    learn_refund(organisation=event.organisation, told=Told.by(refund))


HANDLERS: dict[str, Callable[[StripeEvent, dict[str, Any]], None]] = dict.fromkeys(
    ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated"), refund_told
)
