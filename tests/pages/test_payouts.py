"""Payouts on pages: all of them, what is in each, and what members see of them."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from donations.models import Donation
from donations.services.holding import hold_settled
from ledger.operations import MoneyOperation
from organisations.models import Membership
from reviews.services.payout_holds import hold_payouts
from tests.donations.refunds import in_ledger
from tests.factories import (
    NOON,
    ApplicantFactory,
    CaseFactory,
    DonationFactory,
    MembershipFactory,
    OrganisationFactory,
    PayoutFactory,
)
from tests.pages.conftest import text_of, write
from tests.treasury.movements import book_all, charged, movement
from tests.treasury.payouts import failed, holding, keep, returned, sent
from treasury import views
from treasury.models import Payout, PayoutControl
from treasury.models.payout_failures import REASONS

LIST = "/o/lantern-house/payouts"
CONSOLE = "/dashboard/lantern-house/payouts"


def member_of(organisation, role="viewer") -> Client:
    """Return a member's browser."""
    client = Client()
    client.force_login(MembershipFactory(organisation=organisation, role=role).user)
    return client


def links(response, what="payouts/po_"):
    """Return where the payouts of a page lead."""
    return re.findall(rf'href="[^"]*{what}(\w+)"', response.content.decode())


@pytest.fixture
def gift(organisation) -> Donation:
    """A gift of 50.00 EUR."""
    return DonationFactory(organisation=organisation, donor_email="zoe@example.org")


@pytest.fixture
def story(organisation, gift) -> list:
    """A gift, a payment of nobody's, what became of them, and fees: 97.60 EUR in all, booked."""
    paid = charged(5000, 100, donation_id=gift.id)
    other = charged(9000, 240)
    rows = [
        paid,
        other,
        movement("refund", -2000, charge=paid.charge),
        movement("dispute", -1000, 2000, charge=paid.charge),
        movement("dispute_reversal", 1000, charge=paid.charge),
        movement("fee", -25),
        movement("tax", -5),
        movement("telepathy", 130),
    ]
    book_all(organisation, *rows)
    return rows


# The list


def test_payouts_are_listed_newest_first_with_what_became_of_each(client, organisation):
    states = ["pending", "in_transit", "paid", "failed", "canceled"]
    for day, status in enumerate(states):
        keep(organisation, sent(f"po_{status}", 123_456, day=day, status=status))

    response = client.get(LIST)

    assert links(response) == ["failed", *states[::-1]]  # the notice's, then the list
    words = text_of(response)
    for state in ("Being prepared", "On its way to the bank", "Arrived at the bank", "Called off"):
        assert state in words
    assert words.count("1,234.56 EUR") == 5 + 1  # and in the notice of the one that came back
    assert response.content.decode().count('<tr class="is-corrected">') == 2
    assert "12 October 2026" in words


def test_money_that_came_from_the_bank_is_said_to(client, organisation):
    keep(organisation, sent("po_1", -500), sent("po_2", -500, status="in_transit"))

    words = text_of(client.get(LIST))

    assert "Taken from the bank" in words
    assert "On its way from the bank" in words
    assert "−5.00 EUR" in words


def test_a_long_list_comes_in_pages(client, organisation, monkeypatch):
    monkeypatch.setattr(views, "PAYOUTS_A_PAGE", 2)
    for number in range(3):
        PayoutFactory(organisation=organisation, stripe_id=f"po_{number}")
    PayoutFactory(
        organisation=organisation, stripe_id="po_old", created_at=NOON - timedelta(days=1)
    )
    PayoutFactory(stripe_id="po_other")

    first = client.get(LIST)
    second = client.get(LIST, {"before": "po_1"})

    assert links(first) == ["2", "1"]
    assert f'href="{LIST}?before=po_1"' in first.content.decode()
    assert links(second) == ["0", "old"]
    assert "This is the oldest page" in text_of(second)
    for unknown in ("po_other", "nothing", ""):
        assert links(client.get(LIST, {"before": unknown})) == ["2", "1"]


def test_no_payout_yet_is_said(client, organisation):
    assert "No payout yet" in text_of(client.get(LIST))
    assert "No payout yet" in text_of(member_of(organisation).get(CONSOLE))


@pytest.mark.django_db
def test_who_is_not_public_has_no_pages(client):
    applicant = ApplicantFactory(slug="applied")
    payout = PayoutFactory(organisation=applicant)
    for path in ("/o/applied/payouts", f"/o/applied/payouts/{payout.stripe_id}"):
        assert client.get(path).status_code == 404

    page = member_of(applicant).get("/dashboard/applied/payouts")

    assert "21 Nov 2026 12:00" in text_of(page)
    assert links(page) == []


