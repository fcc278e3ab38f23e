"""A process that is killed between Stripe's refund and its answer: one refund, found by another."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from django.utils import timezone

from donations.models import RefundRequest
from donations.services.refunding import ask_due
from tests.donations.refunds import settled_gift
from tests.sandbox_fixtures import ROOT
from tests.webhooks.programs import until

ASK = """
from donations.models import Donation
from tests.donations.refunds import refunded
refunded(Donation.objects.get(), amount=2000)
"""


@contextmanager
def holding_back(url: str) -> Iterator[tuple[str, threading.Event]]:
    """Pass on what is posted to Stripe, and keep every answer; tell when one was kept."""
    kept, over = threading.Event(), threading.Event()

    class Holder(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name: it for name, it in self.headers.items() if name != "Host"}
            requests.post(url + self.path, data=body, headers=headers, timeout=30)
            kept.set()
            over.wait()

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Holder) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", kept
        finally:
            over.set()
            server.shutdown()
            thread.join()


@pytest.mark.django_db(transaction=True)
def test_a_refund_whose_process_was_killed_is_found(sandbox_stripe, organisation, monkeypatch):
    gift = settled_gift(sandbox_stripe, organisation)
    with holding_back(sandbox_stripe.url) as (url, kept):
        monkeypatch.setenv("STRIPE_API_BASE", url)
        process = subprocess.Popen([sys.executable, "manage.py", "shell", "-c", ASK], cwd=ROOT)
        until(kept.is_set)
        process.kill()
        process.wait()
    refund = RefundRequest.objects.get()
    assert (refund.status, refund.stripe_refund) == ("sent", "")

    RefundRequest.objects.update(next_attempt_at=timezone.now())
    assert ask_due(limit=5) == 1

    refund.refresh_from_db()
    [made] = sandbox_stripe.list("refunds", gift.organisation.stripe_account)
    assert (refund.status, refund.stripe_refund, made["amount"]) == ("succeeded", made["id"], 2000)
