"""Bank debits: a session completes unpaid, and the bank answers later."""

import pytest
import requests
import stripe

from tests.sandbox.running import running, until

CLEARS, FAILS = "DE89370400440532013000", "DE62370400440532013001"
CLEARS_WHEN_TOLD, FAILS_WHEN_TOLD = "DE08370400440532013003", "DE78370400440532013004"
EMPTY, DISPUTED = "DE65370400440002222227", "DE35370400440532013002"


def options(account):
    return {"stripe_account": account}


def told(sandbox, account):
    sandbox.flush()
    return sandbox.receiver.kinds(account)


def found(sandbox, account, intent):
    """Return how the intent, its charge and its session stand now."""
    intent = sandbox.v1.payment_intents.retrieve(
        intent.id, {"expand": ["latest_charge"]}, options(account)
    )
    filters = {"payment_intent": intent.id}
    [session] = sandbox.v1.checkout.sessions.list(filters, options(account)).data
    return intent, intent.latest_charge, session


def test_a_debit_completes_its_session_unpaid(sandbox, account):
    session, intent, charge = sandbox.debit(account, CLEARS_WHEN_TOLD)

    assert (session["status"], session["payment_status"]) == ("complete", "unpaid")
    assert session["payment_method_types"] == intent.payment_method_types == ["card", "sepa_debit"]
    assert (intent.status, intent.amount_received) == ("processing", 0)
    assert charge.id.startswith("py_")
    assert (charge.status, charge.paid, charge.balance_transaction) == ("pending", False, None)
    method = charge.payment_method_details.sepa_debit
    assert (method.bank_code, method.country, method.last4) == ("37040044", "DE", "3003")
    assert charge.billing_details.email == "jo@example.org"
    assert told(sandbox, account) == [
        "payment_intent.created",
        "charge.pending",
        "payment_intent.processing",
        "checkout.session.completed",
    ]
    assert sandbox.balance(account) == {"eur": 0}
    with pytest.raises(stripe.InvalidRequestError, match="has not been captured"):
        sandbox.v1.refunds.create({"charge": charge.id}, options(account))
    with pytest.raises(stripe.InvalidRequestError, match="status is processing"):
        sandbox.v1.payment_intents.cancel(intent.id, None, options(account))
    sandbox.control(f"charges/{charge.id}/dispute", expect=400)


def test_a_debit_that_clears_is_paid_with_the_fee_of_debits(sandbox, account):
    _, promised, _ = sandbox.debit(account, CLEARS_WHEN_TOLD)

    cleared = sandbox.control(f"payment_intents/{promised.id}/clear")
    again = sandbox.control(f"payment_intents/{promised.id}/clear")

    intent, charge, session = found(sandbox, account, promised)
    assert cleared == again
    assert (intent.status, charge.status, session.payment_status) == (
        "succeeded",
        "succeeded",
        "paid",
    )
    [movement] = sandbox.movements(account)
    assert (movement.id, movement.source) == (charge.balance_transaction, charge.id)
    assert (movement.type, movement.reporting_category) == ("payment", "charge")
    assert (movement.amount, movement.fee) == (12_000, 35)
    assert told(sandbox, account)[4:] == [
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.async_payment_succeeded",
    ]


@pytest.mark.parametrize(
    ("iban", "code"), [(FAILS, "debit_not_authorized"), (EMPTY, "insufficient_funds")]
)
def test_a_debit_that_fails_moves_nothing(sandbox, account, iban, code):
    _, promised, _ = sandbox.debit(account, iban)

    sandbox.flush()

    intent, charge, session = found(sandbox, account, promised)
    assert (intent.status, charge.status, session.payment_status) == (
        "requires_payment_method",
        "failed",
        "unpaid",
    )
    assert (session.status, charge.failure_code) == ("complete", code)
    assert (charge.outcome.type, charge.outcome.reason) == ("issuer_declined", code)
    assert intent.last_payment_error.decline_code == code
    assert intent.last_payment_error.message == charge.failure_message
    assert sandbox.movements(account) == []
    assert told(sandbox, account)[4:] == [
        "charge.failed",
        "payment_intent.payment_failed",
        "checkout.session.async_payment_failed",
    ]


def test_a_debit_that_fails_when_it_is_told_to(sandbox, account):
    _, promised, _ = sandbox.debit(account, FAILS_WHEN_TOLD)
    sandbox.flush()

    failed = sandbox.control(f"payment_intents/{promised.id}/clear")

    assert (promised.status, failed["status"]) == ("processing", "requires_payment_method")


