"""What cannot be booked, or not as it claims: staff see it, and it holds up no other."""

from dataclasses import replace

import pytest

from reviews.models import Case
from tests.factories import DonationFactory, OrganisationFactory
from tests.treasury.movements import book_all, cases, charged, entries, movement
from treasury.errors import TransactionMalformed

EXTERNAL = "external"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"has_application_fee": True}, "ApplicationFeeFound"),
        ({"livemode": True}, "WrongLivemode"),
        ({"net": 4999}, "TransactionMalformed"),
        ({"currency": "E\x00R"}, "DraftRefused"),
        ({"currency": "EURO"}, "IntegrityError"),
        ({"amount": 2**53, "net": 2**53}, "DraftRefused"),
        ({"source": "x" * 256}, "DataError"),
        ({"type": "x" * 65}, "DataError"),
    ],
)
def test_what_cannot_be_booked_is_for_staff_and_holds_up_no_other(organisation, changes, error):
    first, last = charged(5000), charged(7000)
    bad = replace(charged(5000), **changes)

    for _ in range(2):
        book_all(organisation, first, bad, last)

    assert [amount for _, amount, *_ in entries(organisation)] == [5000, 7000]
    case = Case.objects.get()
    assert (case.kind, case.subject, case.organisation) == ("unbooked", bad.id, organisation)
    assert case.summary.startswith(f"{error}: ")
    assert "\n" not in case.summary


def test_a_live_site_takes_live_charges_alone(organisation, settings):
    settings.STRIPE_LIVEMODE = True
    live, test = replace(charged(5000), livemode=True), charged(7000)

    book_all(organisation, live, test)

    assert entries(organisation) == [("EXTERNAL_ACTIVITY", 5000, "EUR", "stripe", EXTERNAL)]
    assert cases() == [("unbooked", test.id)]


def test_a_malformed_transaction_is_for_staff_once(organisation):
    malformed = TransactionMalformed("txn_bad: KeyError in its fields.")

    for _ in range(2):
        book_all(organisation, malformed, charged(5000))

    assert len(entries(organisation)) == 2
    assert cases() == [("unbooked", "txn_bad")]


@pytest.mark.parametrize("charge", ["ch_unknown", ""])
@pytest.mark.parametrize("category", ["refund", "dispute"])
def test_a_consequence_of_an_unknown_charge_is_for_staff(organisation, category, charge):
    book_all(organisation, charged(5000), movement(category, -5000, charge=charge))

    assert len(entries(organisation)) == 1
    assert cases()[0][0] == "unbooked"
    assert Case.objects.get().summary.startswith(f"ChargeNotBooked: {category} of charge")


def test_a_refund_whose_charge_comes_later_is_booked_then(organisation):
    paid = charged(5000)
    returned = movement("refund", -2000, charge=paid.charge)
    book_all(organisation, returned)

    book_all(organisation, paid, returned)

    assert [operation for operation, *_ in entries(organisation)] == [
        "EXTERNAL_ACTIVITY",
        "DONATION_REFUNDED",
    ]


@pytest.mark.parametrize("is_in_one_reading", [True, False])
def test_a_second_charge_for_a_gift_is_external_and_for_staff(
    organisation, gift, is_in_one_reading
):
    first, second = (charged(5000, donation_id=gift.id) for _ in range(2))

    if is_in_one_reading:
        book_all(organisation, first, second)
    else:
        book_all(organisation, first)
        book_all(organisation, second)

    assert [credit for *_, credit in entries(organisation)] == ["fund:winter-shelter", EXTERNAL]
    assert cases() == [("mismatch", second.id)]
    assert Case.objects.get().summary.endswith(f" Gift {gift.id}, charge {second.charge}.")
    gift.refresh_from_db()
    assert (gift.status, gift.sequence) == ("settled", 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"given": 4999},
        {"given": 5001},
        {"given": 5000, "given_currency": "JPY"},
        {"given": 0, "given_currency": ""},
    ],
)
def test_a_charge_of_another_amount_than_its_gift_is_external_and_for_staff(
    organisation, gift, changes
):
    odd = charged(5000, donation_id=gift.id, **changes)

    book_all(organisation, odd)

    assert entries(organisation)[0][-1] == EXTERNAL
    assert cases() == [("mismatch", odd.id)]
    gift.refresh_from_db()
    assert gift.status == "pending"


def test_a_gift_whose_charge_brought_nothing_is_for_staff(organisation, gift):
    odd = charged(0, 30, donation_id=gift.id, given=5000)

    book_all(organisation, odd)

    assert entries(organisation) == [("PROCESSING_FEE", 30, "EUR", EXTERNAL, "stripe")]
    assert cases() == [("mismatch", odd.id)]
    gift.refresh_from_db()
    assert gift.status == "pending"


@pytest.mark.parametrize("name", ["", "don_unknown", "\u202e", "x" * 300])
def test_a_charge_may_claim_anything(organisation, name):
    theirs = DonationFactory(organisation=OrganisationFactory())

    book_all(organisation, charged(5000, donation_id=name), charged(5000, donation_id=theirs.id))

    assert [credit for *_, credit in entries(organisation)] == [EXTERNAL, EXTERNAL]
    assert cases() == []
    theirs.refresh_from_db()
    assert theirs.status == "pending"
