"""How money comes in: gifts, fees, intents, captures; and whose it is: accounts."""

import pytest
import stripe

from tests.sandbox.running import running, until


def options(account):
    return {"stripe_account": account}


@pytest.mark.parametrize(
    ("country", "settlement", "amount", "currency", "settled", "fee"),
    [
        ("FR", "eur", 5000, "eur", 5000, 100),
        ("JP", "jpy", 5000, "jpy", 5000, 180),
        ("US", "usd", 5000, "usd", 5000, 175),
        ("FR", "eur", 5000, "jpy", 2800, 67),
        ("KW", "kwd", 5000, "eur", 17730, 544),
        ("JP", "jpy", 5000, "kwd", 2518, 91),
    ],
)
def test_a_gift_settles_in_the_accounts_currency_less_the_fee(
    *, sandbox, country, settlement, amount, currency, settled, fee
):
    account = sandbox.account(country)

    charge = sandbox.gift(account, amount, currency)

    [movement] = sandbox.movements(account)
    assert charge.balance_transaction == movement.id
    assert (movement.type, movement.reporting_category) == ("charge", "charge")
    assert (movement.amount, movement.fee, movement.net) == (settled, fee, settled - fee)
    assert movement.currency == settlement
    assert (movement.exchange_rate is None) == (currency == settlement)
    assert [detail.amount for detail in movement.fee_details] == [fee]
    assert sandbox.balance(account) == {settlement: settled - fee}


def test_the_balance_transaction_comes_a_moment_after_the_charge(alone):
    account = alone.account()
    alone.gift(account, metadata={"gift": "1"})

    events = alone.receiver.of(account)

    told = {event.type: event.data.object for event in events}
    assert told["charge.succeeded"].balance_transaction is None
    assert told["charge.updated"].balance_transaction.startswith("txn_")
    assert told["charge.succeeded"].metadata.to_dict() == {"gift": "1"}
    assert [event.type for event in events] == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "charge.updated",
    ]


def test_a_charge_settles_by_itself(tmp_path, receiver):
    with running(tmp_path, receiver, settle_seconds=0.1) as sandbox:
        account = sandbox.account()
        session = sandbox.session(account)
        sandbox.pay(session.id)

        until(lambda: "charge.updated" in receiver.kinds(account))


def test_a_card_gift_is_available_after_two_days(sandbox, account):
    sandbox.control("clock", account=account, now=1_700_000_000)
    sandbox.gift(account)
    sandbox.control("clock", account=account, now=1_700_000_000 + 86_400)
    before = sandbox.v1.balance.retrieve(None, options(account))
    [pending] = sandbox.movements(account)

    sandbox.control("clock", account=account, now=1_700_000_000 + 2 * 86_400)
    after = sandbox.v1.balance.retrieve(None, options(account))

    assert (before.available[0].amount, before.pending[0].amount) == (0, 4900)
    assert (after.available[0].amount, after.pending[0].amount) == (4900, 0)
    assert pending.status == "pending"
    movement = sandbox.v1.balance_transactions.retrieve(pending.id, None, options(account))
    assert movement.status == "available"
    assert movement.created == 1_700_000_000


def test_an_intent_is_promised_changed_confirmed_with_a_card_of_the_call(sandbox, account):
    intents = sandbox.v1.payment_intents
    intent = intents.create(
        {
            "amount": 1500,
            "currency": "EUR",
            "automatic_payment_methods": {"enabled": True},
            "metadata": {"a": "1", "b": "2"},
        },
        options(account),
    )
    assert intent.status == "requires_payment_method"
    assert intent.client_secret.startswith(f"{intent.id}_secret_")

    intents.update(intent.id, {"metadata": {"a": "", "c": "3"}}, options(account))
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
        intents.confirm(intent.id, None, options(account))
    with pytest.raises(stripe.InvalidRequestError, match="No such PaymentMethod"):
        intents.confirm(intent.id, {"payment_method": "pm_card_gold"}, options(account))
    paid = intents.confirm(
        intent.id,
        {"payment_method": "pm_card_mastercard", "receipt_email": "zoe@example.org"},
        options(account),
    )

    charge = sandbox.v1.charges.retrieve(paid.latest_charge, None, options(account))
    assert (paid.status, paid.amount_received, paid.currency) == ("succeeded", 1500, "eur")
    assert charge.metadata.to_dict() == {"b": "2", "c": "3"}
    assert charge.payment_method_details.card.brand == "mastercard"
    assert charge.billing_details.email == "zoe@example.org"
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        intents.cancel(intent.id, None, options(account))
    assert refusal.value.code == "payment_intent_unexpected_state"


def test_an_intent_with_a_method_waits_for_its_confirmation(sandbox, account):
    intent = sandbox.v1.payment_intents.create(
        {"amount": 1500, "currency": "eur", "payment_method": "pm_card_visa"}, options(account)
    )
    assert intent.status == "requires_confirmation"

    paid = sandbox.v1.payment_intents.confirm(intent.id, None, options(account))

    assert paid.status == "succeeded"
    found = sandbox.v1.payment_intents.retrieve(intent.id, None, options(account))
    assert found.status == "succeeded"


