"""`Idempotency-Key`: once played, always the same answer."""

import pytest
import stripe


def promise(sandbox, account, key, amount=1000, **more):
    return sandbox.ask(
        "POST",
        "/v1/payment_intents",
        account,
        data={"amount": amount, "currency": "eur", **more},
        headers={"Idempotency-Key": key},
    )


def test_the_same_request_again_gets_the_same_answer_and_is_not_played_again(sandbox, account):
    first, again = (promise(sandbox, account, "key-1") for _ in range(2))

    assert first.content == again.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert first.headers["Request-Id"] != again.headers["Request-Id"]
    assert len(sandbox.v1.payment_intents.list(None, {"stripe_account": account}).data) == 1


def test_the_same_key_with_other_parameters_is_refused(sandbox, account):
    promise(sandbox, account, "key-2")

    with pytest.raises(stripe.IdempotencyError):
        sandbox.v1.payment_intents.create(
            {"amount": 2000, "currency": "eur"},
            {"stripe_account": account, "idempotency_key": "key-2"},
        )


def test_another_account_may_use_the_same_key(sandbox, account):
    first = promise(sandbox, account, "key-3").json()
    other = promise(sandbox, sandbox.account(), "key-3").json()

    assert first["id"] != other["id"]


def test_a_declined_card_is_replayed_and_a_refusal_is_not(sandbox, account):
    declined = [
        promise(
            sandbox,
            account,
            "key-4",
            confirm="true",
            payment_method="pm_card_chargeDeclined",
        )
        for _ in range(2)
    ]
    refused = promise(sandbox, account, "key-5", amount=1)
    corrected = promise(sandbox, account, "key-5")

    assert [answer.status_code for answer in declined] == [402, 402]
    assert declined[0].json() == declined[1].json()
    assert len(sandbox.v1.charges.list(None, {"stripe_account": account}).data) == 1
    assert (refused.status_code, corrected.status_code) == (400, 200)


def test_events_carry_the_request_that_caused_them(sandbox, account):
    answer = promise(sandbox, account, "key-6")

    event = sandbox.v1.events.list(None, {"stripe_account": account}).data[0]

    assert event.request.idempotency_key == "key-6"
    assert event.request.id == answer.headers["Request-Id"]


def test_a_declined_card_without_a_key_is_kept_as_well(sandbox, account):
    data = {"amount": 500, "currency": "eur", "confirm": "true"}
    data["payment_method"] = "pm_card_chargeDeclinedInsufficientFunds"

    answer = sandbox.ask("POST", "/v1/payment_intents", account, data=data)

    assert answer.json()["error"]["decline_code"] == "insufficient_funds"
    [charge] = sandbox.v1.charges.list(None, {"stripe_account": account}).data
    assert charge.status == "failed"
