"""Stripe's own command-line client, a second client beside the Python library."""

import json
import os
import shutil
import subprocess

import pytest

from tests.sandbox.running import SECRET_KEY
from tests.sandbox.shape_check import faults

CLI = os.environ.get("STRIPE_CLI") or shutil.which("stripe")

pytestmark = pytest.mark.skipif(
    not CLI, reason="Stripe's CLI is not here: put `stripe` on PATH or set STRIPE_CLI"
)


@pytest.fixture
def ask(sandbox, account, tmp_path):
    def run(*words):
        place = ["--api-base", sandbox.url, "--api-key", SECRET_KEY, "--stripe-account", account]
        environment = {
            "HOME": str(tmp_path),
            "XDG_CONFIG_HOME": str(tmp_path),
            "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
            "NO_PROXY": "127.0.0.1",
            "HTTPS_PROXY": "http://127.0.0.1:9",
        }
        done = subprocess.run(
            [CLI, *words, *place],
            check=False,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    return run


def test_the_cli_takes_a_payment_and_gives_it_back(sandbox, account, ask):
    intent = ask(
        "payment_intents",
        "create",
        "--amount=2500",
        "--currency=eur",
        "--payment-method=pm_card_visa",
        "--confirm=true",
    )
    sandbox.flush()
    refund = ask("refunds", "create", f"--charge={intent['latest_charge']}", "--amount=500")
    movements = ask("get", "/v1/balance_transactions", "-d", "expand[]=data.source")

    assert (intent["status"], refund["amount"]) == ("succeeded", 500)
    assert [row["source"]["object"] for row in movements["data"]] == ["refund", "charge"]
    assert faults(intent) + faults(refund) + faults(movements) == []


def test_the_cli_is_told_what_it_did_wrong(ask):
    refused = ask("payment_intents", "create", "--amount=1", "--currency=eur")

    assert refused["error"]["code"] == "amount_too_small"
