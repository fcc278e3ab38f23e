"""Reading a connected account over HTTP."""

from datetime import UTC, datetime

import pytest

from common.errors import TryAgainLater
from common.stripe_api import StripeRefused, client, on_account, translated_errors
from tests.stripe_resources import MORNING, charge, dispute, payout, refund, transaction
from tests.treasury.movements import book_all
from treasury.errors import TransactionMalformed
from treasury.models import StripeReading
from treasury.services.reading import Movement, read_account


def paths(server):
    return [path.partition("?")[0].removeprefix("/v1/") for path in server.asked]


OF_5000_YEN = {
    "type": "payment",
    "category": "charge",
    "amount": 3060,
    "fee": 186,
    "net": 2874,
    "currency": "EUR",
    "exchange_rate": "0.00612",
    "source": "py_1",
    "charge": "py_1",
    "given": 5000,
    "given_currency": "JPY",
    "donation_id": "don_1",
    "has_application_fee": False,
    "livemode": False,
}


@pytest.mark.parametrize("expands", [True, False])
def test_what_moved_is_told_with_what_its_source_says(
    stripe_server, stripe_account, organisation, expands
):
    stripe_server.expands = expands
    yen = {"currency": "jpy", "id": "py_1"}
    paid = charge(5000, "don_1", **yen)
    fail, lost, sent = refund(paid, 2000), dispute(paid, 5000), payout(1000)
    for kind, one in zip(
        ("charges", "refunds", "disputes", "payouts"), (paid, fail, lost, sent), strict=True
    ):
        stripe_account.put(kind, one)
    told = [
        transaction("charge", 3060, 186, source=paid["id"], type="payment", exchange_rate=0.00612),
        transaction("refund", -1224, source=fail["id"]),
        transaction("dispute", -3055, 2000, source=lost["id"], type="adjustment"),
        transaction("payout", -1000, source=sent["id"]),
        transaction("fee", -25, source=None, type="stripe_fee"),
    ]
    stripe_account.put("balance_transactions", *told)

    reading = read_account(organisation)

    first, second, third, fourth, fifth = reading.movements
    occurred_at = datetime.fromtimestamp(told[0]["created"], UTC)
    assert first == Movement(id=told[0]["id"], occurred_at=occurred_at, **OF_5000_YEN)
    assert (second.category, second.charge, second.source) == ("refund", "py_1", fail["id"])
    assert (second.given, second.given_currency, second.livemode) == (2000, "JPY", None)
    assert (third.category, third.charge, third.given) == ("dispute", "py_1", 5000)
    assert (fourth.source, fourth.charge) == (sent["id"], "")
    assert (fifth.source, fifth.charge, fifth.given, fifth.exchange_rate) == ("", "", 0, "")
    assert reading.balances == {"EUR": (3060 - 186 - 1224 - 5055 - 1000 - 25, 0)}
    more = [] if expands else [f"charges/{paid['id']}", f"refunds/{fail['id']}"]
    more += [] if expands else [f"disputes/{lost['id']}"]
    assert paths(stripe_server) == ["balance_transactions", *more, "balance"]


def test_what_stripe_counts_in_hundredths_is_read_as_it_was_given(stripe_account, organisation):
    whole, part = charge(50_000, "don_1", currency="isk"), charge(50_001, currency="isk")
    stripe_account.put(
        "balance_transactions",
        transaction("charge", 330, 30, source=whole),
        transaction("charge", 330, 30, source=part),
    )

    first, second = read_account(organisation).movements

    assert (first.given, first.given_currency, first.amount) == (500, "ISK", 330)
    assert isinstance(second, TransactionMalformed)


def test_the_charge_of_a_refund_may_be_told_whole(stripe_account, organisation):
    paid = charge()
    returned = refund(paid, 2000, charge=paid)
    stripe_account.put("balance_transactions", transaction("refund", -2000, source=returned))

    [movement] = read_account(organisation).movements

    assert movement.charge == paid["id"]


@pytest.mark.parametrize(
    "changes",
    [
        {"source": charge(application_fee_amount=100)},
        {"fee_details": [{"amount": 100, "type": "application_fee"}]},
        {"fee_details": [{"amount": 1, "type": "tax"}, {"amount": 1, "type": "application_fee"}]},
    ],
)
def test_an_application_fee_is_noticed(stripe_account, organisation, changes):
    clean = transaction("charge", 5000, 100, source=charge())
    stripe_account.put("balance_transactions", clean, {**clean, "id": "txn_2", **changes})

    first, second = read_account(organisation).movements

    assert {first.id: first.has_application_fee, second.id: second.has_application_fee} == {
        clean["id"]: False,
        "txn_2": True,
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "5000"},
        {"amount": 50.5},
        {"amount": True},
        {"amount": None},
        {"fee": None},
        {"net": "x"},
        {"currency": None},
        {"created": None},
        {"created": "yesterday"},
        {"created": 10**30},
        {"type": ...},
        {"reporting_category": ...},
        {"source": 5},
        {"source": {"object": "charge"}},
        {"source": {"object": "refund", "id": "re_1", "charge": {"amount": 1}}},
        {"source": {"id": "ch_1", "amount": "5000"}},
        {"source": {"id": "ch_1", "metadata": "x"}},
        {"fee_details": ["x"]},
    ],
)
def test_a_malformed_transaction_is_told_as_such_beside_the_others(
    stripe_server, stripe_account, organisation, changes
):
    bad = {**transaction("charge", 5000, source=charge()), "id": "txn_bad", **changes}
    bad = {name: value for name, value in bad.items() if value is not ...}
    good = transaction("charge", 7000, source=charge())
    stripe_account.put("balance_transactions", good, bad)
    stripe_account.list = lambda kind: stripe_account.objects[kind]
    stripe_account.told_balance = {"object": "balance"}

    movements = read_account(organisation).movements

    told = {
        str(one).split(":", maxsplit=1)[0]
        for one in movements
        if isinstance(one, TransactionMalformed)
    }
    assert told == {"txn_bad"}
    assert [one.id for one in movements if isinstance(one, Movement)] == [good["id"]]


