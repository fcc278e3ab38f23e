"""Reading payouts over HTTP, and what is in them."""

from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from common.errors import TryAgainLater
from tests.stripe_resources import MORNING, payout, transaction
from tests.treasury.movements import movement
from treasury.errors import PayoutMalformed, TransactionMalformed
from treasury.models import Payout
from treasury.services import payout_reading
from treasury.services.payout_reading import (
    ItemFacts,
    PayoutFacts,
    may_tell_of_payouts,
    read_payouts,
)
from treasury.services.payouts import keep_payouts
from treasury.services.reading import Reading

DAY = 86_400


def asked(server):
    """Return what was asked: the path, and after what or of which payout."""
    for path in server.asked:
        url = urlsplit(path)
        query = {name: value[0] for name, value in parse_qs(url.query).items()}
        yield (
            url.path.removeprefix("/v1/"),
            query.get("payout") or query.get("starting_after", ""),
        )


def composed(account, one, *rows):
    """Put a payout into an account with what is in it, its own transaction included."""
    own = transaction("payout", -one["amount"], id=one["balance_transaction"], source=one["id"])
    account.put("payouts", one)
    account.put("balance_transactions", own, *rows)
    account.compositions[one["id"]] = [own["id"], *(row["id"] for row in rows)]
    return one


def read_and_keep(organisation):
    reading = read_payouts(organisation)
    keep_payouts(organisation=organisation, reading=reading)
    return reading


def test_a_payout_is_told_with_what_is_in_it(stripe_account, organisation):
    bank = {"object": "bank_account", "bank_name": "BANK OF GHENT", "last4": "2606"}
    gift, fee = transaction("charge", 5000, 100), transaction("fee", -25)
    one = payout(4875, destination=bank, created=MORNING, failure_balance_transaction={"id": "t"})
    composed(stripe_account, one, gift, fee)

    reading = read_payouts(organisation)

    assert reading.payouts == [
        PayoutFacts(
            stripe_id=one["id"],
            amount=4875,
            currency="EUR",
            status="paid",
            arrival_on=date(2026, 10, 7),
            automatic=True,
            reconciliation_status="completed",
            trace_id="TRACE1",
            bank_name="BANK OF GHENT",
            bank_last4="2606",
            failure_code="",
            failure_message="",
            transaction=one["balance_transaction"],
            failure_transaction="t",
            created_at=datetime.fromtimestamp(MORNING, UTC),
        )
    ]
    [items] = reading.compositions.values()
    assert [(item.stripe_id, item.net) for item in items] == [(fee["id"], -25), (gift["id"], 4900)]
    assert items[1] == ItemFacts(
        stripe_id=gift["id"],
        reporting_category="charge",
        amount=5000,
        fee=100,
        net=4900,
        occurred_at=datetime.fromtimestamp(gift["created"], UTC),
    )


def test_what_stripe_leaves_out_is_empty(stripe_account, organisation):
    bare = {
        "destination": None,
        "trace_id": None,
        "reconciliation_status": None,
        "balance_transaction": None,
    }
    card = {"object": "card", "brand": "Visa", "last4": "4242"}
    stripe_account.put("payouts", payout(1, **bare), payout(2, destination=card))

    second, first = read_payouts(organisation).payouts

    assert (first.bank_name, first.bank_last4, first.trace_id) == ("", "", "")
    assert (first.transaction, first.reconciliation_status) == ("", "")
    assert (second.bank_name, second.bank_last4) == ("Visa", "4242")


@pytest.mark.parametrize(
    "changes",
    [{"automatic": False}, {"reconciliation_status": "in_progress"}],
)
def test_what_is_in_a_payout_is_asked_for_when_stripe_can_say(
    stripe_server, stripe_account, organisation, changes
):
    stripe_account.put("payouts", payout(1000, **changes))

    assert read_payouts(organisation).compositions == {}
    assert list(asked(stripe_server)) == [("payouts", "")]


def test_a_composition_is_read_to_its_end_and_once(stripe_server, stripe_account, organisation):
    rows = [transaction("charge", 10) for _ in range(250)]
    one = composed(stripe_account, payout(2500), *rows)

    first = read_and_keep(organisation)
    second = read_and_keep(organisation)

    assert len(first.compositions[one["id"]]) == 250
    assert second.compositions == {}
    told = [path for path, _ in asked(stripe_server)]
    assert told == ["payouts", *["balance_transactions"] * 3, "payouts"]


def test_one_that_does_not_add_up_is_asked_for_again_an_hour_later(
    stripe_server, stripe_account, organisation
):
    one = composed(stripe_account, payout(2500), transaction("charge", 2400))
    read_and_keep(organisation)
    assert read_and_keep(organisation).compositions == {}
    late = transaction("charge", 100)
    stripe_account.put("balance_transactions", late)
    stripe_account.compositions[one["id"]].append(late["id"])
    Payout.objects.update(composed_at=datetime.now(UTC) - timedelta(hours=1, minutes=1))

    read_and_keep(organisation)

    kept = Payout.objects.get()
    assert (kept.composition_is_whole, kept.stripe_id) == (True, one["id"])


