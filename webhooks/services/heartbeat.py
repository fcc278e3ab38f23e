"""Whether a worker is alive: each says so every few seconds."""

from datetime import datetime, timedelta

from django.db.models import Max
from django.utils import timezone

from webhooks.models import Worker

FORGOTTEN_AFTER = timedelta(days=1)


def say_alive(name: str, *, every: timedelta) -> None:
    """Note that a worker lives, unless it said so a moment ago."""
    now = timezone.now()
    if Worker.objects.filter(name=name, seen_at__gt=now - every).exists():
        return
    Worker.objects.update_or_create(name=name, defaults={"seen_at": now})
    Worker.objects.filter(seen_at__lt=now - FORGOTTEN_AFTER).delete()


def worker_seen_at() -> datetime | None:
    """Return when the liveliest worker was last seen."""
    seen_at: datetime | None = Worker.objects.aggregate(seen_at=Max("seen_at"))["seen_at"]
    return seen_at
