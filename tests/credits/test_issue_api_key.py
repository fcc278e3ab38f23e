"""Issuing keys on the command line."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from organisations.models import ApiKey


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
    assert caller.get("/v1/ledger/ann").json()["balance"] == 0
    assert caller.get("/v1/donations").status_code == 403


def test_a_key_for_gifts_works(organisation):
    told = issue(organisation="lantern", application="donations", scope="donations")

    caller = Client(headers={"Authorization": f"Bearer {told['api_key']}"})
    assert caller.get("/v1/donations").status_code == 200


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"organisation": "nobody"}, "No organisation has the slug or id 'nobody'"),
        ({"application": "arcade"}, "named 'arcade' is installed here. There are: credits."),
        ({"application": "public"}, "There are: credits"),
        ({"scope": "donations"}, "belongs to the application donations"),
    ],
)
def test_a_key_that_would_open_nothing_is_not_issued(organisation, options, remedy):
    with pytest.raises(CommandError, match=remedy):
        issue(**{
            "organisation": "lantern", "application": "credits", "scope": "ledger", **options
        })  # fmt: skip

    assert not ApiKey.objects.exists()
