"""The section `webhooks`: from a signed delivery over HTTP to the row and to the entry."""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import quantiles
from subprocess import CalledProcessError
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.utils import timezone

from bench.cluster import checkpoint
from bench.figures import Figures, seconds
from bench.gifts import INBOX, Giving, deliveries, renamed
from bench.load import Request, send
from bench.programs import NotInTime, Programs, programs, until
from bench.rivals.djstripe import DjStripe
from bench.rivals.environment import RIVALS, reason, rivals_python
from bench.scale import Scale
from ledger.models import Entry
from ledger.operations import BookOperation
from webhooks.models import StripeEvent, Worker

EMPTY = "/bench/empty"
ENTRIES_A_GIFT = 2
GIFTS_PER_SECOND = 100


def measure(scale: Scale, figures: Figures) -> None:
    """Measure the empty view, the inbox, dj-stripe's, and the way into the ledger, in turn."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        running = stack.enter_context(programs(folder))
        giving = Giving(running)
        port = running.start_web()
        rival = start_rival(scale, figures, running)
        for _ in range(scale.runs_http):
            giving.give(scale.gifts)
            events = giving.news()
            checkpoint()
            measure_stored(scale, figures, port, events)
            if rival:
                rival.measure(scale, figures, events)
            measure_booked(scale, figures, running, giving, deliveries(events))
            giving.give(scale.gifts)
            measure_steady(figures, running, giving.news())


def start_rival(scale: Scale, figures: Figures, running: Programs) -> DjStripe | None:
    """Start dj-stripe's site, or say why there is none."""
    python = rivals_python(settings.DATA_DIR / RIVALS, scale, figures)
    try:
        return DjStripe(running, python) if python else None
    except (NotInTime, CalledProcessError) as error:
        figures.skip("dj-stripe", f"it does not start ({reason(error)})")
        return None


def measure_stored(scale: Scale, figures: Figures, port: int, events: list[dict[str, Any]]) -> None:
    """Deliver the same load to the empty view and to the inbox, while no worker runs."""
    for path, name in ((EMPTY, "empty_view_per_s"), (INBOX, "webhook_stored_per_s")):
        for count in (scale.warm_up, scale.deliveries):
            fresh = renamed(events, count, uuid4().hex[:8])
            taken = load(scale, port, deliveries(fresh, path))
        figures.add(name, scale.deliveries / taken)


def load(scale: Scale, port: int, requests: list[Request]) -> float:
    """Send a load, and return its seconds."""
    secret = settings.STRIPE_WEBHOOK_SECRETS[0]
    return send(port, requests, connections=scale.connections, secret=secret).seconds


def measure_booked(
    scale: Scale, figures: Figures, running: Programs, giving: Giving, news: list[Request]
) -> None:
    """Deliver the events of new gifts while the worker runs, until all is in the ledger."""
    clear_queue()
    before, started_at = entries_of(giving), timezone.now()
    running.start_worker()
    until(lambda: Worker.objects.filter(seen_at__gt=started_at).exists())
    port = running.ports["web"]
    taken = seconds(lambda: (load(scale, port, news), until(is_drained)))
    running.stop("worker")
    booked = entries_of(giving) - before
    assert booked == scale.gifts * ENTRIES_A_GIFT, f"{booked} entries were booked"
    figures.add("webhook_booked_per_s", len(news) / taken)
    figures.add("gifts_booked_per_s", scale.gifts / taken)


def measure_steady(figures: Figures, running: Programs, events: list[dict[str, Any]]) -> None:
    """Deliver the events of new gifts at a steady pace; keep how long a slow one takes to book."""
    clear_queue()
    started_at = timezone.now()
    running.start_worker()
    until(lambda: Worker.objects.filter(seen_at__gt=started_at).exists())
    gifts = sum(event["type"] == "charge.succeeded" for event in events)
    per_second = GIFTS_PER_SECOND * len(events) / gifts
    secret, port = settings.STRIPE_WEBHOOK_SECRETS[0], running.ports["web"]
    send(port, deliveries(events), connections=4, secret=secret, per_second=per_second)
    until(is_drained)
    running.stop("worker")
    told = StripeEvent.objects.filter(received_at__gt=started_at)
    rows = told.values_list("received_at", "processed_at")
    slow = quantiles([(done - received).total_seconds() for received, done in rows if done], n=100)
    figures.add("booked_p99_at_100_gifts_per_s", slow[-1] * 1000, "ms")


def clear_queue() -> None:
    """Take out of the queue what was stored to be counted, now or in a run that was cut off."""
    waiting = StripeEvent.objects.filter(status=StripeEvent.Status.PENDING)
    waiting.update(status=StripeEvent.Status.IGNORED, note="stored to be counted")


def is_drained() -> bool:
    """Tell whether no event waits."""
    return not StripeEvent.objects.filter(status=StripeEvent.Status.PENDING).exists()


def entries_of(giving: Giving) -> int:
    """Return how many entries of gifts the organisation's book has; it also attests itself."""
    entries = Entry.objects.filter(organisation=giving.organisation)
    return entries.exclude(operation=BookOperation.BALANCE_ATTESTATION).count()
