"""The donate page: from a form to the payment page, and every way not to get there."""
# ruff: noqa: RUF001 - digits of other scripts are what is typed

import re
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from django.test import Client
from django.utils import timezone

from donations.models import Donation
from donations.models.fees import measured_fee
from donations.services.giving import remove_currency, set_terms
from ledger.operations import MoneyOperation
from tests.factories import (
    NOON,
    ApplicantFactory,
    FundFactory,
    OrganisationFactory,
    StripeAccountStateFactory,
    gift_entries,
)
from tests.pages.conftest import text_of, write

URL = "/o/lantern-house/donate"
KEY = "a-key-of-sixteen-characters"
GIFT = {
    "currency": "EUR",
    "amount": "2500",
    "fund": "winter-shelter",
    "public": "no",
    "email": "zoe@example.org",
    "key": KEY,
}


@pytest.fixture
def client(client, organisation, stripe_stand_in):
    """A visitor's browser, with a charity to give to."""
    return client


def problems_of(response) -> list[tuple[str, str]]:
    """Return the links of the error summary: field and words."""
    page = response.content.decode()
    assert "<title>Error: " in page
    return re.findall(r'<li>\s*<a href="#(\w+)">([^<]+)</a>', page)


def test_the_form_preselects_the_smallest_amount_the_first_fund_and_no_name(client):
    page = client.get(URL).content.decode()

    checked = re.findall(r'name="(\w+)"\s+value="([^"]+)"[^>]*\schecked', page)
    assert checked == [
        ("amount", "1000"),
        ("interval", "once"),
        ("fund", "winter-shelter"),
        ("public", "no"),
    ]
    assert "Continue to payment" in page
    assert "From 1.00 EUR" in page


def test_a_link_chooses_fund_and_currency(client):
    page = client.get(f"{URL}?fund=general&currency=JPY").content.decode()

    assert re.search(r'value="general"[^>]*\schecked', page)
    assert re.search(r'value="1000"[^>]*\schecked><bdi>1,000</bdi>', page)
    assert "changed on the way" in page


@pytest.mark.parametrize("query", ["fund=nothing", "currency=XYZ", "currency=eur"])
def test_a_link_that_names_nothing_known_changes_nothing(client, query):
    page = client.get(f"{URL}?{query}").content.decode()

    assert "How much, in EUR?" in page
    assert re.search(r'value="winter-shelter"[^>]*\schecked', page)


def test_a_gift_leads_to_the_payment_page(client, organisation, stripe_stand_in):
    response = client.post(URL, GIFT)

    donation = Donation.objects.get()
    assert response.status_code == 303
    assert response["Location"] == "https://checkout.example/cs_0"
    assert (donation.amount, donation.currency, donation.fund) == (2500, "EUR", "winter-shelter")
    assert (donation.donor_email, donation.public_name) == ("zoe@example.org", "")
    assert donation.idempotency_key == f"form:{KEY}"
    [asked] = map(parse_qs, stripe_stand_in.asked.values())
    assert asked["success_url"][0].endswith(f"/donations/{donation.id}?token={donation.token}")


def test_another_amount_and_a_name_to_show(client):
    client.post(
        URL, {**GIFT, "amount": "other", "other": " 40.23 ", "public": "yes", "name": "Zoe\u0308"}
    )

    donation = Donation.objects.get()
    assert (donation.amount, donation.public_name) == (4023, "Zoë")


NUMBERS = {
    "en-GB,en": ("1,000", "written like 40 or 1,000.50", "1,234.50"),
    "de-DE,de;q=0.9": ("1.000", "written like 40 or 1.000,50", "1.234,50"),
    "fr": ("1\u202f000", "written like 40 or \u20681\u202f000,50\u2069", "1234,50"),
    "ar-EG": ("١٬٠٠٠", "From \u2068١٫٠٠\u2069 EUR", "١٬٢٣٤٫٥٠"),
    "ar": ("1,000", "From 1.00 EUR", "١٢٣٤٫٥٠"),
}


@pytest.mark.parametrize("asked", NUMBERS)
def test_numbers_are_written_and_read_as_the_visitor_does(client, organisation, asked):
    presets = [1000, 2500, 100_000]
    set_terms(organisation=organisation, currency="EUR", presets=presets, least=100, most=10**7)
    preset, hint, typed = NUMBERS[asked]
    page = client.get(URL, headers={"Accept-Language": asked}).content.decode()
    [locale] = re.findall(r'name="locale" value="([\w-]+)"', page)

    client.post(URL, {**GIFT, "amount": "other", "other": typed, "locale": locale})

    assert f"<bdi>{preset}</bdi>" in page
    assert hint in page
    assert Donation.objects.get().amount == 123_450


