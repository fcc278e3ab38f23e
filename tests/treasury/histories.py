"""Accounts on which much moved before anybody swept them."""

from datetime import UTC, datetime
from typing import Any

from organisations.models import Organisation
from tests.stripe_resources import MORNING, transaction
from treasury.models import StripeReading

DAY = 86_400
NOON = datetime.fromtimestamp(MORNING, UTC)


def fees(count: int, *, every: int = DAY, **more: Any) -> list[dict[str, Any]]:
    """Return movements of one cent, one after the other."""
    moments = range(MORNING, MORNING + every * count, every) if every else [MORNING] * count
    return [transaction("fee", -1, created=moment, **more) for moment in moments]


def state_of(organisation: Organisation) -> StripeReading:
    """Return how reading an account goes."""
    return StripeReading.objects.get(organisation=organisation)
