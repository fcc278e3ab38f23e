"""The real sandbox for tests of the product: its own process, spoken to over HTTP only."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from common import stripe_api

ROOT = Path(__file__).parent.parent
KEY = "sk_test_sandbox"
PATIENCE_SECONDS = 60.0


class SandboxProcess:
    """A running sandbox: its address, and what a test makes happen in it."""

    def __init__(self, url: str) -> None:
        """Remember where it listens."""
        self.url = url

    def control(self, path: str, **values: Any) -> Any:
        """Make something happen that no API call can."""
        return self._ask("POST", f"/_control/{path}", json=values)

    def find(self, kind: str, name: str, account: str) -> Any:
        """Return an object of an account as Stripe would tell it."""
        return self._ask("GET", f"/v1/{kind}/{name}", headers={"Stripe-Account": account})

    def list(self, kind: str, account: str) -> Any:
        """Return a list of an account."""
        headers = {"Stripe-Account": account}
        return self._ask("GET", f"/v1/{kind}?limit=100", headers=headers)["data"]

    def _ask(self, verb: str, path: str, **more: Any) -> Any:
        response = requests.request(verb, self.url + path, auth=(KEY, ""), timeout=30, **more)
        assert response.ok, response.text
        return response.json()


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[SandboxProcess]:
    """Start the sandbox once; its events go nowhere."""
    with tempfile.TemporaryDirectory(prefix="almoner-sandbox-") as folder:
        command = [sys.executable, "-m", "sandbox", "--port", "0", "--data-dir", folder]
        command += ["--webhook-url", "http://127.0.0.1:9/", "--webhook-secret", "whsec_sandbox"]
        command += ["--secret-key", KEY, "--settle-seconds", "0"]
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ}, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        try:
            yield SandboxProcess(process.stdout.readline().split()[-1])
        finally:
            process.terminate()
            process.communicate(timeout=20)
    assert process.returncode == 0


@pytest.fixture
def sandbox_stripe(sandbox_process, settings, monkeypatch) -> Iterator[SandboxProcess]:
    """Send our calls to the sandbox, which is in order again after the test."""
    monkeypatch.setattr(stripe_api, "RETRIES_MAX", 0)
    # A machine that stands still for a while is no Stripe that fails: these calls have one try.
    monkeypatch.setattr(stripe_api, "READ_SECONDS", PATIENCE_SECONDS)
    sandbox_process.control("delivery", mode="drop")
    settings.STRIPE_API_BASE = sandbox_process.url
    stripe_api.client.cache_clear()
    yield sandbox_process
    sandbox_process.control("outage")
    stripe_api.client.cache_clear()
