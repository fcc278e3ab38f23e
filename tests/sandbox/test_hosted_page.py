"""The hosted payment page: a plain form that works without JavaScript."""

import re
import time

import pytest
import requests

from sandbox import card_form

FILLED = {
    "email": "zoe@example.org",
    "card_number": "4242 4242 4242 4242",
    "expiry": "12/34",
    "cvc": "123",
    "name": "Zoë <b>Müller</b>",
}


@pytest.fixture
def session(sandbox):
    account = sandbox.account(business_profile={"name": "Eau & Vie"})
    return sandbox.session(account, cancel_url="http://127.0.0.1:1/back?a=1&b=2"), account


def submit(session, **fields):
    return requests.post(session.url, data={**FILLED, **fields}, allow_redirects=False, timeout=10)


def found(sandbox, session, account):
    return sandbox.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["payment_intent"]}, {"stripe_account": account}
    )


def test_the_page_shows_what_is_paid_to_whom_and_that_it_is_no_real_money(session):
    page = requests.get(session[0].url, timeout=10)

    assert page.status_code == 200
    assert "no real money" in page.text
    assert "Eau &amp; Vie" in page.text
    assert re.search(r'<button type="submit">Pay 50\.00 EUR</button>', page.text)
    for name in FILLED:
        assert f'<label for="{name}">' in page.text
        assert f'id="{name}" name="{name}"' in page.text
    assert "4000 0000 0000 0002" in page.text
    assert '<a class="back" href="http://127.0.0.1:1/back?a=1&amp;b=2">Back</a>' in page.text
    assert "<script" not in page.text
    assert not re.search(r'(src|href)="https?://(?!127\.0\.0\.1)', page.text)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_an_amount_without_minor_units_is_written_so(sandbox):
    session = sandbox.session(sandbox.account(), 5000, "jpy", customer_email="a@example.org")

    page = requests.get(session.url, timeout=10).text

    assert "Pay 5000 JPY" in page
    assert 'value="a@example.org"' in page
    assert 'class="back"' not in page


def test_paying_leads_to_the_success_page(sandbox, session):
    session, account = session

    answer = submit(session)

    assert answer.status_code == 303
    assert answer.headers["Location"] == f"http://127.0.0.1:1/thanks?session={session.id}"
    paid = found(sandbox, session, account)
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert paid.customer_details.email == "zoe@example.org"
    assert paid.customer_details.name == FILLED["name"]
    assert paid.payment_intent.status == "succeeded"
    sandbox.flush()
    assert sandbox.receiver.kinds(account) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
        "charge.updated",
    ]
    again = submit(session)
    assert (again.status_code, "paid already" in again.text) == (409, True)
    assert "paid already" in requests.get(session.url, timeout=10).text


@pytest.mark.parametrize(
    ("card", "sentence", "reason"),
    [
        ("4000000000000002", "Your card was declined.", "generic_decline"),
        ("4000000000009995", "Your card has insufficient funds.", "insufficient_funds"),
    ],
)
def test_a_declined_card_is_told_and_the_session_stays_open(
    sandbox, session, card, sentence, reason
):
    session, account = session

    answer = submit(session, card_number=card)

    assert answer.status_code == 402
    assert f'role="alert">{sentence}' in answer.text
    assert "Zoë &lt;b&gt;Müller&lt;/b&gt;" in answer.text
    declined = found(sandbox, session, account)
    assert (declined.status, declined.payment_status) == ("open", "unpaid")
    assert declined.payment_intent.last_payment_error.decline_code == reason
    assert submit(session).status_code == 303
    charges = sandbox.v1.charges.list(None, {"stripe_account": account}).data
    assert [charge.status for charge in charges] == ["succeeded", "failed"]
    assert {charge.payment_intent for charge in charges} == {declined.payment_intent.id}
    assert charges[1].outcome.reason == reason


@pytest.mark.parametrize(
    ("card", "check"),
    [
        ("4000000000000259", lambda kinds: "charge.dispute.created" in kinds),
        ("4000000000005126", lambda kinds: "charge.dispute.created" not in kinds),
    ],
)
def test_cards_that_make_trouble_later_pay_first(sandbox, session, card, check):
    session, account = session

    assert submit(session, card_number=card).status_code == 303

    sandbox.flush()
    assert check(sandbox.receiver.kinds(account))


