"""The worker process: drains the inbox, tells subscribers, runs every other background job."""

import asyncio
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
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
from webhooks.services.draining import drain_due
from webhooks.services.heartbeat import say_alive, worker_seen_at
from webhooks.services.sending import Sender
from webhooks.services.telling import tell_entries
from webhooks.tasks import backfill_events

logger = logging.getLogger("almoner.worker")
IDLE_SECONDS = 0.2
RESTART_SECONDS = 1
HEARTBEAT = timedelta(seconds=5)
OUTAGE = timedelta(minutes=2)


class Command(BaseCommand):
    """Works until SIGTERM or Ctrl-C, finishing what it holds."""

    help = "Drain the inbox of Stripe's events, tell subscribers, and run background jobs."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the drain and the sending in threads beside procrastinate's worker."""
        catch_up()
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        threads = [
            threading.Thread(target=run, args=(stopping,)) for run in (run_drain, run_sending)
        ]
        for thread in threads:
            thread.start()
        try:
            asyncio.run(run_jobs(stopping))
        finally:
            stopping.set()
            for thread in threads:
                thread.join()


def catch_up() -> None:
    """Have missed events asked for, where no worker has lived for a while."""
    seen_at = worker_seen_at()
    if seen_at and seen_at < timezone.now() - OUTAGE:
        # Another worker that starts has asked already.
        with suppress(AlreadyEnqueued):
            app.configure_task(backfill_events.name, queueing_lock="catch up").defer(timestamp=0)


def run_drain(stopping: threading.Event) -> None:
    """Drain until told to stop."""

    def work() -> int:
        say_alive(worker_name(), every=HEARTBEAT)
        return drain_due()

    repeat(work, stopping, "the drain pauses")
    connection.close()


def run_sending(stopping: threading.Event) -> None:
    """Tell subscribers what happens, until told to stop."""
    with Sender() as sender:
        repeat(lambda: tell_entries() + sender.work(), stopping, "the sending pauses")
    connection.close()


def repeat(work: Callable[[], int], stopping: threading.Event, when_it_fails: str) -> None:
    """
    Work until told to stop, and rest where nothing was done.

    A database that is away for a while is waited for.
    """
    while not stopping.is_set():
        try:
            is_idle = work() == 0
        except Exception as error:  # whatever it is, the thread must not die of it
            logger.error(when_it_fails, extra={"reason": in_words(error)})
            close_old_connections()
            is_idle = True
        if is_idle:
            stopping.wait(IDLE_SECONDS)


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
