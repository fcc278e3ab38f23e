"""The members' pages about gifts: the start of the console, all gifts, and each."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from donations.models import Donation
from donations.services import gifts
from donations.services.refusals import REFUSALS
from donations.views import console
from ledger.operations import MoneyOperation
from organisations.models import Membership, Organisation
from tests.factories import (
    ApplicantFactory,
    DonationFactory,
    FundFactory,
    MembershipFactory,
    OrganisationFactory,
    RefundRequestFactory,
    gift_entries,
)
from tests.pages.conftest import text_of

PAGE = "/dashboard/lantern"
GIFTS = f"{PAGE}/gifts"
DONOR = {"donor_name": "Zoë Müller", "donor_email": "zoe@example.org"}


@pytest.fixture
def organisation(db) -> Organisation:
    """An approved organisation with a connected account."""
    organisation = OrganisationFactory(name="Lantern", slug="lantern", stripe_account="acct_1")
    FundFactory(organisation=organisation, slug="winter-shelter", name="Winter shelter")
    return organisation


def browser_of(organisation, role=Membership.Role.OWNER) -> Client:
    """Return the browser of a member in a role."""
    client = Client()
    client.force_login(MembershipFactory(organisation=organisation, role=role).user)
    return client


@pytest.fixture
def owner(organisation) -> Client:
    """The browser of the organisation's owner."""
    return browser_of(organisation)


def settled(organisation, **fields) -> Donation:
    """Return a gift of 50.00 EUR with a fee of 1.70 EUR in the ledger."""
    donation = DonationFactory(organisation=organisation, **fields)
    facts = {"donation": donation.id, "charge": "ch_1"}
    first = 10 * Donation.objects.count()
    [entry] = gift_entries(organisation, first=first, metadata=facts, credit="fund:general")
    gift_entries(
        organisation,
        first=first + 1,
        metadata=facts,
        operation=MoneyOperation.PROCESSING_FEE,
        amount=170,
        debit="fund:general",
        credit="stripe",
    )
    gifts.settle(donation=donation, entry=entry)
    return donation


def words_of(response, status=200) -> str:
    """Return the words of a page's main part, in one line."""
    assert response.status_code == status, response.content[:500]
    assert "no-store" in response["Cache-Control"]
    return text_of(response).partition("Overview")[2]


# The start


def test_the_console_begins_with_the_money_and_the_last_gifts(owner, organisation):
    gift = settled(organisation, **DONOR)

    response = owner.get(PAGE)
    page = words_of(response)

    assert "Where the money is" in page
    assert "48.30" in page
    assert f'href="{GIFTS}/{gift.id}"' in response.content.decode()
    assert "Zoë Müller" in page
    assert "What waits" not in page


def test_a_new_organisation_has_a_console_too(db):
    new = ApplicantFactory(slug="new-door")
    without, with_page = browser_of(new), browser_of(OrganisationFactory(slug="open"))

    assert "Gifts can be made once your organisation is approved" in words_of(
        without.get("/dashboard/new-door")
    )
    assert "This page takes gifts" in words_of(with_page.get("/dashboard/open"))


def test_what_waits_is_said_with_what_to_do(owner, organisation):
    gift = settled(organisation)
    gifts.add_dispute(organisation=organisation, donation_id=gift.id, amount=5000)
    other = settled(organisation)
    waiting = {"donation": other, "organisation": organisation, "amount": 100}
    RefundRequestFactory(status="sent", **waiting)
    RefundRequestFactory(status="pending", stripe_refund="re_1", **waiting)
    RefundRequestFactory(status="succeeded", stripe_refund="re_2", **waiting)
    RefundRequestFactory(status="failed", stripe_refund="re_3", failure="declined", **waiting)

    page = words_of(owner.get(PAGE))

    assert "A donor’s bank disputes a gift of 50.00 EUR" in page
    assert "Waits for Stripe’s answer: refund of 1.00 EUR" in page
    assert "On its way: refund of 1.00 EUR Stripe has it, and sends it once" in page
    assert "The donor has not got it: the donor’s bank declined it." in page
    assert page.count("refund of") == 3


