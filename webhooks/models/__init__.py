"""The inbox, and the processes that work it off."""

from webhooks.models.backfills import Backfill
from webhooks.models.inbox import StripeEvent, StripeEventQuerySet
from webhooks.models.workers import Worker

__all__ = ["Backfill", "StripeEvent", "StripeEventQuerySet", "Worker"]
