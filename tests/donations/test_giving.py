"""How an organisation takes gifts: allowed, refused, and held by the database too."""

import pytest
from django.db import IntegrityError, transaction

from common.money import CURRENCIES, exponent_of, from_stripe, to_stripe
from donations.errors import (
    AmountOutOfRange,
    CurrencyNotOffered,
    LastCurrency,
    LastDecimalNotZero,
    TermsUnusable,
    UnknownCurrency,
)
from donations.models import GivingCurrency
from donations.models.giving import STRIPE_LEAST, bounds_of, terms_in, terms_of, usual_terms
from donations.services.giving import check_amount, remove_currency, set_terms
from tests.factories import OrganisationFactory

TERMS = {"currency": "EUR", "presets": [500, 1000, 2000], "least": 200, "most": 100_000}
pytestmark = pytest.mark.django_db


@pytest.fixture
def charity():
    """An organisation that has set nothing."""
    return OrganisationFactory(slug="lantern", currency="CHF")


def test_what_is_usual_holds_where_nothing_was_set(charity):
    terms = terms_of(charity)

    assert list(terms) == ["CHF", "EUR", "USD", "GBP", "JPY"]
    assert terms["CHF"].presets == [1000, 2500, 5000, 10_000, 25_000]
    assert (terms["JPY"].least, terms["JPY"].most) == (100, 999_999)
    assert not GivingCurrency.objects.exists()


@pytest.mark.parametrize("currency", CURRENCIES)
def test_what_is_usual_can_be_set_and_charged(charity, currency):
    terms = usual_terms(charity, currency)

    kept = set_terms(
        organisation=charity,
        currency=currency,
        presets=terms.presets,
        least=terms.least,
        most=terms.most,
    )

    assert kept.least >= STRIPE_LEAST.get(currency, 1)
    assert to_stripe(kept.most, currency) <= 99_999_999


@pytest.mark.parametrize(
    ("currency", "least", "most"),
    [
        ("EUR", 100, 99_999_900),
        ("JPY", 100, 999_999),
        ("KWD", 1000, 99_999_900),
        ("HUF", 17_500, 99_999_900),
        ("CZK", 1500, 99_999_900),
        ("ISK", 100, 999_999),
    ],
)
def test_amounts_have_limits(charity, currency, least, most):
    def check(amount):
        check_amount(organisation=charity, amount=amount, currency=currency)

    check(least)
    check(most)
    for amount in (least - 1, most + 1, 0, -least, 2**63):
        with pytest.raises(AmountOutOfRange, match="Give between"):
            check(amount)


def test_the_first_change_writes_down_what_was_usual(charity):
    set_terms(organisation=charity, **TERMS)

    terms = terms_of(charity)
    assert list(terms) == ["CHF", "EUR", "GBP", "JPY", "USD"]
    assert terms["EUR"].presets == [500, 1000, 2000]
    assert terms["USD"].presets == usual_terms(charity, "USD").presets
    assert str(terms["EUR"]) == "EUR"


def test_terms_are_changed_and_are_the_organisations_own(charity):
    other = OrganisationFactory(currency="EUR")
    set_terms(organisation=charity, **TERMS)

    set_terms(organisation=charity, **{**TERMS, "least": 300})

    assert terms_of(charity)["EUR"].least == 300
    assert terms_of(other)["EUR"].least == 100


def test_the_limits_that_were_set_are_those_of_gifts(charity):
    set_terms(organisation=charity, **TERMS)

    check_amount(organisation=charity, amount=200, currency="EUR")
    with pytest.raises(AmountOutOfRange, match=r"between 2\.00 EUR and 1,000\.00 EUR"):
        check_amount(organisation=charity, amount=199, currency="EUR")


def test_a_currency_can_be_offered_no_more_but_for_the_last(charity):
    for code in ("CHF", "GBP", "JPY", "USD"):
        remove_currency(organisation=charity, currency=code)

    assert list(terms_of(charity)) == ["EUR"]
    assert terms_in(charity, "CHF") is None
    with pytest.raises(CurrencyNotOffered):
        check_amount(organisation=charity, amount=1000, currency="CHF")
    with pytest.raises(CurrencyNotOffered):
        remove_currency(organisation=charity, currency="CHF")
    with pytest.raises(LastCurrency):
        remove_currency(organisation=charity, currency="EUR")


def test_programs_give_in_any_currency_until_some_were_chosen(charity):
    check_amount(organisation=charity, amount=1000, currency="SEK")

    set_terms(organisation=charity, **TERMS)

    with pytest.raises(CurrencyNotOffered):
        check_amount(organisation=charity, amount=1000, currency="SEK")