def test_what_was_typed_is_read_as_the_page_showed_it(client):
    gift = {**GIFT, "amount": "other", "other": "1.000", "locale": "de"}

    client.post(URL, gift, headers={"Accept-Language": "en"})

    assert Donation.objects.get().amount == 100_000


@pytest.mark.parametrize("locale", ["", "xx", "de_DE", "../de"])
def test_a_page_in_no_locale_is_read_by_what_the_browser_asks_for(client, locale):
    gift = {**GIFT, "amount": "other", "other": "40,23", "locale": locale}

    client.post(URL, gift, headers={"Accept-Language": "de"})

    assert Donation.objects.get().amount == 4023


def test_the_bounds_are_told_in_the_visitors_numbers(client):
    gift = {**GIFT, "amount": "other", "other": "0,99", "locale": "de"}

    [(field, words)] = problems_of(client.post(URL, gift))

    assert field == "other"
    assert words == "Give between 1,00 EUR and 999.999,00 EUR."


@pytest.mark.parametrize(
    ("amount", "checked"),
    [
        ("2500", "2500"),
        ("4023", "other"),
        ("", "1000"),
        ("-1", "1000"),
        ("1e3", "1000"),
        ("9" * 13, "1000"),
        ("٤٠", "1000"),
    ],
)
def test_a_link_chooses_the_amount(client, amount, checked):
    page = client.get(URL, {"amount": amount}).content.decode()

    assert re.findall(r'name="amount"\s+value="([^"]+)"[^>]*\schecked', page) == [checked]
    assert ('value="40.23"' in page) == (checked == "other")


def test_a_currency_that_is_not_offered_leads_to_one_that_is(client, organisation):
    for code in ("EUR", "GBP", "JPY"):
        remove_currency(organisation=organisation, currency=code)

    page = client.get(f"{URL}?currency=EUR").content.decode()
    refused = client.post(URL, GIFT)

    assert "How much, in USD?" in page
    assert problems_of(refused)[0] == ("main", "Choose one of the currencies above.")


def test_an_amount_in_dinars_ends_in_zero(client, organisation):
    set_terms(
        organisation=organisation,
        currency="KWD",
        presets=[1000, 2500, 1_000_000],
        least=1000,
        most=10**7,
    )
    gift = {**GIFT, "currency": "KWD", "amount": "other"}

    page = client.get(f"{URL}?currency=KWD").content.decode()
    refused = client.post(URL, {**gift, "other": "1000.255"})
    client.post(URL, {**gift, "other": "7.25"})

    assert "<bdi>2.50</bdi>" in page
    assert "<bdi>1,000.00</bdi>" in page
    assert "no third decimal but 0" in problems_of(refused)[0][1]
    assert Donation.objects.get().amount == 7250


@pytest.mark.parametrize("currency", ["ISK", "UGX"])
def test_stripe_is_asked_for_hundredths_where_it_still_counts_them(
    client, organisation, stripe_stand_in, currency
):
    set_terms(
        organisation=organisation,
        currency=currency,
        presets=[1000, 2000, 3000],
        least=500,
        most=999_999,
    )

    client.post(URL, {**GIFT, "currency": currency, "amount": "2000"})

    assert Donation.objects.get().amount == 2000
    [asked] = map(parse_qs, stripe_stand_in.asked.values())
    assert asked["line_items[0][price_data][unit_amount]"] == ["200000"]


def test_a_measured_fee_is_told_before_paying(client, organisation):
    write_gifts(organisation, 10)

    page = text_of(client.get(URL))
    german = text_of(client.get(URL, headers={"Accept-Language": "de"}))

    assert "Of the last 10 gifts in EUR, Stripe’s fee took 3.4 %; Almoner takes 0 %." in page
    assert "Stripe’s fee took 3,4 %" in german
    assert "is known after payment" in text_of(client.get(f"{URL}?currency=USD"))


def test_a_fee_of_few_or_old_gifts_is_not_told(client, organisation):
    long_ago = timezone.now().replace(microsecond=0) - timedelta(days=91)
    write_gifts(organisation, 9)
    write_gifts(organisation, 10, occurred_at=long_ago)
    write_gifts(organisation, 10, operation=MoneyOperation.EXTERNAL_ACTIVITY, credit="external")

    page = text_of(client.get(URL))

    assert "Of the last" not in page
    assert "Stripe’s card fee is known after payment" in page


