"""The worker process: drains the inbox, and runs every other background job."""

import logging
import os
import socket
import threading
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections
from procrastinate.contrib.django import app

from webhooks.services.draining import drain_due
from webhooks.services.heartbeat import say_alive

logger = logging.getLogger("almoner.worker")
IDLE_SECONDS = 0.2
HEARTBEAT = timedelta(seconds=5)


class Command(BaseCommand):
    """Works until SIGTERM or Ctrl-C, finishing what it holds."""

    help = "Drain the inbox of Stripe's events and run background jobs."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the drain in a thread beside procrastinate's worker, which handles the signals."""
        stopping = threading.Event()
        drain = threading.Thread(target=run_drain, args=(stopping,), name="drain")
        drain.start()
        try:
            with app.replace_connector(app.connector.get_worker_connector()) as worker:
                worker.run_worker(name=worker_name(), listen_notify=False, delete_jobs="successful")
        finally:
            stopping.set()
            drain.join()


def run_drain(stopping: threading.Event) -> None:
    """Drain until told to stop; a database that is away for a while is waited for."""
    while not stopping.is_set():
        try:
            say_alive(worker_name(), every=HEARTBEAT)
            is_idle = drain_due() == 0
        except DatabaseError:
            logger.exception("the drain waits for the database")
            close_old_connections()
            is_idle = True
        if is_idle:
            stopping.wait(IDLE_SECONDS)


def worker_name() -> str:
    """Return what tells this process from the others."""
    return f"{socket.gethostname()}:{os.getpid()}"
