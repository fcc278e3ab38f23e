"""What every balance transaction becomes in the book."""

import pytest

from ledger.models import Entry
from tests.factories import DonationFactory
from tests.treasury.movements import book_all, cases, charged, entries, movement
from treasury.models import BalanceTransaction

FUND, EXTERNAL = "fund:general", "external"


def test_a_gift_is_received_in_full_and_its_fee_goes_out_of_its_fund(organisation, gift):
    paid = charged(5000, 100, donation_id=gift.id)

    assert book_all(organisation, paid) == 1

    assert entries(organisation) == [
        ("DONATION_RECEIVED", 5000, "EUR", "stripe", "fund:winter-shelter"),
        ("PROCESSING_FEE", 100, "EUR", "fund:winter-shelter", "stripe"),
    ]
    received, fee = Entry.objects.of(organisation).filter(sequence__gt=0).order_by("sequence")
    assert received.nonce == f"stripe:acct_1:{paid.id}:charge"
    assert fee.nonce == f"stripe:acct_1:{paid.id}:fee"
    assert received.metadata == {"donation": gift.id, "charge": paid.charge}
    assert received.occurred_at == paid.occurred_at
    gift.refresh_from_db()
    assert (gift.status, gift.sequence) == ("settled", received.sequence)
    assert (gift.settled_amount, gift.settled_currency) == (5000, "EUR")
    assert (gift.settled_at, gift.paid_at) == (received.recorded_at, paid.occurred_at)
    row = BalanceTransaction.objects.get()
    assert (row.purpose, row.donation, row.charge) == ("fund:winter-shelter", gift.id, paid.charge)
    assert (row.amount, row.fee, row.net, row.sequence) == (5000, 100, 4900, received.sequence)
    assert str(row) == paid.id
    assert cases() == []


def test_a_gift_in_another_currency_says_what_was_given_and_the_rate(organisation):
    gift = DonationFactory(organisation=organisation, amount=5000, currency="JPY")
    rate = {"given": 5000, "given_currency": "JPY", "exchange_rate": "0.00612"}

    book_all(organisation, charged(3060, 186, donation_id=gift.id, **rate))

    assert entries(organisation) == [
        ("DONATION_RECEIVED", 3060, "EUR", "stripe", FUND),
        ("PROCESSING_FEE", 186, "EUR", FUND, "stripe"),
    ]
    metadata = Entry.objects.of(organisation).get(sequence=1).metadata
    assert metadata["presentment"] == {"amount": 5000, "currency": "JPY"}
    assert metadata["exchange_rate"] == "0.00612"
    gift.refresh_from_db()
    assert (gift.status, gift.settled_amount, gift.settled_currency) == ("settled", 3060, "EUR")


def test_a_charge_that_is_not_ours_is_external_with_its_fee(organisation):
    book_all(organisation, charged(5000, 100))

    assert entries(organisation) == [
        ("EXTERNAL_ACTIVITY", 5000, "EUR", "stripe", EXTERNAL),
        ("PROCESSING_FEE", 100, "EUR", EXTERNAL, "stripe"),
    ]
    assert cases() == []


@pytest.mark.parametrize(
    ("category", "amount", "entry"),
    [
        ("refund", -2000, ("DONATION_REFUNDED", 2000, "EUR", FUND, "stripe")),
        ("refund_failure", 2000, ("REFUND_FAILED", 2000, "EUR", "stripe", FUND)),
        ("dispute", -5000, ("DISPUTE_OPENED", 5000, "EUR", FUND, "stripe")),
        ("dispute_reversal", 5000, ("DISPUTE_WON", 5000, "EUR", "stripe", FUND)),
    ],
)
@pytest.mark.parametrize("fee", [0, 2000, -300])
def test_what_becomes_of_a_charge_follows_its_purpose(organisation, category, amount, entry, fee):
    for purpose in (FUND, EXTERNAL):
        gift = DonationFactory(organisation=organisation)
        paid = charged(5000, donation_id=gift.id if purpose == FUND else "")
        returned = movement("refund", -3000, charge=paid.charge, source="re_0")
        book_all(organisation, paid, *[returned] * (category == "refund_failure"))
        before = len(entries(organisation))
        consequence = movement(category, amount, fee, charge=paid.charge, source="re_1")

        book_all(organisation, consequence)

        name = "DISPUTE_FEE" if category.startswith("dispute") else "PROCESSING_FEE"
        fees = {
            0: [],
            2000: [(name, 2000, "EUR", purpose, "stripe")],
            -300: [(name, 300, "EUR", "stripe", purpose)],
        }
        expected = [tuple(purpose if part == FUND else part for part in entry), *fees[fee]]
        assert entries(organisation)[before:] == expected
        row = BalanceTransaction.objects.get(stripe_id=consequence.id)
        assert (row.purpose, row.charge) == (purpose, paid.charge)
        assert row.donation == (gift.id if purpose == FUND else "")
    assert cases() == []


