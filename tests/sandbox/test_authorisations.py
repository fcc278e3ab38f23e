"""Gifts that are authorised on the page: captured within a week, or released."""

import pytest
import requests
import stripe

DAY_SECONDS = 86_400
MANUAL = {"capture_method": "manual", "metadata": {"donation_id": "don_1"}}


def options(account):
    return {"stripe_account": account}


@pytest.fixture
def session(sandbox):
    account = sandbox.account(business_profile={"name": "Eau & Vie"})
    return sandbox.session(account, payment_intent_data=MANUAL), account


@pytest.fixture
def authorised(sandbox, session):
    """The intent of a gift of 50 EUR that was authorised on the page, with its charge."""
    session, account = session
    paid = sandbox.pay(session.id, email="zoe@example.org", name="Zoë")
    return read(sandbox, account, paid["payment_intent"]), account


def read(sandbox, account, intent):
    return sandbox.v1.payment_intents.retrieve(
        intent, {"expand": ["latest_charge.refunds"]}, options(account)
    )


def test_the_page_says_that_the_card_is_authorised_only(sandbox, session):
    page = requests.get(session[0].url, timeout=10).text

    assert "Your card is authorised only" in page
    assert "bank debit" not in page
    at_once = sandbox.session(session[1], payment_intent_data={"capture_method": "automatic"})
    assert "authorised" not in requests.get(at_once.url, timeout=10).text


def test_paying_authorises_the_card_and_moves_no_money(sandbox, session):
    session, account = session

    paid = sandbox.pay(session.id, email="zoe@example.org")

    sandbox.flush()
    assert (paid["status"], paid["payment_status"]) == ("complete", "unpaid")
    intent = read(sandbox, account, paid["payment_intent"])
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 5000)
    assert intent.payment_method_types == ["card"]
    charge = intent.latest_charge
    assert (charge.status, charge.captured, charge.balance_transaction) == (
        "succeeded",
        False,
        None,
    )
    assert charge.payment_method_details.card.capture_before == charge.created + 7 * DAY_SECONDS
    assert sandbox.movements(account) == []
    assert sandbox.receiver.kinds(account) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "checkout.session.completed",
    ]


def test_a_card_that_is_declined_authorises_nothing(sandbox, session):
    session, account = session
    sandbox.control(f"checkout/{session.id}/pay", expect=402, card_number="4000000000000002")

    [charge] = sandbox.v1.charges.list(None, options(account)).data

    assert charge.status == "failed"
    assert "capture_before" not in charge.payment_method_details.card


def test_capturing_takes_the_money(sandbox, authorised):
    intent, account = authorised

    sandbox.v1.payment_intents.capture(intent.id, None, options(account))

    sandbox.flush()
    captured = read(sandbox, account, intent.id)
    [movement] = sandbox.movements(account)
    assert (captured.status, captured.amount_received) == ("succeeded", 5000)
    assert captured.latest_charge.balance_transaction == movement.id
    assert sandbox.receiver.kinds(account)[4:] == [
        "charge.captured",
        "payment_intent.succeeded",
        "charge.updated",
    ]


def refused(act, *asked):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        act(*asked)
    return refusal.value.code


def test_what_nobody_captured_lapses_by_itself(sandbox, authorised):
    intent, account = authorised

    lapsed = sandbox.control(f"payment_intents/{intent.id}/lapse")

    sandbox.flush()
    assert (lapsed["status"], lapsed["cancellation_reason"]) == ("canceled", "automatic")
    assert (lapsed["amount_capturable"], lapsed["amount_received"]) == (0, 0)
    charge = read(sandbox, account, intent.id).latest_charge
    assert (charge.captured, charge.refunded, charge.amount_refunded) == (False, True, 5000)
    [refund] = charge.refunds.data
    assert (refund.reason, refund.balance_transaction) == ("expired_uncaptured_charge", None)
    assert sandbox.movements(account) == []
    told = sandbox.receiver.of(account)[4:]
    assert [event.type for event in told] == ["charge.expired", "payment_intent.canceled"]
    assert [event.data.object.metadata.donation_id for event in told] == ["don_1", "don_1"]


def test_what_has_lapsed_is_over(sandbox, authorised):
    intent, account = authorised
    sandbox.control(f"payment_intents/{intent.id}/lapse")
    intents = sandbox.v1.payment_intents

    again = sandbox.control(f"payment_intents/{intent.id}/lapse", expect=400)

    codes = {
        again["error"]["code"],
        refused(intents.capture, intent.id, None, options(account)),
        refused(intents.cancel, intent.id, None, options(account)),
    }
    assert codes == {"payment_intent_unexpected_state"}
    refund = {"charge": intent.latest_charge.id}
    code = refused(sandbox.v1.refunds.create, refund, options(account))
    assert code == "charge_already_refunded"
    assert sandbox.movements(account) == []


def test_a_capture_that_comes_too_late_is_refused_before_the_lapse_is_told(sandbox, authorised):
    intent, account = authorised
    end = intent.latest_charge.payment_method_details.card.capture_before
    capture = sandbox.v1.payment_intents.capture

    sandbox.control("clock", account=account, now=end)
    too_late = refused(capture, intent.id, None, options(account))
    sandbox.control("clock", account=account, now=end - 1)
    captured = capture(intent.id, None, options(account))

    assert too_late == "charge_expired_for_capture"
    assert captured.status == "succeeded"


def test_a_clock_that_was_set_moves_on_to_the_lapse(sandbox, account):
    sandbox.control("clock", account=account, now=1_700_000_000)
    session = sandbox.session(account, payment_intent_data=MANUAL)
    intent = sandbox.pay(session.id)["payment_intent"]

    lapsed = sandbox.control(f"payment_intents/{intent}/lapse")

    assert lapsed["canceled_at"] == 1_700_000_000 + 7 * DAY_SECONDS


def test_a_capture_is_the_last_word(sandbox, authorised):
    intent, account = authorised
    intents = sandbox.v1.payment_intents
    once = {**options(account), "idempotency_key": f"capture:{intent.id}"}
    first = intents.capture(intent.id, None, once)

    assert intents.capture(intent.id, None, once).id == first.id

    expected = "payment_intent_unexpected_state"
    assert refused(intents.capture, intent.id, None, options(account)) == expected
    assert refused(intents.cancel, intent.id, None, options(account)) == expected
    lapsed = sandbox.control(f"payment_intents/{intent.id}/lapse", expect=400)
    assert lapsed["error"]["code"] == expected
    sandbox.flush()
    assert len(sandbox.movements(account)) == 1


def test_cancelling_gives_back_what_was_authorised(sandbox, authorised):
    intent, account = authorised

    sandbox.v1.payment_intents.cancel(
        intent.id, {"cancellation_reason": "fraudulent"}, options(account)
    )

    sandbox.flush()
    cancelled = read(sandbox, account, intent.id)
    [refund] = cancelled.latest_charge.refunds.data
    assert cancelled.cancellation_reason == "fraudulent"
    assert (refund.amount, refund.reason, refund.balance_transaction) == (5000, None, None)
    assert sandbox.receiver.kinds(account)[4:] == ["charge.refunded", "payment_intent.canceled"]
    assert "cannot fail" in str(sandbox.control(f"refunds/{refund.id}/fail", expect=400))
