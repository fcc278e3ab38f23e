"""Events that never arrived: asked for at Stripe, into the same inbox."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone
from stripe.params import _webhook_endpoint_create_params

from common.errors import TryAgainLater
from common.stripe_api import StripeRefused
from donations.models import Donation
from ledger.models import Entry
from tests.factories import ApplicantFactory, DonationFactory, OrganisationFactory
from tests.stripe_resources import charge, transaction
from tests.webhooks.messages import CLIENT_SECRET, deliver, event
from treasury.models import StripeReading
from webhooks.errors import InvalidEvent
from webhooks.management.commands import worker
from webhooks.models import Backfill, StripeEvent, Worker
from webhooks.services.backfilling import backfill
from webhooks.services.draining import drain_due
from webhooks.services.event_types import WANTED
from webhooks.tasks import backfill_events

JOBS = "SELECT task_name FROM procrastinate_jobs"


def ended(gift, **more):
    """Return the event that tells that a gift's page has expired."""
    session = {"id": "cs_1", "object": "checkout.session", "client_reference_id": gift.id}
    return event("checkout.session.expired", data={"object": session}, **more)


def asked_since(server):
    return [path.partition("created%5Bgte%5D=")[2] for path in server.asked if "/events" in path]


def test_what_did_not_arrive_is_taken_in_and_acted_on(stripe_account, organisation):
    gift = DonationFactory(organisation=organisation)
    stripe_account.put("events", ended(gift), event())

    assert backfill(organisation=organisation) == 2
    drain_due()

    assert Donation.objects.get().status == "expired"
    assert set(StripeEvent.objects.values_list("status", flat=True)) == {"done"}


def test_what_arrived_is_not_taken_in_again(stripe_account, organisation):
    known = event()
    deliver(known)
    stripe_account.put("events", known)

    assert backfill(organisation=organisation) == 0
    assert backfill(organisation=organisation) == 0

    assert StripeEvent.objects.count() == 1
    assert deliver(known).status_code == 200


def test_an_event_is_the_accounts_that_was_asked_and_is_kept_without_secrets(
    stripe_account, organisation
):
    told = event()
    del told["account"]
    stripe_account.put("events", told)

    backfill(organisation=organisation)

    kept = StripeEvent.objects.get()
    assert (kept.account, kept.organisation) == ("acct_1", organisation)
    assert CLIENT_SECRET not in str(kept.payload)


def test_all_pages_are_read(stripe_server, stripe_account, organisation):
    stripe_account.put("events", *(event() for _ in range(101)))

    assert backfill(organisation=organisation) == 101

    assert len(stripe_server.asked) == 2


def test_the_next_time_begins_an_hour_before_the_last(stripe_server, stripe_account, organisation):
    backfill(organisation=organisation)
    until = Backfill.objects.get().until
    backfill(organisation=organisation)

    assert asked_since(stripe_server) == ["", str(int((until - timedelta(hours=1)).timestamp()))]
    assert Backfill.objects.get().until > until
    assert str(Backfill.objects.get()) == organisation.id


@pytest.mark.parametrize("trouble", ["500", "429", "half an object"])
def test_one_that_is_cut_off_begins_again(stripe_server, stripe_account, organisation, trouble):
    stripe_account.put("events", event())
    stripe_server.trouble = trouble
    with pytest.raises(TryAgainLater):
        backfill(organisation=organisation)
    stripe_server.trouble = ""

    assert not Backfill.objects.exists()
    assert backfill(organisation=organisation) == 1


def test_what_is_no_event_is_refused(stripe_account, organisation):
    stripe_account.put("events", {**event(), "type": 5})

    with pytest.raises(InvalidEvent):
        backfill(organisation=organisation)

    assert not Backfill.objects.exists()


def test_events_that_nothing_is_done_about_stay_where_they_are(stripe_account, organisation):
    others = ("customer.created", "invoice.finalized", "payment_method.attached")
    stripe_account.put("events", *map(event, others), event("payout.paid"))

    assert backfill(organisation=organisation) == 1

    assert StripeEvent.objects.get().type == "payout.paid"