def test_anothers_payout_is_not_there(client, organisation):
    other = PayoutFactory(organisation=OrganisationFactory())

    assert client.get(f"{LIST}/{other.stripe_id}").status_code == 404


# One of them


def test_a_payout_adds_up_to_the_cent(client, organisation, story):
    keep(organisation, sent("po_1", 9760), inside={"po_1": holding(*story)})

    response = client.get(f"{LIST}/po_1")

    page, words = response.content.decode(), text_of(response)
    sums = re.search(r'<dl class="facts facts--lines">(.*?)</dl>', page, re.DOTALL)
    told = " ".join(re.sub(r"<[^>]+>", " ", sums[1]).split())
    assert told == (
        "Gifts 50.00 EUR Payments outside Almoner 90.00 EUR Refunds −20.00 EUR "
        "Disputes −10.00 EUR Disputes won 10.00 EUR Other fees of Stripe −0.30 EUR "
        "Anything else 1.30 EUR Processing fees −23.40 EUR This payout 97.60 EUR"
    )
    assert "50.00 + 90.00 − 20.00 − 10.00 + 10.00 − 0.30 + 1.30 − 23.40 = 97.60 EUR" in words
    assert "Adds up to the cent" in words
    assert "Sent on 8 October 2026, 12:00 UTC , at the bank on 12 October 2026" in words
    assert sorted(map(int, links(response, "ledger/"))) == sorted(
        row.sequence for row in organisation.balance_transactions.all()
    )
    assert "Total 97.60 EUR" in words


def test_what_the_sum_begins_with_may_be_below_zero(client, organisation):
    refund = movement("refund", -2000)
    keep(organisation, sent("po_1", -2000), inside={"po_1": holding(refund)})

    words = text_of(client.get(f"{LIST}/po_1"))

    assert "− 20.00 = −20.00 EUR" in words
    assert "Not in the ledger" in words


def test_nothing_personal_and_nothing_of_the_bank_is_public(client, organisation, gift, story):
    facts = failed("po_1", 9760)
    keep(organisation, facts, inside={"po_1": holding(*story)})

    for path in (LIST, f"{LIST}/po_1", "/o/lantern-house"):
        page = client.get(path).content.decode()
        for private in (facts.bank_last4, facts.bank_name, facts.trace_id, facts.failure_message):
            assert private not in page
        assert gift.donor_email not in page


def test_a_large_payout_comes_in_pages_and_its_sum_is_of_all(client, organisation, monkeypatch):
    monkeypatch.setattr(views, "ITEMS_A_PAGE", 2)
    rows = [movement("charge", 100, id=f"txn_{number}") for number in range(5)]
    keep(organisation, sent("po_1", 500), inside={"po_1": holding(*rows)})
    page = f"{LIST}/po_1"

    first, second, third = (
        text_of(client.get(page, {"after": after})) for after in ("", "txn_1", "txn_3")
    )

    assert [words.count("Payment outside Almoner") for words in (first, second, third)] == [2, 2, 1]
    assert all("= 5.00 EUR" in words for words in (first, second, third))
    assert "This is the first page" in first
    assert f'href="{page}?after=txn_1#items"' in client.get(page).content.decode()
    assert "This is the last page" in third
    assert text_of(client.get(page, {"after": "txn_of_another"})) == first


def test_one_that_does_not_add_up_says_so(client, organisation):
    keep(organisation, sent("po_1", 5000), inside={"po_1": holding(charged(4999))})

    words = text_of(client.get(f"{LIST}/po_1"))

    assert "The payout is 50.00 EUR , and what Stripe says is in it is 49.99 EUR" in words
    assert "Adds up to the cent" not in words


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (sent("po_1", automatic=False, reconciliation_status="not_applicable"), "Sent by hand"),
        (sent("po_1", status="in_transit", reconciliation_status="in_progress"), "Not told yet"),
        (failed("po_1", reconciliation_status="in_progress"), "Stripe did not say which gifts"),
    ],
)
def test_one_of_which_nothing_is_told_says_why(client, organisation, facts, words):
    keep(organisation, facts)

    page = text_of(client.get(f"{LIST}/po_1"))

    assert words in page
    assert "What it is made of" not in page


