"""dj-stripe's inbox on the same web server, beside ours."""

import os
import secrets
import subprocess
from typing import Any
from uuid import uuid4

from bench.cluster import rival_url
from bench.figures import Figures
from bench.gifts import deliveries, renamed
from bench.load import LoadFailed, send
from bench.programs import ROOT, Programs
from bench.scale import Scale

SITE = "bench.rivals.djstripe_site"
MODES = {"later": "djstripe_stored_per_s", "at-once": "djstripe_event_per_s"}
# A type that dj-stripe does not handle: for others it asks Stripe for more than our sandbox knows.
UNHANDLED = "balance.available"


class DjStripe:
    """Sites with nothing but dj-stripe on them: one that stores, one that handles at once."""

    def __init__(self, running: Programs, python: str) -> None:
        """Start them, with their tables and their endpoint."""
        self.secret = f"whsec_{secrets.token_hex(16)}"
        environment = {
            "RIVAL_DATABASE_URL": rival_url("bench_djstripe"),
            **{
                name: running.environment[name] for name in ("STRIPE_API_BASE", "STRIPE_SECRET_KEY")
            },
        }
        prepared = subprocess.run(  # noqa: S603 - our own program
            [python, "-m", SITE, self.secret],
            cwd=ROOT,
            env={**os.environ, **environment},
            check=True,
            capture_output=True,
            text=True,
        )
        self.path = f"/webhook/{prepared.stdout.strip()}/"
        self.ports = {
            mode: running.start_web(
                mode, f"{SITE}:application", python, **environment, RIVAL_MODE=mode
            )
            for mode in MODES
        }

    def measure(self, scale: Scale, figures: Figures, events: list[dict[str, Any]]) -> None:
        """Deliver the load that the inbox had."""
        for mode, figure in MODES.items():
            if mode == "at-once":
                events = [event | {"type": UNHANDLED} for event in events]
            for count in (scale.warm_up, scale.deliveries):
                requests = deliveries(renamed(events, count, uuid4().hex[:8]), self.path)
                port, connections = self.ports[mode], scale.connections
                try:
                    taken = send(port, requests, connections=connections, secret=self.secret)
                except LoadFailed as error:
                    figures.skip(figure, str(error))
                    break
            else:
                figures.add(figure, scale.deliveries / taken.seconds)