def test_all_pages_are_read_until_one_brings_nothing_new(
    stripe_server, stripe_account, organisation
):
    rows = [transaction("fee", -1) for _ in range(250)]
    stripe_account.put("balance_transactions", *rows)

    first = read_account(organisation)

    assert [one.id for one in first.movements] == [row["id"] for row in rows]
    assert paths(stripe_server) == ["balance_transactions"] * 3 + ["balance"]
    book_all(organisation, *first.movements)
    stripe_account.put("balance_transactions", *(transaction("fee", -1) for _ in range(150)))
    stripe_server.asked.clear()

    second = read_account(organisation)

    assert len(second.movements) == 150
    assert paths(stripe_server) == ["balance_transactions"] * 3 + ["balance"]
    book_all(organisation, *second.movements)
    stripe_server.asked.clear()

    assert read_account(organisation).movements == []
    assert paths(stripe_server) == ["balance_transactions", "balance"]


def test_an_account_on_which_nothing_moved(stripe_account, organisation):
    reading = read_account(organisation)

    assert (reading.movements, reading.balances) == ([], {})


def test_of_one_second_a_charge_comes_first_and_what_came_back_last(stripe_account, organisation):
    paid = charge()
    returned = refund(paid, 100)
    categories = ["refund_failure", "charge", "refund", "payout_reversal", "payout"]
    rows = [transaction(name, 100, source=returned, created=MORNING) for name in categories]
    stripe_account.put("balance_transactions", *rows)

    told = [movement.category for movement in read_account(organisation).movements]

    assert told[0] == "charge"
    assert set(told[1:3]) == {"refund", "payout"}
    assert set(told[3:]) == {"refund_failure", "payout_reversal"}


def test_available_and_pending_are_added_up_by_currency(
    stripe_server, stripe_account, organisation
):
    parts = {"available": [("eur", -50), ("jpy", 7)], "pending": [("eur", 80), ("usd", 1)]}
    told = {
        name: [{"currency": code, "amount": amount} for code, amount in part]
        for name, part in parts.items()
    }
    stripe_account.told_balance = {"object": "balance", **told}

    balances = read_account(organisation).balances

    assert balances == {"EUR": (-50, 80), "JPY": (7, 0), "USD": (0, 1)}


def test_a_refusal_is_noted_and_names_nobody(stripe_server, organisation, caplog):
    with pytest.raises(StripeRefused, match="account_invalid"):
        read_account(organisation)

    reading = StripeReading.objects.get()
    assert reading.failing_since
    assert reading.error == "Stripe refused: account_invalid."
    [record] = [record for record in caplog.records if record.name == "almoner.stripe"]
    assert (record.account, record.status) == ("acct_1", 403)


def test_a_source_that_cannot_be_read_is_a_refusal(stripe_server, stripe_account, organisation):
    stripe_server.expands = False
    stripe_account.put("balance_transactions", transaction("charge", 1, source="ch_gone"))

    with pytest.raises(StripeRefused, match="resource_missing"):
        read_account(organisation)


def test_a_failure_that_passes_is_tried_once_more(stripe_server, stripe_account, monkeypatch):
    monkeypatch.setattr("common.stripe_api.RETRIES_MAX", 1)
    monkeypatch.setattr("stripe.HTTPClient.INITIAL_DELAY", 0.001)
    client.cache_clear()
    stripe_server.trouble = "500"

    with pytest.raises(TryAgainLater), translated_errors("acct_1"):
        client().v1.balance.retrieve(options=on_account("acct_1"))

    assert len(stripe_server.asked) == 2


def test_every_call_is_on_the_account_and_of_our_version(
    stripe_server, stripe_account, organisation
):
    read_account(organisation)

    for headers in stripe_server.headers:
        assert headers["Stripe-Account"] == "acct_1"
        assert headers["Stripe-Version"] == "2026-10-28.endive"
        assert headers["Authorization"] == "Bearer sk_test_sandbox"
        assert "X-Stripe-Client-Telemetry" not in headers


@pytest.mark.parametrize(
    ("details", "email", "name"),
    [
        ({"email": "ann@example.org", "name": "Ann"}, "ann@example.org", "Ann"),
        ({"email": None, "name": "Ann"}, "", "Ann"),
        ({}, "", ""),
        (None, "", ""),
    ],
)
def test_a_charge_tells_who_paid(stripe_account, organisation, details, email, name):
    paid = charge(billing_details=details)
    stripe_account.put("charges", paid)
    stripe_account.put("balance_transactions", transaction("charge", 5000, source=paid["id"]))

    [movement] = read_account(organisation).movements

    assert (movement.donor_email, movement.donor_name) == (email, name)
