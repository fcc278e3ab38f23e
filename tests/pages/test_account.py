"""The statement of one account as a page, and corrected entries wherever they are shown."""

import re

import pytest

from ledger.models import Account, Entry
from ledger.operations import MoneyOperation
from ledger.services.attestations import attest_balances
from ledger.services.corrections import correct_entry
from ledger.templatetags.figures import changed
from tests.factories import ApplicantFactory, DonationFactory
from tests.pages import test_ledger
from tests.pages.conftest import text_of, write
from tests.pages.test_journey import page_of, settle
from tests.pages.test_ledger import rows_of

LEDGER = "/o/lantern-house/ledger"
URL = f"{LEDGER}/accounts/EUR/stripe"
PAYOUT = {
    "operation": MoneyOperation.PAYOUT_SENT,
    "debit": "in_transit",
    "credit": "stripe",
    "amount": 2000,
}
FEE = {
    "operation": MoneyOperation.PROCESSING_FEE,
    "debit": "fund:winter-shelter",
    "credit": "stripe",
    "amount": 170,
}


def link_of(response, words):
    """Return where the button with these words leads, from the statement."""
    return test_ledger.link_of(response, words).replace(LEDGER, URL)


def test_a_statement_has_the_change_and_the_balance_of_each_entry(client, organisation):
    write(organisation, {}, FEE, PAYOUT, {"currency": "JPY"})

    page = client.get(URL)

    assert rows_of(page) == [3, 2, 1]
    words = text_of(page)
    assert "−20.00 EUR 28.30 EUR" in words
    assert "−1.70 EUR 48.30 EUR" in words
    assert "+50.00 EUR 50.00 EUR" in words
    assert "In another currency: 5,000 JPY" in words
    assert f'href="{LEDGER}/accounts/JPY/stripe"' in page.content.decode()
    assert f'href="{LEDGER}/2"' in page.content.decode()


def test_a_purpose_is_positive_when_there_is_money_for_it(client, organisation):
    write(organisation, {}, FEE)

    words = text_of(client.get(f"{LEDGER}/accounts/EUR/fund:winter-shelter"))

    assert "Winter shelter 48.30 EUR A purpose that money of Lantern House is for" in words
    assert "−1.70 EUR 48.30 EUR" in words
    assert "In another currency" not in words


def test_a_long_statement_is_paged_both_ways(client, organisation):
    write(organisation, *[{}, PAYOUT] * 60)

    first = client.get(URL)
    second = client.get(link_of(first, "Older"))
    third = client.get(link_of(second, "Older"))
    back = client.get(link_of(third, "Newer"))

    assert rows_of(first) == list(range(120, 70, -1))
    assert rows_of(second) == rows_of(back) == list(range(70, 20, -1))
    assert rows_of(third) == list(range(20, 0, -1))
    assert "+50.00 EUR 50.00 EUR" in text_of(third)
    assert "This is the newest page" in text_of(first)
    assert "This is the oldest page" in text_of(third)
    assert "Nothing moved on this account beyond" in text_of(client.get(f"{URL}?before=1"))


def test_a_name_is_shown_where_the_donor_chose_one(client, organisation):
    donation = DonationFactory(organisation=organisation, public_name="Mira")
    settle(donation)

    assert "Mira" in text_of(client.get(URL))


@pytest.mark.parametrize(
    ("query", "words"),
    [("before=x", "whole number"), ("before=3&after=1", "not both"), ("after=-1", "equal to 0")],
)
def test_a_bad_page_is_said(client, organisation, query, words):
    write(organisation, {})

    page = client.get(f"{URL}?{query}")

    assert page.status_code == 400
    assert words in text_of(page)
    assert "<title>Error: " in page.content.decode()
    assert rows_of(page) == []


@pytest.mark.parametrize(
    "path", ["EUR/bank:main", "USD/stripe", "XXX/genesis", "EUR/%00", "%00/stripe", "eur/stripe"]
)
def test_an_account_that_is_not_there_has_no_page(client, organisation, path):
    write(organisation, {})

    assert client.get(f"{LEDGER}/accounts/{path}").status_code == 404


def test_an_applicant_has_no_statements(client, db):
    ApplicantFactory(slug="applicant")

    assert client.get("/o/applicant/ledger/accounts/EUR/stripe").status_code == 404


@pytest.mark.parametrize("path", ["/", "/o/lantern-house", f"{LEDGER}?account=stripe"])
def test_balances_and_the_filter_lead_to_statements(client, organisation, path):
    write(organisation, {}, {"currency": "JPY"})

    page = client.get(path).content.decode()

    assert f'href="{URL}"' in page
    assert f'href="{LEDGER}/accounts/JPY/stripe"' in page


def test_without_an_account_chosen_there_is_no_statement_to_lead_to(client, organisation):
    write(organisation, {})

    for query in ("", "?account=bank:main"):
        assert "With the balance after" not in text_of(client.get(f"{LEDGER}{query}"))