def test_the_fee_is_measured_where_the_book_ends(client, organisation, django_assert_num_queries):
    write_gifts(organisation, 10)
    book = organisation.books.get()

    with django_assert_num_queries(1):
        measured = measured_fee(book, "EUR")
    book.size += 600

    assert measured == (10, 34)
    assert measured_fee(book, "EUR") is None


def write_gifts(organisation, count, **gift):
    """Write gifts of 50.00 EUR with a fee of 1.70 EUR each, with the nonces of Stripe's."""
    size = organisation.books.get().size
    for number in range(size, size + count):
        nonce = f"stripe:acct_1:txn_{number}"
        fee = {
            "operation": MoneyOperation.PROCESSING_FEE,
            "amount": 170,
            "debit": "fund:winter-shelter",
            "credit": "stripe",
            "nonce": f"{nonce}:fee",
        }
        write(organisation, {"nonce": f"{nonce}:charge", **gift}, fee)


def test_the_words_on_the_card_statement_are_shown_once_they_are_known(client, organisation):
    before = client.get(URL).content.decode()
    StripeAccountStateFactory(organisation=organisation, statement_descriptor="LANTERN HOUSE")

    page = client.get(URL).content.decode()

    assert "card statement" not in before
    assert "Your card statement will read <code>LANTERN HOUSE</code>." in page


def test_yen_have_no_decimals(client):
    client.post(f"{URL}?currency=JPY", {**GIFT, "currency": "JPY", "amount": "3000"})

    donation = Donation.objects.get()
    assert (donation.amount, donation.currency) == (3000, "JPY")


def test_a_name_is_not_kept_unless_it_shall_be_shown(client):
    client.post(URL, {**GIFT, "public": "no", "name": "Zoë"})

    assert Donation.objects.get().public_name == ""


def test_a_double_submit_is_one_gift(client, stripe_stand_in):
    first, second = client.post(URL, GIFT), client.post(URL, GIFT)

    assert first["Location"] == second["Location"]
    assert Donation.objects.count() == len(stripe_stand_in.asked) == 1


def test_a_form_sent_again_after_paying_shows_the_gift(client, organisation):
    client.post(URL, GIFT)
    donation = Donation.objects.get()
    Donation.objects.update(status=Donation.Status.PAID, paid_at=NOON)

    response = client.post(URL, GIFT)

    assert response.status_code == 303
    assert response["Location"].endswith(f"/donations/{donation.id}?token={donation.token}")


def test_a_changed_form_asks_once_more_and_then_gives(client):
    client.post(URL, GIFT)
    changed = {**GIFT, "amount": "5000"}

    asked = client.post(URL, changed)

    assert asked.status_code == 409
    assert problems_of(asked)[0][1].startswith("You changed the gift")
    [key] = re.findall(r'name="key" value="([^"]+)"', asked.content.decode())
    assert client.post(URL, {**changed, "key": key}).status_code == 303
    assert sorted(Donation.objects.values_list("amount", flat=True)) == [2500, 5000]


