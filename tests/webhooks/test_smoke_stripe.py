"""The walk against Stripe's test mode; here the sandbox stands in its place."""

from itertools import count

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from donations.services.promises import create_sandbox_account
from ledger.models import Entry
from tests.factories import OrganisationFactory
from tests.treasury.movements import check_sides
from webhooks import smoke
from webhooks.models import StripeEvent

pytestmark = pytest.mark.django_db(transaction=True)
OPERATIONS = {
    *("GENESIS", "DONATION_RECEIVED", "PROCESSING_FEE", "DONATION_REFUNDED"),
    *("DISPUTE_OPENED", "DISPUTE_FEE", "PAYOUT_SENT"),
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Look more often."""
    monkeypatch.setattr(smoke, "LOOK_SECONDS", 0.01)


@pytest.fixture(autouse=True)
def ask_at_once(monkeypatch):
    """Wait for no webhook: none comes from this sandbox."""
    monkeypatch.setattr(smoke, "ASK_AFTER", 0)


@pytest.fixture
def house(sandbox_stripe):
    """An organisation with an account at the sandbox."""
    account = create_sandbox_account(country="BE", currency="EUR")
    return OrganisationFactory(slug="lantern", stripe_account=account)


def walk(*options):
    call_command("smoke_stripe", "--organisation", "lantern", *options)


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
def test_the_whole_path_is_walked_and_said(sandbox_stripe, capsys, currency):
    account = create_sandbox_account(country="BE", currency=currency)
    house = OrganisationFactory(slug="lantern", currency=currency, stripe_account=account)

    walk()

    told = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in told[:-1]] == [
        "ok  Reading the account's past",
        "ok  Giving by card",
        "ok  Refunding half of a gift",
        "ok  Losing a dispute",
        "ok  Paying out by hand",
        "ok  Comparing ledger and balance",
    ]
    assert "Stripe had to be asked: no webhook came" in told[1]
    assert "and the book verifies" in told[5]
    assert set(Entry.objects.of(house).values_list("operation", flat=True)) == OPERATIONS
    assert set(StripeEvent.objects.values_list("status", flat=True)) == {"done"}
    check_sides(house)


def test_a_webhook_that_comes_is_noticed(house, monkeypatch):
    monkeypatch.setattr(smoke, "ASK_AFTER", 1)
    walking = smoke.Walk(house, wait_seconds=60)
    looks = count()

    def take_in() -> int:
        # What the door would have taken in by itself, at the second look.
        if next(looks):
            walking.catch_up()
        return 0

    monkeypatch.setattr(smoke, "drain_due", take_in)

    assert "a webhook told it" in walking.give()


@pytest.mark.parametrize("key", ["sk_live_x", "rk_live_x", "pk_test_x", ""])
def test_nothing_runs_with_a_key_that_is_not_of_the_test_mode(house, settings, key):
    settings.STRIPE_SECRET_KEY = key

    with pytest.raises(CommandError, match="This moves money"):
        walk()

    assert not StripeEvent.objects.exists()


def test_a_step_that_fails_is_named(house, sandbox_stripe):
    sandbox_stripe.control("outage", status=500)

    with pytest.raises(CommandError, match="Reading the account's past: Stripe does not answer"):
        walk()


def test_what_stripe_refuses_is_said(house, monkeypatch):
    monkeypatch.setattr(smoke, "CARD", "pm_card_chargeDeclined")

    with pytest.raises(CommandError, match=r"Giving by card: .*declined"):
        walk()


def test_what_does_not_come_to_pass_is_said(house, monkeypatch):
    monkeypatch.setattr(smoke, "DISPUTED", "pm_card_visa")

    with pytest.raises(CommandError, match="Losing a dispute: What a step did is not in the"):
        walk("--wait", "0.1")


def test_a_book_that_does_not_verify_fails(house, monkeypatch):
    class Broken:
        verdict, finding = "TAMPERED", "Entry 3 was altered."

    monkeypatch.setattr(smoke, "audit_book", lambda *_: Broken)

    with pytest.raises(CommandError, match="does not verify: Entry 3 was altered"):
        walk()