@pytest.mark.parametrize("currency", ["eur", "XXX", "CREDIT", "", "BTC"])
def test_what_is_no_currency_is_refused(charity, currency):
    with pytest.raises(UnknownCurrency):
        check_amount(organisation=charity, amount=1000, currency=currency)
    with pytest.raises(UnknownCurrency):
        set_terms(organisation=charity, **{**TERMS, "currency": currency})


def test_of_three_decimals_the_last_is_zero(charity):
    check_amount(organisation=charity, amount=1250, currency="KWD")

    with pytest.raises(LastDecimalNotZero):
        check_amount(organisation=charity, amount=1255, currency="KWD")


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"least": 49}, "least", r"no less than 0\.50 EUR"),
        ({"most": 99_999_901}, "most", r"more than 999,999\.00 EUR"),
        ({"most": 199}, "most", "below the least"),
        ({"presets": [500, 1000]}, "presets", "Enter 3 to 6 amounts"),
        ({"presets": [200, 300, 400, 500, 600, 700, 800]}, "presets", "Enter 3 to 6"),
        ({"presets": [500, 500, 1000]}, "presets", "smallest first"),
        ({"presets": [1000, 500, 2000]}, "presets", "smallest first"),
        ({"presets": [199, 500, 1000]}, "presets", "between the least and the most"),
        ({"presets": [500, 1000, 100_001]}, "presets", "between the least and the most"),
        ({"currency": "KWD", "least": 1001, "presets": [2000, 3000, 4000]}, "least", "third"),
        (
            {"currency": "KWD", "least": 1000, "most": 9001, "presets": [2000, 3000, 4000]},
            "most",
            "third",
        ),
        ({"currency": "KWD", "least": 1000, "presets": [2000, 3005, 4000]}, "presets", "third"),
        ({"currency": "HUF"}, "least", r"no less than 175\.00 HUF"),
        ({"currency": "JPY", "least": 49}, "least", "no less than 50 JPY"),
    ],
)
def test_terms_that_nobody_can_give_by_are_refused_with_the_field(charity, change, field, words):
    for _ in range(2):
        with pytest.raises(TermsUnusable, match=words) as refusal:
            set_terms(organisation=charity, **{**TERMS, **change})

        assert refusal.value.field == field
    assert not GivingCurrency.objects.exists()


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"currency": "eur"}, "giving_currency_is_iso_4217"),
        ({"least": 0}, "giving_has_a_range"),
        ({"most": 100}, "giving_has_a_range"),
        ({"most": 2**53}, "giving_has_a_range"),
        ({"presets": [500, 1000]}, "giving_has_three_to_six_presets"),
        ({"presets": []}, "giving_has_three_to_six_presets"),
        ({"presets": [200, 300, 400, 500, 600, 700, 800]}, "giving_has_three_to_six_presets"),
        ({"presets": [199, 500, 1000]}, "giving_presets_are_in_range"),
        ({"presets": [500, 1000, 100_001]}, "giving_presets_are_in_range"),
    ],
)
def test_the_database_refuses_them_too(charity, change, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        GivingCurrency.objects.create(organisation=charity, **{**TERMS, **change})


def test_a_currency_has_one_row_in_an_organisation(charity):
    GivingCurrency.objects.create(organisation=charity, **TERMS)

    with pytest.raises(IntegrityError, match="pkey"), transaction.atomic():
        GivingCurrency.objects.bulk_create([GivingCurrency(organisation=charity, **TERMS)])


@pytest.mark.parametrize(
    ("amount", "currency", "stripes"),
    [
        (5000, "EUR", 5000),
        (500, "JPY", 500),
        (1250, "KWD", 1250),
        (17_550, "HUF", 17_550),
        (10_050, "TWD", 10_050),
        (5, "ISK", 500),
        (5, "UGX", 500),
    ],
)
def test_stripe_counts_a_few_currencies_otherwise(amount, currency, stripes):
    assert to_stripe(amount, currency) == stripes
    assert from_stripe(stripes, currency) == amount


def test_a_part_of_a_krona_is_refused():
    with pytest.raises(ValueError, match="ISK has no decimals"):
        from_stripe(501, "ISK")


def test_every_currency_has_bounds_that_leave_room():
    for currency in CURRENCIES:
        least, most = bounds_of(currency)

        assert 0 < least < most
        assert least % {3: 10}.get(exponent_of(currency), 1) == 0