def test_one_that_stripe_tells_to_be_empty_says_so(client, organisation):
    keep(organisation, sent("po_1"), inside={"po_1": []})

    assert "Stripe did not say which gifts" in text_of(client.get(f"{LIST}/po_1"))


def test_one_that_came_back_says_why_and_where_its_money_went(client, organisation):
    first = failed("po_1")
    keep(organisation, first)
    page = text_of(client.get(f"{LIST}/po_1"))
    assert "The money went back to the Stripe balance The bank account is closed. Its money" in page

    keep(organisation, sent("po_2", day=3), at=1, inside={"po_2": holding(returned(first))})

    response = client.get(f"{LIST}/po_1")
    assert "Its money left again in the payout of 11 October 2026" in text_of(response)
    assert f'href="{LIST}/po_2"' in response.content.decode()
    assert "Payouts that came back" in text_of(client.get(f"{LIST}/po_2"))


def test_one_that_was_called_off_says_so(client, organisation):
    keep(organisation, sent("po_1", status="canceled"))

    words = text_of(client.get(f"{LIST}/po_1"))

    assert "The payout was called off before it left." in words
    assert "at the bank on" not in words


@pytest.mark.parametrize("code", [*REASONS, "something new", ""])
def test_every_reason_is_a_sentence(organisation, code):
    reason = Payout(failure_code=code).reason

    assert reason.endswith(".")
    assert "_" not in reason


# Where they are linked and told


def test_entries_of_payouts_lead_to_them(client, organisation):
    sent_, other, old = write(
        organisation,
        {
            "operation": MoneyOperation.PAYOUT_SENT,
            "debit": "in_transit",
            "credit": "stripe",
            "metadata": {"source": "po_1"},
        },
        {"metadata": {"source": "re_1"}},
        {"operation": MoneyOperation.PAYOUT_SENT, "debit": "in_transit", "credit": "stripe"},
    )

    found = {
        entry.sequence: links(client.get(f"/o/lantern-house/ledger/{entry.sequence}"))
        for entry in (sent_, other, old)
    }

    assert found == {sent_.sequence: ["1"], other.sequence: [], old.sequence: []}


@pytest.mark.parametrize("path", ["/o/lantern-house", LIST, "/dashboard/lantern-house/credits"])
def test_a_payout_that_came_back_is_told_until_a_later_one_arrives(organisation, path):
    browser, title = member_of(organisation, Membership.Role.OWNER), "The last payout came back"
    assert title not in text_of(browser.get(path))
    keep(organisation, failed("po_1", 4900))

    words = text_of(browser.get(path))

    assert title in words
    assert "49.00 EUR , sent on 8 October 2026 : The bank account is closed." in words
    keep(organisation, sent("po_2", day=2, status="in_transit"), at=1)
    assert title in text_of(browser.get(path))
    keep(organisation, sent("po_2", day=2), at=2)
    assert title not in text_of(browser.get(path))


def test_the_organisations_page_leads_to_its_payouts(client, organisation):
    assert f'href="{LIST}"' in client.get("/o/lantern-house").content.decode()


def test_members_see_the_bank_and_why_one_came_back(organisation):
    keep(
        organisation,
        sent("po_3", 1, day=2, bank_last4="", bank_name="", trace_id=""),
        sent("po_2", 5000, day=1),
        failed("po_1"),
        inside={"po_2": holding(charged(4999))},
    )

    words = text_of(member_of(organisation).get(CONSOLE))

    assert "BANK OF GHENT ending in •• 2606" in words
    assert "Trace TRACE1" in words
    assert "Not told" in words
    assert "The bank account is closed." in words
    assert words.count("What is in it does not add up yet") == 1


def test_members_read_that_payouts_wait_and_why(organisation):
    member = member_of(organisation)
    assert "wait" not in text_of(member.get(CONSOLE))

    control = PayoutControl.objects.create(
        organisation=organisation, schedule={"interval": "daily"}, stopped_at=NOON
    )
    assert "once a day" not in text_of(member.get(CONSOLE))  # nothing is held any more
    hold_settled(in_ledger(organisation))
    assert "Stripe pays you out once a day at the moment" in text_of(member.get(CONSOLE))

    control.schedule = {"interval": "manual"}
    control.save()
    assert "once a day" not in text_of(member.get(CONSOLE))

    hold_payouts(case=CaseFactory(organisation=organisation, kind="account"))
    text = text_of(member.get(CONSOLE))
    assert "Payouts wait since" in text
    assert "No money is lost" in text
