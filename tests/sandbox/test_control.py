"""The control URLs refuse what makes no sense, and can take the API down."""

import time

import pytest
import requests
import stripe

from tests.sandbox.running import until


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("nothing", {}, 404),
        ("clock", {"account": "acct_none"}, 404),
        ("clock", {"account": 5}, 400),
        ("clock", {}, 400),
        ("checkout/cs_none/pay", {"card_number": "4242424242424242"}, 404),
        ("charges/ch_none/dispute", {}, 404),
        ("outage", {"status": 503}, 400),
        ("outage", {"status": True}, 400),
        ("outage", {"seconds": "long"}, 400),
    ],
)
def test_a_control_call_that_makes_no_sense_is_refused(sandbox, path, body, status):
    error = sandbox.control(path, expect=status, **body)["error"]

    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b"[" * 100_000])
def test_a_control_call_needs_a_json_object(sandbox, body):
    assert sandbox.ask("POST", "/_control/clock", data=body).status_code == 400


def test_a_control_url_has_its_own_verb(sandbox):
    assert sandbox.ask("GET", "/_control/clock").status_code == 404


def test_the_clock_dates_objects_and_events_until_it_is_let_go(sandbox, account):
    sandbox.control("clock", account=account, now=1_650_000_000)
    charge = sandbox.gift(account)
    released = sandbox.control("clock", account=account, now=None)
    later = sandbox.gift(account)

    assert charge.created == 1_650_000_000
    assert {event.created for event in sandbox.receiver.of(account)[:4]} == {1_650_000_000}
    assert released == {"account": account, "now": None}
    assert abs(later.created - time.time()) < 60


def test_the_api_is_down_until_the_outage_is_lifted(alone):
    alone.control("outage", status=500)
    with pytest.raises(stripe.APIError):
        alone.v1.balance.retrieve()
    alone.control("outage", status=429)
    with pytest.raises(stripe.RateLimitError):
        alone.v1.balance.retrieve()

    alone.control("outage", status=None)

    assert alone.v1.balance.retrieve().object == "balance"


def test_an_outage_may_end_by_itself(alone):
    begun = alone.control("outage", seconds=0.2)

    assert begun == {"status": 500}
    assert alone.ask("GET", "/v1/balance").status_code == 500
    until(lambda: alone.ask("GET", "/v1/balance").ok)


def test_paying_by_control_does_what_the_page_does(sandbox, account):
    session = sandbox.session(account)

    declined = sandbox.control(
        f"checkout/{session.id}/pay", expect=402, card_number="4000000000009995"
    )
    paid = sandbox.pay(session.id, name="Zoë")

    assert declined["error"]["decline_code"] == "insufficient_funds"
    assert (paid["payment_status"], paid["customer_details"]["name"]) == ("paid", "Zoë")
    found = sandbox.ask("GET", f"/v1/checkout/sessions/{session.id}", account).json()
    assert found == paid


def test_nothing_is_asked_without_the_key(sandbox):
    answer = requests.post(f"{sandbox.url}/_control/clock", json={}, timeout=10)

    assert answer.status_code == 401