def test_a_debit_that_was_cleared_may_still_be_disputed(sandbox, account):
    _, promised, _ = sandbox.debit(account, DISPUTED)

    sandbox.flush()

    _, charge, _ = found(sandbox, account, promised)
    [dispute] = sandbox.v1.disputes.list({"charge": charge.id}, options(account)).data
    assert (charge.disputed, dispute.reason) == (True, "debit_not_authorized")
    assert sandbox.balance(account) == {"eur": -35 - 2000}


def test_a_debit_clears_by_itself(tmp_path, receiver):
    with running(tmp_path, receiver, settle_seconds=0.1) as sandbox:
        account = sandbox.account()
        sandbox.debit(account, CLEARS)

        until(lambda: "checkout.session.async_payment_succeeded" in receiver.kinds(account))


def test_a_debit_cannot_be_contested_before_the_bank_has_answered(tmp_path, receiver):
    with running(tmp_path, receiver, settle_seconds=1000.0) as sandbox:
        account = sandbox.account()
        _, _, charge = sandbox.debit(account, CLEARS)

        sandbox.control(f"charges/{charge.id}/dispute", expect=400)
        with pytest.raises(stripe.InvalidRequestError, match="has not been captured"):
            sandbox.v1.refunds.create({"charge": charge.id}, options(account))

        assert sandbox.movements(account) == []
        sandbox.flush()
        assert sandbox.balance(account) == {"eur": 12_000 - 35}


def test_what_came_by_debit_goes_back_by_transfer(sandbox, account):
    _, promised, _ = sandbox.debit(account, CLEARS)
    sandbox.flush()

    refund = sandbox.v1.refunds.create({"payment_intent": promised.id}, options(account))

    assert refund.id.startswith("pyr_")
    assert refund.destination_details.type == "eu_bank_transfer"
    newest = sandbox.movements(account)[0]
    assert (newest.type, newest.reporting_category) == ("payment_refund", "refund")
    assert sandbox.balance(account) == {"eur": -35}
    retrieved = sandbox.v1.refunds.retrieve(refund.id, None, options(account))
    assert retrieved.status == "succeeded"


def test_a_debit_settles_in_the_accounts_currency(sandbox):
    account = sandbox.account("GB")
    sandbox.debit(account, CLEARS)
    sandbox.flush()

    [movement] = sandbox.movements(account)

    assert (movement.currency, movement.amount, movement.fee) == ("gbp", 10_526, 31)
    assert movement.exchange_rate == 0.87719298


@pytest.mark.parametrize(
    ("currency", "fields"),
    [("usd", {}), ("eur", {"payment_intent_data": {"capture_method": "manual"}})],
)
def test_debits_are_for_single_gifts_in_euros(sandbox, account, currency, fields):
    session = sandbox.session(account, currency=currency, **fields)

    error = sandbox.control(f"checkout/{session.id}/pay", expect=400, iban=CLEARS)["error"]

    assert error["param"] == "iban"
    assert "bank debit" not in requests.get(session.url, timeout=10).text


def test_a_subscription_takes_cards_only(sandbox, account):
    session = sandbox.monthly(account)

    sandbox.control(f"checkout/{session.id}/pay", expect=400, iban=CLEARS)


def test_an_account_that_is_no_test_account_is_refused(sandbox, account):
    session = sandbox.session(account)

    sandbox.control(f"checkout/{session.id}/pay", expect=400, iban="FR1420041010050500013M02606")


def test_a_payment_that_waits_for_no_bank_cannot_be_cleared(sandbox, account):
    promised = sandbox.v1.payment_intents.create(
        {"amount": 500, "currency": "eur"}, options(account)
    )

    sandbox.control(f"payment_intents/{promised.id}/clear", expect=400)


FILLED = {
    "debit_email": "jo@example.org",
    "debit_name": "Jürgen Weiß",
    "iban": "de08 3704 0044 0532 0130 03",
}


def test_the_hosted_page_takes_an_iban(sandbox, account):
    session = sandbox.session(account)
    form = requests.get(session.url, timeout=10).text

    nameless = requests.post(session.url, data={**FILLED, "debit_name": ""}, timeout=10)
    paid = requests.post(session.url, data=FILLED, allow_redirects=False, timeout=10)

    assert '<label for="iban">' in form
    assert "Debit 50.00 EUR</button>" in form
    assert ("<details>" in form, "<details open>" in nameless.text) == (True, True)
    assert "DE62 3704 0044 0532 0130 01" in form
    assert (nameless.status_code, "the name of the account" in nameless.text) == (400, True)
    assert 'value="de08 3704 0044 0532 0130 03"' in nameless.text
    assert paid.status_code == 303
    [charge] = sandbox.v1.charges.list(None, options(account)).data
    assert (charge.status, charge.billing_details.name) == ("pending", "Jürgen Weiß")