def test_operators_subscribe_to_what_is_asked_for_and_stripe_has_it():
    documented = Path("docs/stripe-events.md").read_text("utf-8")
    rows = [line for line in documented.splitlines() if line.startswith("| ")]
    stripes = Path(_webhook_endpoint_create_params.__file__).read_text("utf-8")

    listed = [name for row in rows for name in re.findall(r"`([a-z_.]+)`", row)]

    assert sorted(listed) == sorted(WANTED)
    assert set(re.findall(r'"([a-z_.]+)"', stripes)) >= WANTED


def test_every_hour_all_accounts_are_asked_whatever_becomes_of_one(
    stripe_server, organisation, caplog
):
    OrganisationFactory(stripe_account=None)
    ApplicantFactory(stripe_account="acct_applied")
    other = OrganisationFactory(stripe_account="acct_2")
    stripe_server.accounts["acct_2"].put("events", event(account="acct_2"))

    backfill_events(timestamp=0)

    assert StripeEvent.objects.get().organisation == other
    [refused] = [record for record in caplog.records if record.message == "backfill postponed"]
    assert refused.organisation == organisation.id


# After an outage of the worker


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("silent_for", "jobs"),
    [(None, 0), (timedelta(seconds=30), 0), (timedelta(minutes=3), 1)],
)
def test_a_worker_that_starts_after_an_outage_asks_once(superuser_connection, silent_for, jobs):
    if silent_for:
        Worker.objects.create(name="old", seen_at=timezone.now() - silent_for)

    for _ in range(2):
        worker.catch_up()

    names = [name for (name,) in superuser_connection.execute(JOBS).fetchall()]
    assert names == ["webhooks.tasks.backfill_events"] * jobs


# The command


def test_the_command_asks_for_events_and_sweeps(stripe_account, organisation, capsys):
    stripe_account.put("events", event())
    stripe_account.put("balance_transactions", transaction("charge", 5000, source=charge()))

    call_command("sweep_stripe")
    call_command("sweep_stripe", "--organisation", organisation.id, "--since", "2026-01-31")

    told = capsys.readouterr().out.splitlines()
    assert told == [
        f'{{"organisation": "{organisation.slug}", "events": 1, "booked": 1}}',
        f'{{"organisation": "{organisation.slug}", "events": 0, "booked": 0}}',
    ]


def test_the_command_opens_a_book_on_a_day(stripe_account, organisation, capsys):
    stripe_account.put("balance_transactions", transaction("charge", 5000, source=charge()))

    call_command("sweep_stripe", "--organisation", organisation.slug, "--opening-on", "2026-11-01")
    with pytest.raises(CommandError, match="1 of them could not be swept"):
        call_command(
            "sweep_stripe", "--organisation", organisation.slug, "--opening-on", "2026-11-02"
        )

    told = capsys.readouterr().out.splitlines()
    assert "in the book already" in told[1]
    opening = Entry.objects.of(organisation).get(sequence=1)
    assert (opening.operation, opening.amount) == ("EXTERNAL_ACTIVITY", 5000)
    assert opening.metadata == {"opening": True}
    assert f"{StripeReading.objects.get().opened_at:%d %b}" == "01 Nov"


def test_the_command_goes_on_with_the_others_and_says_what_failed(
    stripe_server, organisation, capsys
):
    other = OrganisationFactory(stripe_account="acct_2")
    stripe_server.accounts["acct_2"].put("events", event(account="acct_2"))

    with pytest.raises(CommandError, match="1 of them could not be swept"):
        call_command("sweep_stripe")

    told = capsys.readouterr().out
    assert f'"{organisation.slug}", "error": "{StripeRefused("Stripe refused: ")}' in told
    assert f'"{other.slug}", "events": 1, "booked": 0' in told


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        (["--organisation", "nobody"], "No approved organisation .* 'nobody'"),
        (["--opening-on", "2026-01-01"], "add --organisation"),
        (["--since", "31.1.2026"], "invalid day value: '31.1.2026'"),
    ],
)
def test_the_command_says_what_is_wrong(db, options, remedy):
    with pytest.raises(CommandError, match=remedy):
        call_command("sweep_stripe", *options)
