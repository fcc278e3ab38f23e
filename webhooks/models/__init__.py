"""The inbox, and the processes that work it off."""

from webhooks.models.inbox import StripeEvent, StripeEventQuerySet
from webhooks.models.workers import Worker

__all__ = ["StripeEvent", "StripeEventQuerySet", "Worker"]
