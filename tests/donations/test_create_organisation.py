"""Setting up an organisation on the command line."""

import json
from io import StringIO
from urllib.parse import unquote

import pytest
import stripe
from django.core.management import CommandError, call_command
from django.test import Client

from ledger.models import Book
from organisations.models import ApiKey, Organisation
from tests.api.conftest import StandIn
from tests.factories import OrganisationFactory

LANTERN = {"name": "Lantern", "slug": "lantern", "country": "BE", "currency": "EUR"}
pytestmark = pytest.mark.django_db


def create(**options) -> dict[str, str | None]:
    """Run the command; return what it prints."""
    output = StringIO()
    call_command("create_organisation", **{**LANTERN, **options}, stdout=output)
    [text] = output.getvalue().splitlines()
    return json.loads(text)


@pytest.fixture
def sandbox(settings, monkeypatch) -> StandIn:
    """The sandbox, in as far as it opens accounts."""
    settings.USES_STRIPE_SANDBOX, settings.STRIPE_API_BASE = True, "http://localhost:9"
    stand_in = StandIn()
    client = stripe.StripeClient("sk_test_x", http_client=stand_in, max_network_retries=0)
    monkeypatch.setattr("donations.services.promises.client", lambda: client)
    return stand_in


def test_one_json_object_tells_what_was_made():
    printed = create(stripe_account="acct_1")

    organisation = Organisation.objects.get()
    assert printed == {
        "id": organisation.id,
        "slug": "lantern",
        "stripe_account": "acct_1",
        "api_key": None,
        "credits_api_key": None,
    }
    assert organisation.status == "applied"


def test_the_operator_approves_and_gets_keys_that_work(client):
    printed = create(approve=True, with_api_key=True)

    key = ApiKey.objects.get(application="donations")
    credits_key = ApiKey.objects.get(application="credits")
    caller = Client(headers={"Authorization": f"Bearer {printed['api_key']}"})
    assert (key.scopes, credits_key.scopes) == (["donations"], ["ledger"])
    assert printed["credits_api_key"].startswith(credits_key.prefix)
    assert printed["stripe_account"] is None
    assert caller.get("/v1/donations").json()["results"] == []
    assert client.get("/v1/public/organisations/lantern").status_code == 200
    assert Book.objects.get().size == 1


def test_the_sandbox_opens_an_account(sandbox):
    printed = create()

    assert printed["stripe_account"] == "acct_new0"
    assert "country=BE" in sandbox.asked[0]["body"]
    assert "business_profile[name]=Lantern" in unquote(sandbox.asked[0]["body"])


def test_an_account_that_is_named_is_not_opened(sandbox):
    assert create(stripe_account="acct_1")["stripe_account"] == "acct_1"
    assert sandbox.asked == []


def test_a_sandbox_that_does_not_answer_leaves_nothing(sandbox):
    sandbox.status = 500

    with pytest.raises(CommandError, match="Try again"):
        create()

    assert not Organisation.objects.exists()


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"slug": "Lantern House"}, "use a-z, 0-9"),
        ({"slug": "x" * 61}, "at most 60"),
        ({"name": "x" * 121}, "at most 120"),
        ({"name": ""}, "cannot be blank"),
        ({"country": "be"}, "such as BE"),
        ({"country": "BEL"}, "such as BE"),
        ({"currency": "eur"}, "such as EUR"),
        ({"currency": "XXX"}, "such as EUR"),
        ({"stripe_account": "ca_1"}, "begin acct_"),
        ({"slug": "taken"}, "choose another"),
        ({"stripe_account": "acct_taken"}, "belongs to another"),
    ],
)
def test_what_cannot_be_is_refused_with_a_remedy(options, remedy):
    OrganisationFactory(slug="taken", stripe_account="acct_taken")

    with pytest.raises(CommandError, match=remedy):
        create(**options)

    assert Organisation.objects.count() == 1
    assert not ApiKey.objects.exists()