def test_the_list_of_organisations_leads_there(owner):
    assert f'href="{PAGE}"' in owner.get("/dashboard").content.decode()


# All gifts


def test_gifts_are_listed_newest_first_a_page_at_a_time(owner, organisation, monkeypatch):
    monkeypatch.setattr(console, "GIFTS_A_PAGE", 2)
    ids = [DonationFactory(organisation=organisation).id for _ in range(3)][::-1]
    DonationFactory(organisation=OrganisationFactory())

    first = owner.get(GIFTS)
    older = owner.get(GIFTS, {"before": first.context["gifts"][-1].id})

    assert [gift.id for gift in first.context["gifts"]] == ids[:2]
    assert f"?before={ids[1]}" in first.content.decode()
    assert [gift.id for gift in older.context["gifts"]] == ids[2:]
    assert "Newest" in words_of(older)
    assert "Older" not in words_of(older)


def test_gifts_are_filtered(owner, organisation, monkeypatch):
    monkeypatch.setattr(console, "GIFTS_A_PAGE", 1)
    named = {
        "paid": DonationFactory(organisation=organisation, status="paid"),
        "failed": DonationFactory(organisation=organisation, status="failed"),
        "shelter": DonationFactory(organisation=organisation, fund="winter-shelter"),
        "old": DonationFactory(organisation=organisation),
    }
    long_ago = datetime(2025, 2, 3, 23, 59, tzinfo=UTC)
    Donation.objects.filter(id=named["old"].id).update(created_at=long_ago)

    def found(**filters):
        shown = owner.get(GIFTS, filters).context["gifts"]
        return [name for gift in shown for name, one in named.items() if one == gift]

    assert found(status="paid") == ["paid"]
    assert found(status="failed") == ["failed"]
    assert found(fund="winter-shelter") == ["shelter"]
    assert found(until="2025-02-03") == ["old"]
    assert found(since="2025-02-04") == ["shelter"]
    assert found(since="2025-02-03", until="2025-02-03", status="pending") == ["old"]
    page = owner.get(GIFTS, {"since": "2025-02-04"}).content.decode()
    assert "?since=2025-02-04&amp;before=don_" in page