@pytest.mark.parametrize("key", ["", "short", "with spaces and more", "x" * 65])
def test_what_is_no_key_is_replaced(client, key):
    client.post(URL, {**GIFT, "key": key})

    kept = Donation.objects.get().idempotency_key
    assert re.fullmatch(r"form:[A-Za-z0-9_-]{24}", kept)
    assert kept != f"form:{key}"


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"amount": ""}, "amount", "Choose an amount"),
        ({"amount": "2501"}, "amount", "or enter another"),
        ({"amount": "other", "other": ""}, "other", "Enter an amount"),
        ({"amount": "other", "other": "7,5"}, "other", "read as 7.50 or as 75"),
        ({"amount": "other", "other": "0.99"}, "other", "between 1.00 EUR and"),
        ({"amount": "other", "other": "9999999999999"}, "other", "between 1.00 EUR and"),
        ({"amount": "other", "other": "4\0"}, "other", "Null characters"),
        ({"currency": "XYZ"}, "main", "one of the currencies"),
        ({"fund": ""}, "fund", "what your gift is for"),
        ({"fund": "elsewhere"}, "fund", "one of these funds"),
        ({"public": "yes", "name": ""}, "name", "Enter the name to show"),
        ({"public": "yes", "name": "Zoë\u202e"}, "name", "can be printed"),
        ({"key": "a\0"}, "main", "Null characters"),
        ({"email": ""}, "email", "Enter your e-mail address"),
        ({"email": "zoe@example"}, "email", "like name@example.org"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_and_in_the_summary(client, change, field, words):
    response = client.post(URL, {**GIFT, **change})

    [(link, sentence)] = problems_of(response)
    assert response.status_code == 400
    assert link == field
    assert words in sentence
    assert re.search(r'name="key" value="[A-Za-z0-9_-]{16,}"', response.content.decode())
    assert not Donation.objects.exists()


def test_an_empty_form_is_told_everything_that_is_missing(client):
    response = client.post(URL)

    assert response.status_code == 400
    assert [field for field, _ in problems_of(response)] == ["main", "amount", "fund", "email"]


def test_what_was_typed_stays(client):
    response = client.post(URL, {**GIFT, "amount": "other", "other": "7,5", "name": "<b>"})

    page = response.content.decode()
    assert 'value="7,5"' in page
    assert 'value="&lt;b&gt;"' in page
    assert 'aria-invalid="true"' in page


def test_stripe_down_is_said_and_the_same_form_gives_later(client, stripe_stand_in):
    stripe_stand_in.status = 500
    refused = client.post(URL, GIFT)
    stripe_stand_in.status = 200

    accepted = client.post(URL, GIFT)

    assert refused.status_code == 503
    assert f'value="{KEY}"' in refused.content.decode()
    assert accepted.status_code == 303
    assert Donation.objects.count() == 1


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("amount_too_small", "Give a larger one."),
        ("account_invalid", "Stripe refused: account_invalid."),
    ],
)
def test_what_stripe_refuses_is_said(client, stripe_stand_in, code, words):
    stripe_stand_in.status, stripe_stand_in.code = 400, code

    response = client.post(URL, GIFT)

    assert response.status_code == 502
    assert words in problems_of(response)[0][1]


def test_a_charity_without_a_payment_account_says_so(client):
    OrganisationFactory(slug="new", name="New Door", stripe_account=None)

    page = client.get("/o/new/donate").content.decode()

    assert "New Door cannot take gifts here yet" in page
    assert "<form" not in page


def test_a_gift_posted_to_a_charity_without_an_account_is_refused(client):
    OrganisationFactory(slug="new", stripe_account=None)

    response = client.post("/o/new/donate", {**GIFT, "fund": "general"})

    assert response.status_code == 409
    assert not Donation.objects.exists()


def test_a_charity_that_is_not_approved_has_no_page(client):
    ApplicantFactory(slug="applicant")

    assert client.get("/o/applicant/donate").status_code == 404


def test_the_progress_of_a_fund_is_shown(client, organisation):
    gift_entries(organisation, 3)
    FundFactory(organisation=organisation, slug="kitchen", goal=None, summary="Ninety meals")

    page = client.get(URL).content.decode()

    assert re.search(r"<bdi>2</bdi> % of <span class=\"amount\"><bdi>6,000.00</bdi>", page)
    assert "Ninety meals" in page


def test_a_form_without_its_token_is_refused_with_a_remedy(organisation):
    response = Client(enforce_csrf_checks=True).post(URL, GIFT)

    assert response.status_code == 403
    assert "reload the page and send it again" in response.content.decode()


def test_an_organisation_in_yen_offers_yen_first(client):
    OrganisationFactory(slug="kawabe", currency="JPY")

    page = client.get("/o/kawabe/donate").content.decode()

    assert "How much, in JPY?" in page
    assert re.findall(r'href="\?currency=(\w+)', page) == ["JPY", "EUR", "USD", "GBP"]


@pytest.mark.parametrize(
    ("interval", "mode"), [("once", "payment"), ("", "payment"), ("year", "subscription")]
)
def test_a_visitor_chooses_how_often_to_give(client, stripe_stand_in, interval, mode):
    response = client.post(URL, {**GIFT, "interval": interval})

    assert response.status_code == 303
    [asked] = map(parse_qs, stripe_stand_in.asked.values())
    assert asked["mode"] == [mode]
    rhythms = Donation.objects.values_list("recurring__interval", flat=True)
    assert list(rhythms) == [interval if mode == "subscription" else None]


def test_what_was_chosen_of_the_rhythm_stays(client):
    page = client.post(URL, {**GIFT, "interval": "month", "email": ""}).content.decode()

    assert re.search(r'value="month"[^>]*\schecked', page)


def test_another_rhythm_is_refused(client):
    response = client.post(URL, {**GIFT, "interval": "week"})

    assert problems_of(response) == [("interval", "Choose how often to give.")]