def test_a_statement_costs_no_query_for_each_entry(client, organisation, django_assert_num_queries):
    for entry in write(organisation, *[{}] * 10):
        correct_entry(entry=entry, reason="All wrong.")

    with django_assert_num_queries(8):
        client.get(URL)


def test_a_change_says_its_direction():
    assert ">+0.50 <" in changed(50, "EUR")
    assert ">−0.50 <" in changed(-50, "EUR")
    assert ">+0.00 <" in changed(0, "EUR")


def row_of(page, sequence):
    """Return the table row of an entry."""
    rows = re.findall(r"<tr data-sequence.*?</tr>", page.content.decode(), re.DOTALL)
    return next(row for row in rows if f'data-sequence="{sequence}"' in row)


@pytest.fixture
def corrected(organisation):
    """A gift that was taken back."""
    entry, _ = write(organisation, {}, {})
    return correct_entry(entry=entry, reason="Booked <twice>.")


@pytest.mark.parametrize("path", [LEDGER, URL, "/o/lantern-house"])
def test_a_corrected_entry_is_struck_through_and_stays(client, corrected, path):
    page = client.get(path)

    struck, correction = row_of(page, 1), row_of(page, 3)
    assert 'class="is-corrected"' in struck
    assert f'Corrected by <a href="{LEDGER}/3">entry 3</a>' in struck
    assert "is-corrected" not in correction
    assert f'Corrects <a href="{LEDGER}/1">entry 1</a>: Booked &lt;twice&gt;.' in correction
    assert "correct" not in row_of(page, 2).lower()


def test_corrections_cost_the_ledger_no_query_for_each(
    client, organisation, django_assert_max_num_queries
):
    entries = write(organisation, *[{}] * 10)
    client.get(LEDGER)
    with django_assert_max_num_queries(5):
        client.get(LEDGER)
    for entry in entries:
        correct_entry(entry=entry, reason="All wrong.")

    with django_assert_max_num_queries(5):
        client.get(LEDGER)


def test_the_pages_of_both_entries_lead_to_each_other(client, corrected):
    first, last, other = (client.get(f"{LEDGER}/{sequence}") for sequence in (1, 3, 2))

    assert "This entry was corrected Entry 3 takes it back: “Booked &lt;twice&gt;.”" in text_of(
        first
    )
    assert "It corrects entry 1 It moves back what that one moved" in text_of(last)
    assert f'<a href="{LEDGER}/1">entry 1</a>' in last.content.decode()
    assert "is-corrected" in first.content.decode()
    assert "is-corrected" not in last.content.decode() + other.content.decode()


def test_the_journey_shows_what_was_taken_back(client, organisation):
    donation = settle(DonationFactory(organisation=organisation))
    gift, fee = Entry.objects.filter(sequence__gt=0).order_by("sequence")
    correct_entry(entry=fee, reason="Never charged.")

    page = page_of(client, donation)

    assert page.count('class="is-corrected"') == 1
    assert f'Corrected by <a href="{LEDGER}/3">entry 3</a>' in page
    assert f'Corrects <a href="{LEDGER}/2">entry 2</a>: Never charged.' in page
    assert "+1.70" in page
    assert gift.reverses is None


def test_an_attestation_is_a_table_of_balances(client, organisation):
    for number in range(12):
        write(organisation, {"credit": f"fund:n{number}"})
    fee = {"operation": MoneyOperation.PROCESSING_FEE, "amount": 130, "nonce": "fee"}
    write(organisation, {"debit": "fund:n11", "credit": "stripe", **fee})
    [attestation] = attest_balances(book=organisation.books.get())

    page = client.get(f"{LEDGER}/{attestation.sequence}")

    words = text_of(page)
    assert "Fund: n11 1.30 EUR 50.00 EUR 48.70 EUR" in words
    assert "Stripe balance 600.00 EUR 1.30 EUR 598.70 EUR" in words
    marks = re.findall(r'<a class="(\w+)"\s+href="[^"]*/accounts/', page.content.decode())
    assert sorted(set(marks)) == ["place", "purpose"]
    listed = re.findall(r'href="[^"]*/accounts/EUR/([^"]*)"', page.content.decode())
    assert listed == sorted([*(f"fund:n{number}" for number in range(12)), "stripe"])
    assert "accounts 13" in words
    assert "a0" not in re.findall(r"<dt>(.*?)</dt>", page.content.decode())
    assert page.content.decode().count(f'href="{LEDGER}/accounts/EUR/') == 13
    assert Account.objects.filter(kind="purpose").count() == 12


def test_a_gift_with_an_object_in_its_metadata_shows_it(client, organisation):
    write(organisation, {"metadata": {"presentment": {"amount": 5500, "currency": "USD"}}})

    page = client.get(f"{LEDGER}/1").content.decode()

    assert "presentment" in re.findall(r"<dt>(.*?)</dt>", page)
    assert "What the entries before it add up to" not in page