def test_of_a_long_history_some_are_composed_at_a_time_until_all_are(
    stripe_server, stripe_account, organisation, monkeypatch
):
    monkeypatch.setattr(payout_reading, "COMPOSITIONS_MAX", 2)
    names = [
        composed(stripe_account, payout(10), transaction("charge", 10))["id"] for _ in range(5)
    ]

    readings = [read_and_keep(organisation) for _ in range(4)]

    assert [list(reading.compositions) for reading in readings] == [
        [names[4], names[3]],
        [names[2], names[1]],
        [names[0]],
        [],
    ]
    assert [reading.is_partial for reading in readings] == [True, True, False, False]


@pytest.fixture
def history(stripe_account):
    """Payouts of a year and a half, one every other day, sent by hand and long arrived."""
    days = range(0, 500, 2)
    rows = [payout(100, automatic=False, created=MORNING - DAY * day) for day in days]
    stripe_account.put("payouts", *rows)
    return rows


def test_a_page_that_brings_nothing_new_is_the_last(stripe_server, organisation, history):
    read_and_keep(organisation)
    assert Payout.objects.count() == 250
    first = [("payouts", ""), ("payouts", history[99]["id"]), ("payouts", history[199]["id"])]
    assert list(asked(stripe_server)) == first
    stripe_server.asked.clear()

    read_and_keep(organisation)

    assert list(asked(stripe_server)) == first[:1]


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "in_transit"},
        {"automatic": True, "reconciliation_status": "in_progress"},
        {"status": "failed"},
    ],
)
def test_reading_goes_on_after_one_that_changed_or_will(
    stripe_server, organisation, history, changes
):
    read_and_keep(organisation)
    stripe_server.asked.clear()
    history[50].update(changes)

    read_payouts(organisation)

    assert [path for path, _ in asked(stripe_server)] == ["payouts"] * 2


def test_payouts_of_the_last_fortnight_are_read_again_however_many(
    stripe_server, stripe_account, organisation
):
    rows = [payout(1, automatic=False, created=MORNING - DAY // 10 * n) for n in range(350)]
    stripe_account.put("payouts", *rows)
    read_and_keep(organisation)
    stripe_server.asked.clear()

    read_payouts(organisation)

    # A hundred and forty of them, and the rest of their page.
    assert [path for path, _ in asked(stripe_server)] == ["payouts"] * 2


def test_failed_and_canceled_ones_are_over(stripe_server, organisation, history):
    for row, status in zip(history, ["failed", "canceled"] * 125, strict=True):
        row.update(status=status, automatic=True, reconciliation_status="in_progress")
    read_and_keep(organisation)
    stripe_server.asked.clear()

    read_payouts(organisation)

    assert list(asked(stripe_server)) == [("payouts", "")]


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "100"},
        {"amount": None},
        {"currency": "euro"},
        {"currency": 7},
        {"status": "teleported"},
        {"arrival_date": None},
        {"created": 10**30},
        {"automatic": ...},
        {"trace_id": "x"},
        {"balance_transaction": {"object": "balance_transaction"}},
    ],
)
def test_a_malformed_payout_is_told_as_such_beside_the_others(
    stripe_account, organisation, changes
):
    bad = {**payout(100), "id": "po_bad", **changes}
    bad = {name: value for name, value in bad.items() if value is not ...}
    good = payout(100, automatic=False)
    stripe_account.put("payouts", good, bad)
    stripe_account.list = lambda kind: stripe_account.objects[kind]

    first, second = read_payouts(organisation).payouts

    assert first.stripe_id == good["id"]
    assert isinstance(second, PayoutMalformed)
    assert str(second).startswith("po_bad: ")


def test_pages_of_nothing_but_malformed_ones_are_all_read(
    stripe_server, stripe_account, organisation
):
    stripe_account.put("payouts", *(payout(100, status="odd") for _ in range(150)))

    payouts = read_payouts(organisation).payouts

    assert len(payouts) == 150
    assert len(stripe_server.asked) == 2


@pytest.mark.parametrize(
    "changes", [{"amount": "1"}, {"net": 7}, {"created": None}, {"reporting_category": ...}]
)
def test_a_composition_with_a_malformed_row_is_told_as_such(stripe_account, organisation, changes):
    bad = {**transaction("charge", 100), **changes}
    bad = {name: value for name, value in bad.items() if value is not ...}
    one = composed(stripe_account, payout(100), bad)
    stripe_account.list = lambda kind: stripe_account.objects[kind]

    composition = read_payouts(organisation).compositions[one["id"]]

    assert isinstance(composition, PayoutMalformed)
    assert str(composition).startswith(f"{one['id']}: ")


def test_an_outage_is_told_as_such(stripe_server, stripe_account, organisation):
    stripe_server.trouble = "500"

    with pytest.raises(TryAgainLater):
        read_payouts(organisation)


@pytest.mark.parametrize(
    ("types", "categories", "expected"),
    [
        ([], [], False),
        (["charge.updated", "balance.available"], ["charge", "fee"], False),
        (["charge.updated", "payout.paid"], [], True),
        (["payout.reconciliation_completed"], [], True),
        (["charge.updated"], ["charge", "payout"], True),
        ([], ["payout_reversal"], True),
    ],
)
def test_payouts_are_read_when_something_is_said_of_them(types, categories, expected):
    moved = [movement(category, 100) for category in categories]
    reading = Reading([*moved, TransactionMalformed()], {}, datetime.now(UTC))

    assert may_tell_of_payouts(types, reading) is expected
