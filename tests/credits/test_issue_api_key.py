"""Issuing keys on the command line."""

import json
from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from credits.operations import CREDITS
from ledger.operations import registered
from organisations.models import ApiKey
from tests.factories import DonationFactory


def issue(**options):
    """Run the command; return what it prints."""
    output = StringIO()
    call_command("issue_api_key", **options, stdout=output)
    [text] = output.getvalue().splitlines()
    return json.loads(text)


@pytest.mark.parametrize("by", ["slug", "id"])
def test_a_key_for_credits_works(organisation, by):
    told = issue(organisation=getattr(organisation, by), application="credits", scope="ledger")

    caller = Client(headers={"Authorization": f"Bearer {told['api_key']}"})
    assert told["organisation"] == organisation.id
    assert (told["application"], told["scope"]) == ("credits", "ledger")
    assert told["api_key"].startswith("sk_test_")
    assert ApiKey.objects.get().name == "From the command line"
    assert caller.get("/v1/ledger/ann").json()["balance"] == 0
    assert caller.get("/v1/donations").status_code == 403


def test_a_key_for_gifts_works(organisation):
    told = issue(organisation="lantern", application="donations", scope="donations")

    caller = Client(headers={"Authorization": f"Bearer {told['api_key']}"})
    assert caller.get("/v1/donations").status_code == 200


def test_a_key_for_refunds_works(organisation):
    gift = DonationFactory(organisation=organisation)
    told = issue(organisation="lantern", application="donations", scope="refunds")

    caller = Client(headers={"Authorization": f"Bearer {told['api_key']}"})
    assert caller.get(f"/v1/donations/{gift.id}/refunds").status_code == 200
    assert caller.get("/v1/donations").status_code == 403


OF_DONATIONS = r"^A key for gifts, refunds or webhooks belongs to the application donations\.$"


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"organisation": "nobody"}, "No organisation has the slug or id 'nobody'"),
        ({"application": "arcade"}, "named 'arcade' is installed here. There are: credits."),
        ({"application": "public"}, "There are: credits"),
        ({"scope": "refunds"}, OF_DONATIONS),
        ({"scope": "donations"}, OF_DONATIONS),
        ({"scope": "webhooks"}, OF_DONATIONS),
    ],
)
def test_a_key_that_would_open_nothing_is_not_issued(organisation, options, remedy):
    with pytest.raises(CommandError, match=remedy):
        issue(**{
            "organisation": "lantern", "application": "credits", "scope": "ledger", **options
        })  # fmt: skip

    assert not ApiKey.objects.exists()


def test_a_key_says_that_it_is_for_real_money(organisation, settings):
    settings.STRIPE_LIVEMODE = True

    told = issue(organisation="lantern", application="credits", scope="ledger")

    assert told["api_key"].startswith("sk_live_")


def test_every_application_is_named(organisation, monkeypatch):
    monkeypatch.setitem(registered, "arcade", replace(CREDITS, book="arcade"))

    with pytest.raises(CommandError, match=r"There are: arcade, credits\.$"):
        issue(organisation="lantern", application="casino", scope="ledger")
