"""A large first gift in Chromium: looked at by two people, then released, or given back."""

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect

from donations.models import Donation
from donations.services.promises import create_sandbox_account, journey_url
from organisations.models import Organisation
from tests.factories import OrganisationFactory, UserFactory
from tests.sandbox_fixtures import sandbox_process, sandbox_stripe
from tests.webhooks.holding import carried_out, case_of, heard, promised

__all__ = ["sandbox_process", "sandbox_stripe"]
pytestmark = pytest.mark.browser


@pytest.fixture
def staff(open_context, live_server):
    """Two people who may decide, each in a browser of their own."""

    def open_as(email: str) -> Page:
        client = Client()
        client.force_login(UserFactory(email=email, is_staff=True, is_superuser=True))
        name = settings.SESSION_COOKIE_NAME
        context = open_context()
        cookie = {"name": name, "value": client.cookies[name].value, "url": live_server.url}
        context.add_cookies([cookie])
        return context.new_page()

    return open_as("zoe@example.org"), open_as("ana@example.org")


@pytest.fixture
def gift(live_server, sandbox_stripe) -> Donation:
    """A first gift of 1,200.00 EUR every month to a new organisation: flagged and held."""
    account = create_sandbox_account(country="FR", currency="EUR")
    organisation: Organisation = OrganisationFactory(
        name="Lantern", slug="lantern", stripe_account=account
    )
    donation = promised(
        organisation, amount=120_000, interval="month", donor_email="mia@example.org"
    )
    sandbox_stripe.control(
        f"checkout/{donation.checkout_session}/pay", card_number="4242424242424242"
    )
    gift = heard(donation)
    assert (gift.status, gift.held_as) == ("held", "ledger")
    return gift


def decided_by_two(staff, gift, choice: str) -> None:
    """Have one person propose a choice, and another confirm it, on the page of the case."""
    zoe, ana = staff
    zoe.goto("/admin/")
    zoe.get_by_role("link", name="Gift under review", exact=True).click()
    expect(zoe.get_by_text("Large first gift to a new organisation").first).to_be_visible()
    zoe.get_by_label("Why (kept with the decision)").fill("Their bank knows the donor.")
    zoe.get_by_role("button", name=f"Propose: {choice}").click()
    expect(zoe.get_by_text(f"You proposed: {choice}.")).to_be_visible()
    gift.refresh_from_db()
    assert gift.status == "held"

    ana.goto(f"/admin/reviews/case/{case_of(gift).pk}/change/")
    ana.get_by_label("Why (kept with the decision)").fill("I called the organisation.")
    ana.get_by_role("button", name=f"Confirm: {choice}").click()
    expect(ana.get_by_role("heading", name="Decided")).to_be_visible()


def journey(page: Page, gift: Donation) -> Page:
    page.goto(journey_url(gift).removeprefix(settings.BASE_URL))
    return page


def test_a_gift_that_two_people_release_stands_in_the_public_ledger_with_both_lines(
    staff, gift, open_context
):
    visitor = open_context().new_page()
    expect(
        journey(visitor, gift).get_by_role("heading", name="set aside for a review")
    ).to_be_visible()

    decided_by_two(staff, gift, "Release")

    visitor.goto("/o/lantern/ledger")
    lines = visitor.locator("main li, main tr")
    expect(lines.filter(has_text="Hold released").first).to_be_visible()
    expect(lines.filter(has_text="Held for review").first).to_be_visible()
    expect(
        journey(visitor, gift).get_by_role("heading", name="In the ledger", exact=True)
    ).to_be_visible()


def test_a_gift_that_they_refuse_is_given_back_and_its_donor_reads_so(staff, gift, open_context):
    decided_by_two(staff, gift, "Give back")

    carried_out(gift)

    visitor = open_context().new_page()
    expect(journey(visitor, gift).get_by_role("heading", name="Given back to you")).to_be_visible()
