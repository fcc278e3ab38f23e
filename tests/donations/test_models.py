"""Funds and gifts: what their rows may say."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from donations.models import Donation, Fund
from donations.services.funds import create_fund
from tests.factories import (
    ApplicantFactory,
    DonationFactory,
    FundFactory,
    OrganisationFactory,
    gift_entries,
)

pytestmark = pytest.mark.django_db


def test_an_approved_organisation_has_a_general_fund():
    organisation = OrganisationFactory()

    fund = Fund.objects.of(organisation).get()

    assert (str(fund), fund.slug, fund.account) == ("General", "general", "fund:general")
    assert not Fund.objects.of(ApplicantFactory()).exists()


def test_a_fund_is_opened_once():
    organisation = OrganisationFactory()
    fields = {"organisation": organisation, "slug": "boats", "name": "Boats", "goal": 100_000}

    first = create_fund(**fields)
    again = create_fund(**fields | {"name": "Ships"})

    assert first == again
    assert (again.name, again.goal) == ("Boats", 100_000)


def test_the_funds_of_an_organisation_stand_in_their_order():
    organisation = OrganisationFactory()
    for name, position in [("Soup", 2), ("Boats", 2), ("Roof", 1)]:
        FundFactory(organisation=organisation, name=name, position=position)
    FundFactory()

    assert [fund.name for fund in Fund.objects.of(organisation)] == [
        "Roof",
        "Boats",
        "Soup",
        "General",
    ]
    assert Fund.objects.names(organisation)["fund:general"] == "General"


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"slug": "Winter"}, "fund_slug_is_plain"),
        ({"slug": "a--b"}, "fund_slug_is_plain"),
        ({"slug": ""}, "fund_slug_is_plain"),
        ({"goal": 0}, "fund_goal_is_positive"),
        ({"slug": "general"}, "fund_slug_is_unique_in_its_organisation"),
    ],
)
def test_what_a_fund_may_not_be(fields, constraint):
    organisation = OrganisationFactory()

    with pytest.raises(IntegrityError, match=constraint):
        FundFactory(organisation=organisation, **fields)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"amount": 0}, "donation_is_positive"),
        ({"amount": -1}, "donation_is_positive"),
        ({"amount": 2**53}, "donation_is_positive"),
        ({"currency": "eur"}, "donation_currency_is_iso_4217"),
        ({"fund": "unknown"}, "donation_is_for_a_fund_of_its_organisation"),
        ({"status": "settled"}, "donation_status_fits_its_ledger"),
        ({"status": "refunded"}, "donation_status_fits_its_ledger"),
        ({"status": "lost"}, "donation_status_fits_its_ledger"),
        ({"sequence": 1}, "donation_settled_is_in_ledger"),
        ({"settled_at": timezone.now()}, "donation_settled_is_in_ledger"),
        ({"refunded_amount": -1}, "donation_refund_is_of_its_amount"),
        ({"refunded_amount": 5001}, "donation_refund_is_of_its_amount"),
        (
            {"sequence": 999, "settled_at": timezone.now(), "settled_amount": 5000},
            "donation_stands_in_the_ledger",
        ),
    ],
)
def test_what_a_gift_may_not_say(fields, constraint):
    organisation = OrganisationFactory()

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        DonationFactory(organisation=organisation, **fields)
        connection.check_constraints()


def test_two_gifts_share_no_entry_and_no_key():
    organisation = OrganisationFactory()
    [entry] = gift_entries(organisation)
    stands = {"sequence": entry.sequence, "settled_at": timezone.now(), "settled_amount": 5000}
    DonationFactory(organisation=organisation, idempotency_key="k", **stands)

    for fields, constraint in [
        (stands, "donation_has_an_entry_of_its_own"),
        ({"idempotency_key": "k"}, "donation_idempotency_key_is_new"),
    ]:
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            DonationFactory(organisation=organisation, **fields)


def test_a_gift_is_opened_by_its_token_alone(settings):
    gift, other = DonationFactory(), DonationFactory()

    assert gift.is_opened_by(gift.token)
    assert len(gift.token) == 32
    for token in ("", other.token, gift.token.upper() + "x", "é", gift.token[:-1]):
        assert not gift.is_opened_by(token)
    token, settings.SECRET_KEY = gift.token, "another-secret-key-of-a-fair-length"
    assert not gift.is_opened_by(token)


def test_a_gift_is_named_by_its_id_and_not_by_its_giver():
    gift = DonationFactory(donor_email="zoe@example.org", donor_name="Zoë")

    assert str(gift) == gift.id


def test_names_are_shown_where_donors_chose_to():
    organisation = OrganisationFactory()
    shown, hidden = gift_entries(organisation, 2)
    for entry, name in [(shown, "Zoë"), (hidden, "")]:
        stands = {"sequence": entry.sequence, "settled_at": timezone.now(), "settled_amount": 1}
        DonationFactory(organisation=organisation, public_name=name, **stands)

    names = Donation.objects.of(organisation).names_shown([shown.sequence, hidden.sequence, 99])

    assert names == {shown.sequence: "Zoë"}