@pytest.mark.parametrize(
    ("category", "amount", "fee", "expected"),
    [
        ("payout", -4900, 0, [("PAYOUT_SENT", 4900, "EUR", "in_transit", "stripe")]),
        (
            "payout",
            -4900,
            25,
            [
                ("PAYOUT_SENT", 4900, "EUR", "in_transit", "stripe"),
                ("PROVIDER_FEE", 25, "EUR", FUND, "stripe"),
            ],
        ),
        ("payout_reversal", 4900, 0, [("PAYOUT_RETURNED", 4900, "EUR", "stripe", "in_transit")]),
        ("fee", -30, 0, [("PROVIDER_FEE", 30, "EUR", FUND, "stripe")]),
        (
            "fee",
            -30,
            6,
            [
                ("PROVIDER_FEE", 30, "EUR", FUND, "stripe"),
                ("PROVIDER_FEE", 6, "EUR", FUND, "stripe"),
            ],
        ),
        ("network_cost", -7, 0, [("PROVIDER_FEE", 7, "EUR", FUND, "stripe")]),
        ("tax", -6, 0, [("PROVIDER_FEE", 6, "EUR", FUND, "stripe")]),
        # What Stripe gives back of its fees.
        ("fee", 25, 0, [("PROVIDER_FEE", 25, "EUR", "stripe", FUND)]),
        ("tax", 6, 0, [("PROVIDER_FEE", 6, "EUR", "stripe", FUND)]),
    ],
)
def test_payouts_and_fees(organisation, category, amount, fee, expected):
    book_all(organisation, movement(category, amount, fee))

    assert entries(organisation) == expected
    assert cases() == []


@pytest.mark.parametrize(
    ("category", "amount", "fee"),
    [
        ("telepathy", 700, 0),
        ("transfer", -700, 0),
        ("other_adjustment", -700, 20),
        ("topup", 700, -20),
        ("", 700, 0),
        ("charge", -700, 0),
        ("refund", 700, 0),
        ("refund_failure", -700, 20),
        ("dispute", 700, 0),
        ("dispute_reversal", -700, 0),
        ("payout", 700, 0),
        ("payout_reversal", -700, 0),
    ],
)
def test_an_unknown_kind_or_sign_is_unclassified_and_for_staff(organisation, category, amount, fee):
    gift = DonationFactory(organisation=organisation, amount=700)
    odd = movement(category, amount, fee, charge="ch_1", donation_id=gift.id)

    book_all(organisation, odd)

    places = ("stripe", "unclassified")
    debit, credit = places if amount > 0 else places[::-1]
    fees = {
        0: [],
        20: [("UNCLASSIFIED", 20, "EUR", "unclassified", "stripe")],
        -20: [("UNCLASSIFIED", 20, "EUR", "stripe", "unclassified")],
    }
    assert entries(organisation) == [("UNCLASSIFIED", 700, "EUR", debit, credit), *fees[fee]]
    metadata = Entry.objects.of(organisation).get(sequence=1).metadata
    assert (metadata["category"], metadata["type"]) == (category, category)
    assert cases() == [("unclassified", odd.id)]
    gift.refresh_from_db()
    assert gift.status == "pending"


def test_what_moved_nothing_has_no_entry_and_is_not_read_again(organisation):
    nothing = movement("fee", 0)

    assert [book_all(organisation, nothing), book_all(organisation, nothing)] == [1, 0]

    assert entries(organisation) == []
    assert BalanceTransaction.objects.get().sequence is None


def test_a_debit_that_bounces_after_all_goes_back_like_a_refund(organisation, gift):
    paid = charged(5000, 35, donation_id=gift.id)
    bounced = movement("charge_failure", -5000, charge=paid.charge, source=paid.charge)

    book_all(organisation, paid, bounced)

    assert entries(organisation)[2:] == [
        ("DONATION_REFUNDED", 5000, "EUR", "fund:winter-shelter", "stripe")
    ]
    gift.refresh_from_db()
    assert (gift.status, gift.refunded_amount) == ("refunded", 5000)
    assert cases() == []
