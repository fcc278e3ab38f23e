"""Every object the sandbox answers with, or tells in an event, has the shape of Stripe's SDK."""

import pytest

from tests.sandbox.shape_check import faults

GETS = [
    "/v1/account",
    "/v1/balance",
    "/v1/balance_transactions?limit=100&expand[]=data.source.charge&expand[]=data.source.balance_transaction",
    "/v1/charges?limit=100&expand[]=data.refunds&expand[]=data.payment_intent.latest_charge",
    "/v1/checkout/sessions?limit=100&expand[]=data.line_items&expand[]=data.payment_intent",
    "/v1/customers",
    "/v1/disputes?expand[]=data.charge",
    "/v1/events?limit=100",
    "/v1/invoice_payments?expand[]=data.payment.payment_intent.latest_charge",
    "/v1/invoices?expand[]=data.payments&expand[]=data.confirmation_secret&expand[]=data.customer",
    "/v1/payment_intents?limit=100&expand[]=data.latest_charge.balance_transaction",
    "/v1/payouts?expand[]=data.balance_transaction&expand[]=data.failure_balance_transaction",
    "/v1/radar/early_fraud_warnings?expand[]=data.charge",
    "/v1/refunds?expand[]=data.charge&expand[]=data.failure_balance_transaction",
    "/v1/subscriptions?status=all&expand[]=data.latest_invoice.payments&expand[]=data.customer",
]


@pytest.fixture(scope="module")
def storied(sandbox):
    """An account to which everything has happened."""
    account = sandbox.account(business_profile={"name": "Eau Vive"}, metadata={"a": "b"})
    options = {"stripe_account": account}
    story = (visit, debit, authorise, give_back, contest, subscribe, pay_out, surprise)
    for tell in story:
        tell(sandbox, account, options)
    sandbox.flush()
    return account


def visit(sandbox, account, options):
    sandbox.pay(sandbox.session(account).id, email="zoe@example.org", name="Zoë")
    sandbox.control(
        f"checkout/{sandbox.session(account, 900).id}/pay",
        expect=402,
        card_number="4000000000000002",
    )
    sandbox.v1.checkout.sessions.expire(sandbox.session(account, 800).id, None, options)
    sandbox.v1.accounts.update(account, {"email": "gifts@example.org"})


def debit(sandbox, account, options):
    for iban in ("DE89370400440532013000", "DE62370400440532013001", "DE35370400440532013002"):
        _, intent, _ = sandbox.debit(account, iban)
        sandbox.control(f"payment_intents/{intent.id}/clear")
    sandbox.debit(account, "DE08370400440532013003")
    [cleared] = sandbox.v1.charges.list({"limit": 1, "payment_intent": intent.id}, options).data
    gift = sandbox.debit(account, "DE89370400440532013000")
    sandbox.flush()
    sandbox.v1.refunds.create({"charge": gift[2].id, "amount": 500}, options)
    assert cleared.disputed


def authorise(sandbox, account, options):
    held = {"amount": 4000, "currency": "eur", "capture_method": "manual", "confirm": True}
    for finish in ("capture", "cancel"):
        intent = sandbox.v1.payment_intents.create(
            {**held, "payment_method": "pm_card_visa"}, options
        )
        getattr(sandbox.v1.payment_intents, finish)(intent.id, None, options)
    intent = sandbox.v1.payment_intents.create({**held, "payment_method": "pm_card_visa"}, options)
    sandbox.control(f"payment_intents/{intent.id}/lapse")


def give_back(sandbox, account, options):
    refunded = sandbox.gift(account, 5000, "jpy", metadata={"gift": "1"})
    sandbox.v1.refunds.create({"charge": refunded.id, "amount": 1000}, options)
    failing = sandbox.gift(account, payment_method="pm_card_refundFail")
    sandbox.v1.refunds.create({"charge": failing.id, "reason": "duplicate"}, options)


def contest(sandbox, account, options):
    for outcome in ("won", "lost"):
        sandbox.gift(account, payment_method="pm_card_createDispute")
        dispute = sandbox.v1.disputes.list({"limit": 1}, options).data[0]
        sandbox.control(f"disputes/{dispute.id}/close", outcome=outcome)
    for card in ("pm_card_createDisputeInquiry", "pm_card_createIssuerFraudRecord"):
        sandbox.gift(account, payment_method=card)
    [inquiry] = sandbox.v1.disputes.list({"limit": 1}, options).data
    sandbox.control(f"disputes/{inquiry.id}/escalate")


def subscribe(sandbox, account, options):
    for card in ("4242424242424242", "4000000000000341", "4000002760003184"):
        path = f"subscriptions/{sandbox.subscription(account).id}"
        sandbox.control(f"{path}/card", card_number=card)
        sandbox.control(f"{path}/renew")
    pause = {"pause_collection": {"behavior": "void"}}
    paused = sandbox.subscription(account, interval="year")
    sandbox.v1.subscriptions.update(paused.id, pause, options)
    sandbox.control(f"subscriptions/{paused.id}/renew")
    sandbox.v1.subscriptions.cancel(paused.id, None, options)


def pay_out(sandbox, account, options):
    sandbox.gift(account, 90_000, payment_method="pm_card_bypassPending")
    for _ in range(2):
        payout = sandbox.v1.payouts.create({"amount": 2000, "currency": "eur"}, options)
        sandbox.control(f"payouts/{payout.id}/pay")
    sandbox.control(f"payouts/{payout.id}/fail")
    cancelled = sandbox.v1.payouts.create({"amount": 2000, "currency": "eur"}, options)
    sandbox.v1.payouts.cancel(cancelled.id, None, options)
    sandbox.control(f"payouts/{sandbox.control('payouts', account=account)['id']}/pay")


def surprise(sandbox, account, options):
    sandbox.control("charges", account=account, amount=700, currency="usd", metadata={"x": "y"})
    sandbox.control(
        "balance_transactions",
        account=account,
        type="stripe_fee",
        reporting_category="fee",
        amount=-150,
        currency="eur",
        description="Radar",
    )


@pytest.mark.parametrize("path", GETS)
def test_lists_and_what_they_expand_to_have_stripes_shape(sandbox, storied, path):
    answer = sandbox.ask("GET", path, storied)

    assert answer.status_code == 200, answer.text
    assert answer.json().get("data") != []
    assert faults(answer.json()) == []


def test_delivered_events_have_stripes_shape(sandbox, storied):
    events = [event.to_dict(for_json=True) for event in sandbox.receiver.of(storied)]

    assert len({event["type"] for event in events}) >= 45
    assert [fault for event in events for fault in faults(event)] == []


def test_an_answer_to_a_post_has_stripes_shape(sandbox, storied):
    answer = sandbox.ask("POST", "/v1/accounts", data={"country": "JP", "controller[type]": "x"})

    assert answer.status_code == 400
    answer = sandbox.ask("POST", "/v1/accounts", data={"country": "JP"})
    assert faults(answer.json()) == []


def test_the_checker_sees_what_is_wrong():
    payout = {"object": "payout", "id": 1, "extra": 2, "status": "lost", "metadata": None}

    found = faults(payout)

    assert "payout.extra is unknown" in found
    assert "payout.amount is missing" in found
    assert "payout.id: 1 is not <class 'str'>" in found
