"""The worker process: drains the inbox, and runs every other background job."""

import asyncio
import logging
import os
import signal
import socket
import threading
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections, connection
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import AlreadyEnqueued

from common.errors import in_words
from credits.tasks import BATCH_MAX, grant_due
from webhooks.services.draining import drain_due
from webhooks.services.heartbeat import say_alive, worker_seen_at
from webhooks.tasks import backfill_events

logger = logging.getLogger("almoner.worker")
IDLE_SECONDS = 0.2
RESTART_SECONDS = 1
HEARTBEAT = timedelta(seconds=5)
OUTAGE = timedelta(minutes=2)


class Command(BaseCommand):
    """Works until SIGTERM or Ctrl-C, finishing what it holds."""

    help = "Drain the inbox of Stripe's events and run background jobs."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the drain in a thread beside procrastinate's worker."""
        catch_up()
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        drain = threading.Thread(target=run_drain, args=(stopping,), name="drain")
        drain.start()
        try:
            asyncio.run(run_jobs(stopping))
        finally:
            stopping.set()
            drain.join()


def catch_up() -> None:
    """Have missed events asked for, where no worker has lived for a while."""
    seen_at = worker_seen_at()
    if seen_at and seen_at < timezone.now() - OUTAGE:
        # Another worker that starts has asked already.
        with suppress(AlreadyEnqueued):
            app.configure_task(backfill_events.name, queueing_lock="catch up").defer(timestamp=0)


def run_drain(stopping: threading.Event) -> None:
    """
    Drain, and write what gifts grant, until told to stop.

    A database that is away for a while is waited for.
    """
    while not stopping.is_set():
        try:
            say_alive(worker_name(), every=HEARTBEAT)
            is_idle = drain_due() == 0
            if not is_idle:
                grant_due(limit=BATCH_MAX)
        except Exception as error:  # whatever it is, the thread must not die of it
            logger.error("the drain pauses", extra={"reason": in_words(error)})
            close_old_connections()
            is_idle = True
        if is_idle:
            stopping.wait(IDLE_SECONDS)
    connection.close()


async def run_jobs(stopping: threading.Event) -> None:
    """Run background jobs until told to stop; procrastinate ends when the database is away."""
    stopped = asyncio.create_task(asyncio.to_thread(stopping.wait))
    while not stopped.done():
        jobs = asyncio.create_task(_work_off_jobs())
        await asyncio.wait([jobs, stopped], return_when=asyncio.FIRST_COMPLETED)
        jobs.cancel()
        [outcome] = await asyncio.gather(jobs, return_exceptions=True)
        if not stopped.done():
            logger.error("background jobs pause", extra={"reason": repr(outcome)})
            await asyncio.wait([stopped], timeout=RESTART_SECONDS)


async def _work_off_jobs() -> None:
    assert isinstance(app.connector, DjangoConnector)
    with app.replace_connector(app.connector.get_worker_connector()) as jobs:
        async with jobs.open_async():
            await jobs.run_worker_async(
                name=worker_name(),
                # A long audit at night holds up no sweep, and both no sealing.
                concurrency=3,
                listen_notify=False,
                delete_jobs="successful",
                install_signal_handlers=False,
            )


def worker_name() -> str:
    """Return what tells this process from the others."""
    return f"{socket.gethostname()}:{os.getpid()}"