@pytest.mark.parametrize(
    ("field", "typed", "status", "sentence"),
    [
        ("card_number", "1234", 402, "takes its test cards only"),
        ("email", "nobody", 400, "an e-mail address"),
        ("expiry", "13/34", 400, "the expiry"),
        ("cvc", "12", 400, "the CVC"),
    ],
)
def test_a_form_that_is_filled_in_wrongly_is_shown_again(session, field, typed, status, sentence):
    answer = submit(session[0], **{field: typed})

    assert answer.status_code == status
    assert sentence in answer.text
    assert f'value="{typed}"' in answer.text


def test_a_form_that_is_sent_twice_at_once_pays_once(sandbox, session, monkeypatch):
    session, account = session
    read = card_form.payer_of

    def read_while_another_pays(fields):
        sandbox.pay(session.id)
        return read(fields)

    monkeypatch.setattr(card_form, "payer_of", read_while_another_pays)

    answer = submit(session)

    assert (answer.status_code, "is complete" in answer.text) == (400, True)
    charges = sandbox.v1.charges.list(None, {"stripe_account": account}).data
    assert len(charges) == 1


def test_an_expired_session_says_so(sandbox, session):
    session, account = session
    sandbox.control("clock", account=account, now=session.expires_at)

    page = requests.get(session.url, timeout=10)

    assert "has expired" in page.text
    assert submit(session).status_code == 409
    assert found(sandbox, session, account).status == "expired"
    sandbox.flush()
    assert sandbox.receiver.kinds(account) == ["checkout.session.expired"]
    options = {"stripe_account": account}
    listed = sandbox.v1.checkout.sessions.list({"status": "expired"}, options).data
    assert [row.id for row in listed] == [session.id]
    refused = sandbox.ask("POST", f"/v1/checkout/sessions/{session.id}/expire", account)
    assert refused.json()["error"]["code"] == "checkout_session_not_open"
    assert sandbox.control(f"checkout/{session.id}/pay", expect=400, card_number="4242")


def test_a_gift_to_be_captured_later_completes_unpaid(sandbox, account):
    session = sandbox.session(account, payment_intent_data={"capture_method": "manual"})

    paid = sandbox.pay(session.id, email="zoe@example.org")

    assert (paid["status"], paid["payment_status"]) == ("complete", "unpaid")


def test_the_metadata_of_the_intent_reaches_the_charge(sandbox, account):
    session = sandbox.session(
        account,
        metadata={"of": "session"},
        client_reference_id="don_1",
        payment_intent_data={"metadata": {"of": "charge"}, "description": "Gift"},
    )

    sandbox.pay(session.id)

    [charge] = sandbox.v1.charges.list(None, {"stripe_account": account}).data
    assert charge.metadata.to_dict() == {"of": "charge"}
    assert charge.description == "Gift"
    assert session.metadata.to_dict() == {"of": "session"}
    assert session.client_reference_id == "don_1"


@pytest.mark.parametrize("path", ["/pay/cs_test_none", "/nothing"])
def test_other_pages_do_not_exist(sandbox, path):
    assert requests.get(sandbox.url + path, timeout=10).status_code == 404


def test_the_front_page_says_what_this_is(sandbox):
    page = requests.get(sandbox.url, timeout=10)
    style = requests.get(f"{sandbox.url}/style.css", timeout=10)

    assert "Stripe-shaped server" in page.text
    assert style.headers["Content-Type"].startswith("text/css")
    assert "prefers-color-scheme: dark" in style.text
    assert requests.get(f"{sandbox.url}/healthz", timeout=10).json() == {"status": "ok"}


def test_an_expiry_by_the_wall_clock_is_as_long_by_an_accounts_own(sandbox):
    account = sandbox.account()
    sandbox.control("clock", account=account, now=1_700_000_000)

    session = sandbox.session(account, 5000, "eur", expires_at=int(time.time()) + 7200)

    assert 7195 <= session.expires_at - 1_700_000_000 <= 7200
