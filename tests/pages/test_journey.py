"""The donor's own page: every state of a gift, for nobody without the link."""

import re
from datetime import date, timedelta
from html import unescape

import pytest
from django.utils import timezone

from donations.models import Donation
from ledger.operations import MoneyOperation
from ledger.services.sealing import seal
from tests.factories import NOON, DonationFactory, RecurringGiftFactory
from tests.pages.conftest import write


def page_of(client, donation: Donation) -> str:
    """Return the page that the private link opens."""
    response = client.get(f"/donations/{donation.id}", {"token": donation.token})
    assert response.status_code == 200
    return response.content.decode()


def settle(donation: Donation, **facts) -> Donation:
    """Book a gift with its fee and note where it stands."""
    metadata = {"donation": donation.id}
    fee = {
        "operation": MoneyOperation.PROCESSING_FEE,
        "amount": 170,
        "debit": "fund:winter-shelter",
        "credit": "stripe",
        "metadata": metadata,
    }
    entry, _ = write(donation.organisation, {"metadata": metadata}, fee)
    facts = {
        "sequence": entry.sequence,
        "settled_at": NOON,
        "paid_at": NOON,
        "settled_amount": entry.amount,
        "settled_currency": entry.currency,
        **facts,
    }
    for name, value in facts.items():
        setattr(donation, name, value)
    donation.status = donation.status_now()
    donation.save(update_fields=[*facts, "status"])
    return donation


@pytest.fixture
def donation(organisation) -> Donation:
    """A gift that waits for its payment."""
    return DonationFactory(
        organisation=organisation,
        fund="winter-shelter",
        donor_email="zoe@example.org",
        donor_name="Zoë Elisabeth",
        checkout_url="https://checkout.example/cs_0",
    )


def test_a_gift_that_waits_says_so_and_looks_again(client, donation):
    page = page_of(client, donation)

    assert "Waiting for the payment" in page
    assert '<meta http-equiv="refresh" content="2">' in page
    assert 'data-refresh-seconds="2"' in page
    assert "https://checkout.example/cs_0" in page


def test_a_paid_gift_waits_for_its_entry(client, donation):
    Donation.objects.update(status="paid", paid_at=timezone.now(), checkout_url="")

    page = page_of(client, donation)

    assert "Paid. The entry is being written" in page
    assert '<meta http-equiv="refresh" content="2">' in page


def test_a_page_left_open_asks_less_often(client, donation):
    Donation.objects.update(created_at=timezone.now() - timedelta(hours=1), checkout_url="")

    page = page_of(client, donation)

    assert '<meta http-equiv="refresh" content="30">' in page
    assert "Go to the payment page" not in page


def test_a_settled_gift_shows_its_entries_and_looks_no_more(client, donation):
    settle(donation)
    seal(book=donation.organisation.books.get())

    page = page_of(client, donation)

    assert "In the ledger" in page
    assert "/o/lantern-house/ledger/1" in page
    assert "/o/lantern-house/ledger/2" in page
    assert "+50.00" in page
    assert "−1.70" in page
    assert "Lantern House received" in page
    assert "48.30" in page
    assert ">You<" in page
    assert "refresh" not in page
    assert "In the checkpoint of 3 entries" in page
    assert f"{donation.organisation_id}/ledger/entries/1/proof" in page


def test_a_settled_gift_waits_for_its_seal(client, donation):
    settle(donation, paid_at=timezone.now())

    page = page_of(client, donation)

    assert "A receipt can be downloaded here as soon as the entry is sealed." in page
    assert 'data-refresh-seconds="2"' in page
    assert '<meta http-equiv="refresh" content="2">' in page
    assert "/proof" not in page


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"refunded_amount": 2000}, "Part of it was given back"),
        ({"refunded_amount": 5000}, "Given back to you"),
        ({"disputed_amount": 5000}, "Your bank has taken it back for now"),
    ],
)
def test_what_came_after_is_said(client, donation, facts, words):
    settle(donation, **facts)
    refund = {
        "operation": MoneyOperation.DONATION_REFUNDED,
        "amount": 2000,
        "debit": "fund:winter-shelter",
        "credit": "stripe",
        "metadata": {"donation": donation.id},
    }
    held = {
        "operation": MoneyOperation.DONATION_HELD,
        "amount": 100,
        "debit": "fund:winter-shelter",
        "credit": "held",
        "metadata": {"donation": donation.id},
    }
    write(donation.organisation, refund, held)

    page = page_of(client, donation)

    assert words in page
    assert "Left for Lantern House" in page
    assert "28.30" in page