def test_a_declined_intent_can_be_tried_again(sandbox, account):
    with pytest.raises(stripe.CardError) as refusal:
        sandbox.gift(account, payment_method="pm_card_chargeDeclined")
    error = refusal.value
    intent = error.error.payment_intent

    assert (error.code, error.error.decline_code) == ("card_declined", "generic_decline")
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error.decline_code == "generic_decline"
    paid = sandbox.v1.payment_intents.confirm(
        intent.id, {"payment_method": "pm_card_visa"}, options(account)
    )
    sandbox.flush()
    assert paid.last_payment_error is None
    charges = sandbox.v1.charges.list({"payment_intent": intent.id}, options(account)).data
    assert [charge.status for charge in charges] == ["succeeded", "failed"]
    kinds = sandbox.receiver.kinds(account)
    assert kinds[:3] == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]


def authorised(sandbox, account, amount=4000):
    return sandbox.v1.payment_intents.create(
        {
            "amount": amount,
            "currency": "eur",
            "capture_method": "manual",
            "payment_method": "pm_card_visa",
            "confirm": True,
        },
        options(account),
    )


def test_an_authorised_gift_moves_money_when_it_is_captured(sandbox, account):
    intent = authorised(sandbox, account)
    sandbox.flush()
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 4000)
    assert sandbox.movements(account) == []
    with pytest.raises(stripe.InvalidRequestError, match="between 1 and"):
        sandbox.v1.payment_intents.capture(intent.id, {"amount_to_capture": 4001}, options(account))
    with pytest.raises(stripe.InvalidRequestError, match="has not been captured"):
        sandbox.v1.refunds.create({"charge": intent.latest_charge}, options(account))
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        sandbox.v1.refunds.create({"payment_intent": intent.id}, options(account))

    sandbox.control("clock", account=account, now=intent.created + 3 * 86_400)
    captured = sandbox.v1.payment_intents.capture(
        intent.id, {"amount_to_capture": 3000}, options(account)
    )

    sandbox.flush()
    assert captured.amount_received == 3000
    [movement] = sandbox.movements(account)
    assert (movement.amount, movement.created) == (3000, intent.created + 3 * 86_400)
    assert "charge.captured" in sandbox.receiver.kinds(account)


def test_an_authorised_gift_that_is_cancelled_moves_nothing(sandbox, account):
    intent = authorised(sandbox, account)

    cancelled = sandbox.v1.payment_intents.cancel(
        intent.id, {"cancellation_reason": "fraudulent"}, options(account)
    )

    sandbox.flush()
    assert (cancelled.status, cancelled.cancellation_reason) == ("canceled", "fraudulent")
    assert sandbox.movements(account) == []
    assert sandbox.receiver.kinds(account)[-2:] == ["charge.refunded", "payment_intent.canceled"]


def test_a_promise_can_be_cancelled(sandbox, account):
    intent = sandbox.v1.payment_intents.create(
        {"amount": 1500, "currency": "eur"}, options(account)
    )

    cancelled = sandbox.v1.payment_intents.cancel(intent.id, None, options(account))

    assert cancelled.status == "canceled"


def test_an_external_charge_and_an_odd_movement(sandbox, account):
    charge = sandbox.control(
        "charges", account=account, amount=1000, currency="eur", metadata={"from": "till"}
    )
    movement = sandbox.control(
        "balance_transactions",
        account=account,
        type="unheard_of",
        reporting_category="unheard_of",
        amount=-77,
        currency="eur",
        description="Something new",
    )

    sandbox.flush()
    assert (charge["payment_intent"], charge["application"]) == (None, None)
    assert charge["metadata"] == {"from": "till"}
    assert (movement["type"], movement["net"]) == ("unheard_of", -77)
    assert sandbox.balance(account) == {"eur": 1000 - 40 - 77}
    assert "balance.available" in sandbox.receiver.kinds(account)


def test_a_charge_can_be_described_later(sandbox, account):
    charge = sandbox.gift(account, metadata={"a": "1", "b": "2"})

    changed = sandbox.v1.charges.update(
        charge.id, {"description": "Gift", "metadata": {"a": ""}}, options(account)
    )

    assert (changed.description, changed.metadata.to_dict()) == ("Gift", {"b": "2"})


def test_accounts_can_be_opened_and_changed(sandbox):
    account = sandbox.account("JP", default_currency="USD", email="a@example.org")
    controlled = sandbox.v1.accounts.create(
        {"controller": {"fees": {"payer": "account"}}, "business_profile": {"name": "Shelter"}}
    )

    sandbox.v1.accounts.update(account, {"metadata": {"a": "1"}, "business_type": "non_profit"})

    found = sandbox.v1.accounts.retrieve(account)
    own = sandbox.ask("GET", "/v1/account", account).json()
    assert (found.default_currency, found.country) == ("usd", "JP")
    assert found.charges_enabled and found.payouts_enabled
    assert own["metadata"] == {"a": "1"}
    assert (controlled.type, controlled.country) == ("none", "FR")
    assert controlled.settings.dashboard.display_name == "Shelter"
    sandbox.flush()
    assert sandbox.receiver.kinds(account) == ["account.updated"]
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        sandbox.account(default_currency="xxx")
    assert refusal.value.param == "default_currency"


def test_the_platforms_own_events_name_no_account(sandbox):
    intent = sandbox.v1.payment_intents.create({"amount": 500, "currency": "eur"})

    [event] = sandbox.v1.events.list({"limit": 1}).data

    assert event.data.object.id == intent.id
    assert not hasattr(event, "account")
    assert intent.application is None
    assert sandbox.v1.events.retrieve(event.id).type == "payment_intent.created"
