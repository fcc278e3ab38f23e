"""Home, the list, and an organisation's page: both sides, Stripe, funds, months."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from donations.models import Fund
from donations.services.holding import hold_settled
from ledger.log import vkey_of
from ledger.models import Entry
from ledger.operations import MoneyOperation
from ledger.services.rotating import rotate_key
from tests.factories import (
    NOON,
    ApplicantFactory,
    DonationFactory,
    FundFactory,
    OrganisationFactory,
    StripeBalanceFactory,
    StripeReadingFactory,
)
from tests.pages.conftest import text_of, write
from tests.treasury.movements import book_all, charged, entries, movement
from tests.webhooks.holding import decided
from treasury.templatetags.charts import month_charts, months_ago

URL = "/o/lantern-house"
FEE = {
    "operation": MoneyOperation.PROCESSING_FEE,
    "amount": 170,
    "debit": "fund:winter-shelter",
    "credit": "stripe",
}


def test_both_sides_have_the_same_total_in_each_currency(client, organisation):
    write(
        organisation,
        {},
        FEE,
        {"currency": "JPY", "amount": 3000, "credit": "fund:general"},
        {
            "operation": MoneyOperation.EXTERNAL_ACTIVITY,
            "debit": "bank:main",
            "credit": "external",
            "amount": 25,
        },
    )

    text = text_of(client.get(URL))

    assert re.findall(r"Total (\w+) ([\d,.]+)", text) == [
        ("EUR", "48.55"),
        ("EUR", "48.55"),
        ("JPY", "3,000"),
        ("JPY", "3,000"),
    ]
    assert "Winter shelter 48.30" in text
    assert "Outside Almoner 0.25" in text


def test_an_account_at_zero_is_left_out(client, organisation):
    back = {
        "operation": MoneyOperation.DONATION_REFUNDED,
        "debit": "fund:winter-shelter",
        "credit": "stripe",
    }
    write(organisation, {}, back, {"credit": "fund:general"})

    text = text_of(client.get(URL)).partition("Ledger")[0]

    assert "General 50.00" in text
    assert "Winter shelter 0.00" not in text


def test_a_side_below_zero_is_shown_as_it_is(client, organisation):
    write(organisation, {**FEE, "operation": MoneyOperation.PROVIDER_FEE, "debit": "fund:general"})

    text = text_of(client.get(URL))

    assert re.findall(r"Total (\w+) ([−\d,.]+)", text) == [("EUR", "−1.70")] * 2


def test_nothing_yet_is_said(client, organisation):
    text = text_of(client.get(URL))

    assert "No money yet" in text
    assert "Nothing in the last twelve months" in text
    assert "The whole ledger, 1 entry" in text


def test_the_ledger_equals_the_stripe_balance(client, organisation):
    write(organisation, {}, FEE)
    StripeBalanceFactory(organisation=organisation, available=4000, pending=830)

    text = text_of(client.get(URL))

    assert "Ledger = Stripe balance 48.30 EUR , as Stripe told on 21 November 2026" in text


def test_a_difference_is_catching_up(client, organisation):
    write(organisation, {})
    StripeBalanceFactory(organisation=organisation, available=9000, pending=0)

    text = text_of(client.get(URL))

    assert "Catching up with Stripe The ledger has 50.00 EUR ; Stripe told 90.00 EUR" in text
    assert "Ledger = Stripe balance" not in text


def test_a_balance_never_read_is_not_compared(client, organisation):
    write(organisation, {})

    assert "Not compared yet" in text_of(client.get(URL))


def test_a_currency_that_only_stripe_has_is_compared_with_nothing(client, organisation):
    StripeBalanceFactory(organisation=organisation, currency="USD", available=5, pending=0)

    assert "The ledger has 0.00 USD ; Stripe told 0.05 USD" in text_of(client.get(URL))


def test_stripe_not_answering_is_said(client, organisation):
    StripeReadingFactory(organisation=organisation, failing_since=NOON, error="Timeout")

    text = text_of(client.get(URL))

    assert "Stripe does not answer at the moment" in text
    assert "Since 21 November 2026, 12:00 UTC" in text
    assert "Timeout" not in text


def test_a_history_that_is_being_imported_is_said(client, organisation):
    reading = StripeReadingFactory(organisation=organisation, swept_until=NOON)

    during = text_of(client.get(URL))
    reading.imported_at = NOON
    reading.save()
    after = text_of(client.get(URL))

    assert "It is there up to 21 November 2026, 12:00 UTC" in during
    assert "history" not in after


def test_funds_show_what_came_and_went(client, organisation):
    FundFactory(organisation=organisation, slug="over", name="Roof", goal=1000)
    write(
        organisation,
        {},
        FEE,
        {"credit": "fund:over"},
        {"credit": "fund:general", "currency": "JPY", "amount": 500},
    )

    text = text_of(client.get(URL))

    assert "0 % of 6,000.00 EUR" in text
    assert "1.70 EUR went out 48.30 EUR left" in text
    assert "Roof 500 % of 10.00 EUR" in text
    assert "0.00 EUR went out 0.00 EUR left and 500 JPY" in text


def test_months_are_drawn_and_told(client, organisation):
    now = timezone.now().replace(microsecond=0)
    long_ago = now - timedelta(days=800)
    write(
        organisation,
        {},
        FEE,
        {"occurred_at": long_ago, "amount": 99_000_000},
        {
            "operation": MoneyOperation.PAYOUT_SENT,
            "debit": "in_transit",
            "credit": "stripe",
            "amount": 4000,
        },
        {"currency": "JPY", "amount": 1_234_567},
    )

    text = text_of(client.get(URL))

    assert f"{now:%b %Y} 50.00 1.70 +48.30" in text
    assert "12 months 50.00 1.70 +48.30" in text
    assert f"{now:%b %Y} 1,234,567 0 +1,234,567" in text
    assert text.index("in EUR") < text.index("in JPY")


def test_a_new_entry_changes_the_months(client, organisation):
    write(organisation, {})
    before = text_of(client.get(URL))
    write(organisation, {})

    after = text_of(client.get(URL))

    assert "12 months 50.00" in before
    assert "12 months 100.00" in after


@pytest.fixture
def held(organisation):
    """A gift of 50.00 EUR that came two months ago, and is held since today."""
    gift = DonationFactory(organisation=organisation, amount=5000)
    paid = {"charge": "ch_1", "donation_id": gift.id, "occurred_at": months_ago(timezone.now(), 2)}
    book_all(organisation, charged(5000, 100, **paid))
    gift.refresh_from_db()
    hold_settled(gift)
    return gift


def months_of(organisation, count=12):
    """Return what was received and gone in each month that has anything, the oldest first."""
    since = months_ago(timezone.now(), count - 1)
    rows = Entry.objects.of(organisation).by_month(since=since, places=["stripe"])
    return [sums for row in rows if any(sums := (row["received"], row["gone"]))]


def test_what_is_held_is_left_out_of_the_month_in_which_it_came(client, organisation, held):
    assert months_of(organisation) == [(0, 100)]
    assert "12 months 0.00 1.00 −1.00" in text_of(client.get(URL))
    assert months_of(organisation, 1) == []


def test_released_it_counts_from_then_on(organisation, held):
    decided(held, "release")

    assert months_of(organisation) == [(0, 100), (5000, 0)]


def test_what_goes_out_of_held_and_comes_back_there_is_neither(organisation, held):
    back = {
        "charge": "ch_1",
        "source": "re_1",
        "occurred_at": timezone.now().replace(microsecond=0),
    }
    book_all(organisation, movement("refund", -5000, **back))
    assert months_of(organisation) == [(0, 100)]

    book_all(organisation, movement("refund_failure", 5000, **back))

    assert entries(organisation)[-1] == ("REFUND_FAILED", 5000, "EUR", "stripe", "held")
    assert months_of(organisation) == [(0, 100)]


def test_what_is_held_of_another_gift_does_not_touch_those_that_count(organisation, held):
    book_all(organisation, charged(700, occurred_at=months_ago(timezone.now(), 2)))

    assert months_of(organisation) == [(700, 100)]


@pytest.mark.parametrize(
    ("highest", "ticks"),
    [
        (4, ["0", "1"]),
        (150, ["0", "1", "2"]),
        (30_000, ["0", "100", "200", "300"]),
        (100_001, ["0", "500", "1,000", "1,500"]),
        (2_500_000, ["0", "10,000", "20,000", "30,000"]),
    ],
)
def test_the_scale_is_round_and_holds_the_highest(highest, ticks):
    month = months_ago(timezone.now(), 0)
    row = {"currency": "EUR", "month": month, "received": highest, "gone": 0}

    [chart] = month_charts([row], "EUR")

    assert [tick.words for tick in chart.ticks] == ticks
    assert float(chart.months[-1].received_bar.height) <= 190


def test_months_without_a_sum_have_a_scale_too():
    row = {"currency": "EUR", "month": months_ago(timezone.now(), 0), "received": 0, "gone": 0}

    [chart] = month_charts([row], "EUR")

    assert [tick.words for tick in chart.ticks] == ["0", "1"]


def test_months_go_back_over_the_year():
    january = datetime(2026, 1, 31, 23, 59, tzinfo=UTC)

    assert months_ago(january, 0) == datetime(2026, 1, 1, tzinfo=UTC)
    assert months_ago(january, 1) == datetime(2025, 12, 1, tzinfo=UTC)
    assert months_ago(january, 11) == datetime(2025, 2, 1, tzinfo=UTC)


def test_the_facts_of_registration_are_shown(client, db):
    OrganisationFactory(
        slug="lantern-house",
        registration="VZW 0438",
        website="https://lantern.example/",
        description="Since\n1987",
        stripe_account=None,
    )

    page = client.get(URL).content.decode()

    assert "VZW 0438" in page
    assert 'href="https://lantern.example/"' in page
    assert "Since<br>1987" in page
    assert "cannot take gifts here yet" in page
    assert "/donate" not in page


@pytest.mark.parametrize("slug", ["nobody", "applicant"])
def test_a_charity_that_is_not_public_has_no_page(client, db, slug):
    ApplicantFactory(slug="applicant")

    assert client.get(f"/o/{slug}").status_code == 404


def test_home_is_whole_without_any_organisation(client, db):
    text = text_of(client.get("/"))

    assert "Give to organisations directly" in text
    assert "No organisation yet" in text


def test_home_shows_the_longest_book_and_the_organisations(client, organisation):
    OrganisationFactory(slug="a-new-one", name="A New One")
    ApplicantFactory(name="Not Yet")
    write(organisation, {}, {"currency": "JPY", "amount": 3000}, {"currency": "USD", "amount": 0})

    text = text_of(client.get("/"))

    assert "The money of Lantern House , now" in text
    assert "Total EUR 50.00 What it is for" in text
    assert "A New One On hand 0.00 EUR 1 entry" in text
    assert "On hand 50.00 EUR 3,000 JPY 4 entries" in text
    assert "Not Yet" not in text


def test_the_list_comes_in_pages(client, db):
    organisations = [OrganisationFactory(slug=f"charity-of-{n:02d}") for n in range(25)]

    first = client.get("/organisations")
    [after] = re.findall(r'href="\?after=([a-z0-9-]+)"', first.content.decode())
    second = client.get("/organisations", {"after": after})

    assert after == organisations[23].slug
    assert first.content.decode().count("<article") == 24
    assert second.content.decode().count("<article") == 1
    assert "From the start" in second.content.decode()


@pytest.mark.parametrize("after", ["\0", "../etc", "UPPER"])
def test_a_page_of_the_list_that_is_no_slug_is_the_first(client, organisation, after):
    response = client.get("/organisations", {"after": after})

    assert "Lantern House" in text_of(response)


def test_the_list_says_that_nobody_is_there(client, db):
    assert "No organisation yet" in text_of(client.get("/organisations"))


def test_a_fund_knows_its_name_for_the_pages(organisation):
    assert Fund.objects.names(organisation) == {
        "fund:winter-shelter": "Winter shelter",
        "fund:general": "General",
    }


def test_the_key_of_the_ledger_is_there_to_be_kept(client, organisation):
    words = text_of(client.get("/o/lantern-house"))

    vkey = Entry.objects.get(sequence=0).metadata["vkey"]
    assert f"signed with the key {vkey} ." in words


@pytest.mark.django_db(transaction=True)
def test_keys_that_signed_before_stay_on_the_page(client):
    organisation = OrganisationFactory()
    old = vkey_of(organisation.id)
    new = rotate_key(organisation=organisation).vkey

    words = text_of(client.get(f"/o/{organisation.slug}"))

    assert f"signed with the key {new} ." in words
    assert f"Keys that signed before {old} in force from entry 0 on" in words
