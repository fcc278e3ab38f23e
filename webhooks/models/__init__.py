"""The inbox, what subscribers are told, and the processes that work both off."""

from webhooks.models.backfills import Backfill
from webhooks.models.inbox import StripeEvent, StripeEventQuerySet
from webhooks.models.messages import Attempt, Delivery, Message
from webhooks.models.subscribers import (
    DESCRIPTION_LENGTH_MAX,
    OF_ENTRIES,
    REASON_LENGTH_MAX,
    TEST,
    BookReading,
    Endpoint,
    EndpointQuerySet,
    EndpointSecret,
    Topic,
)
from webhooks.models.workers import Worker

__all__ = [
    "DESCRIPTION_LENGTH_MAX",
    "OF_ENTRIES",
    "REASON_LENGTH_MAX",
    "TEST",
    "Attempt",
    "Backfill",
    "BookReading",
    "Delivery",
    "Endpoint",
    "EndpointQuerySet",
    "EndpointSecret",
    "Message",
    "StripeEvent",
    "StripeEventQuerySet",
    "Topic",
    "Worker",
]