def test_no_gift_is_said(owner, organisation):
    assert "Every gift stands here from the moment" in words_of(owner.get(GIFTS))
    assert "Nothing fits what you chose" in words_of(owner.get(GIFTS, {"status": "paid"}))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"status": "odd"}, "Choose a state from the list."),
        ({"fund": "odd"}, "Choose a fund from the list."),
        ({"since": "tomorrow"}, "Write the first day like 2026-11-01."),
        ({"since": "2026-02-02", "until": "2026-02-01"}, "must not be before the first"),
        ({"before": "don_1"}, "Follow the links below the list"),
        ({"before": "\0"}, "Null characters are not allowed"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(owner, query, words):
    page = words_of(owner.get(GIFTS, query), 400)

    assert words in page
    assert "No gifts are shown until this is corrected" in page


@pytest.mark.parametrize("role", Membership.Role)
def test_only_who_answers_donors_sees_who_gave(organisation, role):
    gift = settled(organisation, public_name="Z.", **DONOR)
    RefundRequestFactory(donation=gift, organisation=organisation, note="Called us")
    client = browser_of(organisation, role)
    sees = role != Membership.Role.VIEWER

    for path in (PAGE, GIFTS, f"{GIFTS}/{gift.id}"):
        page = client.get(path).content.decode()
        assert ("Zoë Müller" in page) == sees
    page = client.get(f"{GIFTS}/{gift.id}").content.decode()
    assert ("zoe@example.org" in page) == sees
    assert ("Called us" in page) == sees


def test_who_was_erased_is_not_shown(owner, organisation):
    gift = DonationFactory(organisation=organisation, erased_at=datetime(2026, 1, 2, tzinfo=UTC))

    assert "Erased" in words_of(owner.get(GIFTS))
    page = words_of(owner.get(f"{GIFTS}/{gift.id}"))
    assert "Nobody can tell any more who gave." in page


# Finding one


def find(client, wanted):
    return client.post(f"{GIFTS}/find", {"wanted": wanted})


def test_a_gift_is_found_by_its_id(owner, organisation):
    gift = DonationFactory(organisation=organisation)

    response = find(owner, gift.id)

    assert (response.status_code, response["Location"]) == (303, f"{GIFTS}/{gift.id}")


def test_the_gifts_of_an_address_are_found_and_it_stands_in_no_url(owner, organisation):
    first, last = (DonationFactory(organisation=organisation, **DONOR) for _ in range(2))
    DonationFactory(organisation=organisation, donor_email="zoe@example.org.uk")
    DonationFactory(**DONOR)

    response = find(owner, "ZOE@example.org")

    assert response.status_code == 200
    assert [gift.id for gift in response.context["gifts"]] == [last.id, first.id]
    assert 'href="?' not in response.content.decode()


def test_the_newest_of_many_are_shown(owner, organisation, monkeypatch):
    monkeypatch.setattr(console, "GIFTS_A_PAGE", 1)
    DonationFactory.create_batch(2, organisation=organisation, **DONOR)

    assert "The newest 1 are shown." in words_of(find(owner, "zoe@example.org"))


@pytest.mark.parametrize(
    ("wanted", "status", "words"),
    [
        ("don_" + "0" * 26, 404, "Your organisation has no gift with this id."),
        ("nobody@example.org", 404, "Nobody gave with this address"),
        ("", 400, "Enter what to look for."),
        ("Zoë", 400, "Enter a gift’s id, which begins with don_"),
        ("\0", 400, "Null characters are not allowed."),
    ],
)
def test_what_is_not_found_is_said(owner, organisation, wanted, status, words):
    DonationFactory(organisation=organisation)

    assert words in words_of(find(owner, wanted), status)


def test_another_organisations_gift_is_not_there(owner):
    theirs = DonationFactory()

    assert "no gift with this id" in words_of(find(owner, theirs.id), 404)
    assert owner.get(f"{GIFTS}/{theirs.id}").status_code == 404
    assert owner.get(f"{GIFTS}/{theirs.id}/refund").status_code == 404


def test_who_may_not_see_donors_finds_none_by_address(organisation):
    DonationFactory(organisation=organisation, **DONOR)
    viewer = browser_of(organisation, Membership.Role.VIEWER)

    response = find(viewer, "zoe@example.org")

    assert "begins with don_ and has 30 characters" in words_of(response, 400)
    assert "e-mail address" not in words_of(viewer.get(GIFTS))


# One gift


def test_a_gift_says_what_happened_to_it(owner, organisation):
    gift = settled(organisation, **DONOR, payment_intent="pi_1", checkout_session="cs_1")

    response = owner.get(f"{GIFTS}/{gift.id}")
    page = words_of(response)

    for words in (
        "Gift of 50.00 EUR In the ledger for General",
        gift.id,
        "Donation received",
        "Processing fee −1.70 EUR",
        "Left for Lantern 48.30 EUR",
        "zoe@example.org",
        "ch_1",
        "pi_1",
        "cs_1",
        "Give back all or a part",
    ):
        assert words in page
    link = "https://dashboard.stripe.com/acct_1/test/payments/pi_1"
    assert f'href="{link}"' in response.content.decode()


@pytest.mark.parametrize("page", ["gift", "form", "confirm"])
def test_a_page_reads_entries_and_refunds_of_its_gift_once(owner, organisation, page):
    gift = settled(organisation)
    RefundRequestFactory(donation=gift)
    path = f"{GIFTS}/{gift.id}"
    sent = {"what": "all", "reason": "duplicate", "key": "k" * 16}
    ask = {
        "gift": lambda: owner.get(path),
        "form": lambda: owner.get(f"{path}/refund"),
        "confirm": lambda: owner.post(f"{path}/refund", sent),
    }[page]

    with CaptureQueriesContext(connection) as queries:
        assert ask().status_code == 200

    asked = [query["sql"] for query in queries]
    assert sum('FROM "ledger_entry"' in sql for sql in asked) == 1
    under_way = [sql for sql in asked if 'FROM "donations_refundrequest"' in sql and "NOT" in sql]
    assert len(under_way) == 1


def test_a_live_payment_is_linked_where_it_is(owner, organisation, settings):
    settings.STRIPE_LIVEMODE = True
    gift = settled(organisation)

    page = owner.get(f"{GIFTS}/{gift.id}").content.decode()

    assert 'href="https://dashboard.stripe.com/acct_1/payments/ch_1"' in page


def test_a_gift_in_another_currency_says_what_it_was_changed_into(owner, organisation):
    gift = settled(organisation, amount=8000, currency="JPY")

    page = words_of(owner.get(f"{GIFTS}/{gift.id}"))

    assert "Given 8,000 JPY Changed into 50.00 EUR" in page


def test_a_gift_that_was_not_paid_has_nothing_to_give_back(owner, organisation):
    gift = DonationFactory(organisation=organisation)

    page = words_of(owner.get(f"{GIFTS}/{gift.id}"))

    assert "Not paid yet" in page
    assert "Give it back" not in page
    assert "Stripe’s dashboard" not in page


def test_a_disputed_gift_says_what_to_do(owner, organisation):
    gift = settled(organisation)
    gifts.add_dispute(organisation=organisation, donation_id=gift.id, amount=5000)

    page = words_of(owner.get(f"{GIFTS}/{gift.id}"))

    assert "The donor’s bank disputes this payment" in page
    assert "To give it back as well would pay it twice." in page


def test_who_may_not_give_back_is_told_who_may(organisation):
    gift = settled(organisation)
    admin = browser_of(organisation, Membership.Role.ADMIN)

    assert "Owners and finance members of Lantern can give it back." in words_of(
        admin.get(f"{GIFTS}/{gift.id}")
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "The refund of 1.00 EUR has no answer yet It was taken down and is made once"),
        ({"status": "sent"}, "Waits for Stripe’s answer"),
        ({"status": "pending", "stripe_refund": "re_1"}, "On its way. Banks take up to ten days"),
        ({"status": "succeeded", "stripe_refund": "re_1"}, "Given back"),
        (
            {"status": "failed", "stripe_refund": "re_1", "failure": "lost_or_stolen_card"},
            "The donor has not got it: the card was reported lost or stolen.",
        ),
        (
            {"status": "failed", "stripe_refund": "re_1", "failure": "unheard_of"},
            "the donor’s bank could not credit it.",
        ),
        (
            {
                "status": "refused",
                "refusal_code": "charge_disputed",
                "refusal": REFUSALS["charge_disputed"],
            },
            REFUSALS["charge_disputed"],
        ),
    ],
)
def test_every_state_of_a_refund_is_said(owner, organisation, fields, words):
    gift = settled(organisation)
    RefundRequestFactory(donation=gift, organisation=organisation, amount=100, **fields)

    page = words_of(owner.get(f"{GIFTS}/{gift.id}"))

    assert words in page
    assert "A program" in page


def test_what_moved_between_purposes_is_no_part_of_what_is_left(organisation, owner):
    gift = settled(organisation)
    held = {"operation": MoneyOperation.DONATION_HELD, "debit": "fund:general", "credit": "held"}
    gift_entries(organisation, first=50, metadata={"donation": gift.id}, **held)

    page = words_of(owner.get(f"{GIFTS}/{gift.id}"))

    assert "Left for Lantern 48.30 EUR" in page