def test_a_gift_in_another_currency_says_what_it_became(client, donation):
    Donation.objects.update(amount=5500, currency="USD")
    donation.refresh_from_db()
    settle(donation)

    page = page_of(client, donation)

    assert "55.00 <abbr>USD</abbr>" in page
    assert "Changed into" in page
    assert "50.00 <abbr>EUR</abbr>" in page


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("failed", "The payment did not go through"),
        ("expired", "The payment page has expired"),
        ("canceled", "Canceled"),
    ],
)
def test_an_end_without_money_is_said(client, donation, status, words):
    Donation.objects.update(status=status, ended_as=status, ended_at=NOON)

    page = page_of(client, donation)

    assert words in page
    assert "Taken from you" in page
    again = "/o/lantern-house/donate?fund=winter-shelter&amp;currency=EUR&amp;amount=5000"
    assert again in page
    assert "refresh" not in page


def test_an_expired_gift_can_be_given_after_all_with_the_same_values(client, donation):
    Donation.objects.update(
        status="expired", ended_as="expired", ended_at=NOON, amount=4023, fund="general"
    )
    [link] = re.findall(r'<a href="(/o/[^"]+)">Give', page_of(client, donation))

    form = client.get(unescape(link)).content.decode()

    chosen = re.findall(r'name="(\w+)"\s+value="([^"]+)"[^>]*\schecked', form)
    assert chosen == [
        ("amount", "other"),
        ("interval", "once"),
        ("fund", "general"),
        ("public", "no"),
    ]
    assert 'value="40.23"' in form
    assert 'name="currency" value="EUR"' in form
    assert "zoe@example.org" not in form


def test_the_name_shown_is_the_chosen_one_and_the_address_is_nowhere(client, donation):
    anonymous = page_of(client, donation)
    Donation.objects.update(public_name="Zoë")
    named = page_of(client, donation)

    assert "stays anonymous" in anonymous
    assert "shown as “Zoë”" in named
    for page in (anonymous, named):
        assert "zoe@example.org" not in page
        assert "Elisabeth" not in page


@pytest.mark.parametrize("token", ["", "wrong", "ü", "0" * 32, "\0"])
def test_without_the_whole_link_there_is_no_page(client, donation, token):
    response = client.get(f"/donations/{donation.id}", {"token": token})

    assert response.status_code == 404
    assert "open it again from your receipt" in response.content.decode()


def test_another_gifts_token_does_not_open_it(client, donation):
    other = DonationFactory(organisation=donation.organisation)

    assert client.get(f"/donations/{donation.id}", {"token": other.token}).status_code == 404


@pytest.mark.parametrize("name", ["don_01jf", "x", "%00", "don_01jf/x"])
def test_an_unknown_gift_has_no_page(client, db, name):
    assert client.get(f"/donations/{name}?token=x").status_code == 404


def test_the_page_is_kept_by_nobody(client, donation):
    response = client.get(f"/donations/{donation.id}", {"token": donation.token})

    assert response["Referrer-Policy"] == "strict-origin"
    assert "no-store" in response["Cache-Control"]
    assert "noindex" in response["X-Robots-Tag"]


def test_a_gift_in_a_payout_shows_where_it_is(client, donation):
    settle(donation)
    assert "the bank</h3>" not in page_of(client, donation)
    Donation.objects.update(payout="po_1")
    assert "On its way to the bank" in page_of(client, donation)
    Donation.objects.update(payout_arrived_on=date(2026, 11, 23))

    page = page_of(client, donation)

    assert "Paid out to the bank" in page
    assert '<time datetime="2026-11-23">23 November 2026</time>' in page
    assert 'href="/o/lantern-house/payouts/po_1"' in page
    assert "On its way" not in page


def repeating(donation: Donation, **fields) -> Donation:
    """Let a gift be the first payment of one that repeats every month."""
    organisation = donation.organisation
    donation.recurring = RecurringGiftFactory(organisation=organisation, **fields)
    donation.save(update_fields=["recurring"])
    return donation


def test_a_gift_that_repeats_says_so_and_where_to_change_it(client, donation):
    first = repeating(donation, status="active", started_at=NOON)
    later = DonationFactory(organisation=donation.organisation, recurring=first.recurring)
    rest = 'every month. You can <a href="/me">pause, change or end it</a> whenever you want.'

    assert f"It is the first payment of a gift that repeats {rest}" in page_of(client, first)
    assert f"It is one payment of a gift that repeats {rest}" in page_of(client, later)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "It is the first payment of a gift that repeats every month.</p>"),
        (
            {"status": "ended", "started_at": NOON, "ended_at": NOON},
            "It was the first payment of a gift that repeated every month and has ended.</p>",
        ),
        (
            {"status": "ended", "ended_at": NOON},
            "It was meant to be the first payment of a gift that repeats every month.</p>",
        ),
    ],
)
def test_a_gift_that_does_not_repeat_now_offers_no_change(client, donation, fields, words):
    page = page_of(client, repeating(donation, **fields))

    assert words in page
    assert "pause, change or end it" not in page


def test_a_gift_given_once_says_nothing_of_repeating(client, donation):
    assert "payment of a gift" not in page_of(client, donation)
