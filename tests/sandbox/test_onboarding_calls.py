"""How accounts come to the platform: account links, OAuth, requirements, and the way out."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
import stripe

from sandbox import account_links, oauth
from sandbox.accounts import ASKED_FIRST
from tests.sandbox.running import SECRET_KEY, Sandbox
from tests.sandbox.shape_check import faults

CONTROLLER = {
    "fees": {"payer": "account"},
    "losses": {"payments": "stripe"},
    "requirement_collection": "stripe",
    "stripe_dashboard": {"type": "full"},
}
URLS = {"return_url": "http://127.0.0.1:1/back", "refresh_url": "http://127.0.0.1:1/again"}
ASKED = {
    "client_id": "ca_sandbox",
    "response_type": "code",
    "scope": "read_write",
    "state": "s1",
    "redirect_uri": "http://127.0.0.1:1/return",
}


@pytest.fixture
def opened(sandbox: Sandbox) -> str:
    """An account that has to be filled in."""
    return sandbox.v1.accounts.create({"country": "BE", "controller": CONTROLLER}).id


@pytest.fixture
def connect(sandbox: Sandbox) -> stripe.StripeClient:
    """The library with both of its addresses at the sandbox."""
    addresses = {"api": sandbox.url, "connect": sandbox.url}
    return stripe.StripeClient(SECRET_KEY, base_addresses=addresses, max_network_retries=0)


def link(sandbox, account, **changes):
    asked = {"account": account, "type": "account_onboarding", **URLS, **changes}
    return sandbox.v1.account_links.create(asked)


def send(url, **fields):
    return requests.post(url, data=fields, allow_redirects=False, timeout=10)


def read(sandbox, account):
    return sandbox.v1.accounts.retrieve_current(None, {"stripe_account": account})


def authorize(sandbox, decision="connect", asked=ASKED, **fields):
    url = f"{sandbox.url}/oauth/authorize?{urlencode(asked)}"
    return send(url, decision=decision, **fields)


def told_in(response):
    assert response.status_code == 303, response.text
    url = urlsplit(response.headers["Location"])
    return {name: texts[0] for name, texts in parse_qs(url.query).items()}


def test_an_account_that_stripe_asks_may_not_charge_before_it_has_answered(sandbox, opened):
    account = read(sandbox, opened)

    assert (account.charges_enabled, account.payouts_enabled) == (False, False)
    assert not account.details_submitted
    assert account.requirements.currently_due == ASKED_FIRST
    assert account.requirements.disabled_reason == "requirements.past_due"
    assert set(account.capabilities.to_dict().values()) == {"inactive"}
    assert faults(account.to_dict(for_json=True)) == []


def test_who_answers_everything_may_charge_and_is_told_of_by_events(sandbox, opened):
    made = link(sandbox, opened)
    assert faults(made.to_dict(for_json=True)) == []
    assert "company.tax_id" in requests.get(made.url, timeout=10).text

    back = send(made.url, fields=ASKED_FIRST)

    assert back.headers["Location"] == URLS["return_url"]
    account = read(sandbox, opened)
    assert (account.charges_enabled, account.details_submitted) == (True, True)
    assert account.requirements.currently_due == []
    assert account.external_accounts.total_count == 1
    sandbox.flush()
    events = sandbox.receiver.of(opened)
    assert {event.type for event in events} == {"account.updated", "capability.updated"}
    assert [faults(event.to_dict(for_json=True)) for event in events] == [[]] * 3


def test_what_is_left_out_stays_due_and_the_next_link_asks_for_it(sandbox, opened):
    some = [field for field in ASKED_FIRST if field != "company.tax_id"]
    send(link(sandbox, opened).url, fields=some)
    assert read(sandbox, opened).requirements.past_due == ["company.tax_id"]

    send(link(sandbox, opened).url, fields="company.tax_id")

    assert read(sandbox, opened).charges_enabled
    assert "Nothing is due." in requests.get(link(sandbox, opened).url, timeout=10).text


def test_a_link_works_once_and_not_for_ever(sandbox, opened, monkeypatch):
    used = link(sandbox, opened).url
    send(used)
    monkeypatch.setattr(account_links, "_SECONDS", 0)
    late = link(sandbox, opened).url

    for url in (used, late):
        again = requests.get(url, allow_redirects=False, timeout=10)

        assert (again.status_code, again.headers["Location"]) == (303, URLS["refresh_url"])
    assert requests.get(f"{sandbox.url}/setup/unknown", timeout=10).status_code == 404


@pytest.mark.parametrize(
    ("changes", "param"),
    [({"type": "account_update"}, "type"), ({"return_url": "back"}, "return_url")],
)
def test_a_link_that_makes_no_sense_is_a_400(sandbox, opened, changes, param):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        link(sandbox, opened, **changes)

    assert refusal.value.param == param


def test_there_is_no_link_for_a_strangers_account(sandbox):
    with pytest.raises(stripe.PermissionError):
        link(sandbox, "acct_stranger")


def test_a_code_of_oauth_names_the_account_once(sandbox, connect):
    page = requests.get(f"{sandbox.url}/oauth/authorize?{urlencode(ASKED)}", timeout=10)
    assert "A new account of my own" in page.text
    told = told_in(authorize(sandbox, account="new", country="jp"))
    assert (told["state"], told["scope"]) == ("s1", "read_write")

    exchange = {"grant_type": "authorization_code", "code": told["code"]}
    token = connect.oauth.token(exchange)

    assert (token.livemode, token.scope, token.token_type) == (False, "read_write", "bearer")
    account = read(sandbox, token.stripe_user_id)
    assert (account.country, account.charges_enabled) == ("JP", True)
    with pytest.raises(stripe.oauth_error.InvalidGrantError):
        connect.oauth.token(exchange)


def test_a_code_does_not_live_long(sandbox, connect, monkeypatch, account):
    monkeypatch.setattr(oauth, "_CODE_SECONDS", 0)
    told = told_in(authorize(sandbox, account=account))

    with pytest.raises(stripe.oauth_error.InvalidGrantError):
        connect.oauth.token({"grant_type": "authorization_code", "code": told["code"]})


def test_who_says_no_goes_back_without_a_code(sandbox):
    asked = {**ASKED, "redirect_uri": f"{ASKED['redirect_uri']}?from=stripe"}
    del asked["state"]

    told = told_in(authorize(sandbox, "cancel", asked))

    assert told["error"] == "access_denied"
    assert told["from"] == "stripe"
    assert told.keys() == {"error", "error_description", "from"}


@pytest.mark.parametrize(
    "changes",
    [
        {"response_type": "token"},
        {"scope": "read_only"},
        {"client_id": "sandbox"},
        {"redirect_uri": "javascript:alert(1)"},
    ],
)
def test_a_platform_that_asks_wrongly_is_told_on_a_page(sandbox, changes):
    assert authorize(sandbox, asked=ASKED | changes).status_code == 400


def test_an_account_that_is_none_cannot_be_chosen(sandbox):
    assert authorize(sandbox, account="acct_none").status_code == 400
    assert requests.get(f"{sandbox.url}/oauth/nothing", timeout=10).status_code == 404


def test_a_disconnected_account_is_closed_to_us_and_can_come_back(sandbox, connect, account):
    assert sandbox.gift(account)

    gone = connect.oauth.deauthorize({"client_id": "ca_sandbox", "stripe_user_id": account})

    assert gone.stripe_user_id == account
    with pytest.raises(stripe.PermissionError) as refusal:
        read(sandbox, account)
    assert refusal.value.error.code == "account_invalid"
    assert account not in [one.id for one in sandbox.v1.accounts.list({"limit": 100}).data]
    sandbox.control("charges", account=account, amount=500, currency="eur")
    sandbox.flush()
    last = sandbox.receiver.of(account)[-1]
    assert last.type == "account.application.deauthorized"
    assert re.match("ca_", last.data.object.id)
    assert faults(last.to_dict(for_json=True)) == []

    code = told_in(authorize(sandbox, account=account))["code"]
    connect.oauth.token({"grant_type": "authorization_code", "code": code})

    assert read(sandbox, account).id == account


@pytest.mark.parametrize(
    ("path", "fields", "status", "error"),
    [
        ("token", {"grant_type": "password"}, 400, "unsupported_grant_type"),
        ("token", {"grant_type": "authorization_code"}, 400, "invalid_grant"),
        ("deauthorize", {"stripe_user_id": "acct_none"}, 401, "invalid_client"),
    ],
)
def test_oauth_refuses_in_its_own_words(sandbox, path, fields, status, error):
    answer = sandbox.ask("POST", f"/oauth/{path}", data=fields)

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert send(f"{sandbox.url}/oauth/{path}").status_code == 401


def test_control_calls_ask_for_more_and_disconnect(sandbox, account):
    sandbox.control(f"accounts/{account}/require", currently_due=["company.phone"])
    asked = read(sandbox, account)
    assert asked.charges_enabled
    assert asked.requirements.eventually_due == ["company.phone"]

    due = ["company.phone"]
    sandbox.control(f"accounts/{account}/require", currently_due=due, past_due=due)
    assert not read(sandbox, account).charges_enabled

    sandbox.control(f"accounts/{account}/deauthorize")

    with pytest.raises(stripe.PermissionError):
        read(sandbox, account)
    sandbox.control(f"accounts/{account}/require", expect=400, currently_due="company.phone")
