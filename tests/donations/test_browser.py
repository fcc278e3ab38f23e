"""The members' pages about gifts in Chromium: no violation of axe, nothing too wide, they work."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.db import transaction
from django.test import Client
from django.utils import timezone
from playwright.sync_api import BrowserContext, expect

from donations.models import Donation
from donations.services import gifts
from donations.services.promises import create_sandbox_account
from donations.services.refusals import REFUSALS
from organisations.models import Membership, Organisation
from tests.browser.conftest import open_context
from tests.browser.test_pages import watched
from tests.donations.refunds import settled_gift
from tests.donations.test_console import settled
from tests.factories import (
    DonationFactory,
    FundFactory,
    MembershipFactory,
    OrganisationFactory,
    RefundRequestFactory,
    UserFactory,
)

__all__ = ["open_context"]
pytestmark = pytest.mark.browser
CONSOLE = "/dashboard/lantern-house"
DONOR = {
    "donor_name": "Wilhelmina Charlotte von Hohenlohe-Langenburg-Schillingsfürst",
    "donor_email": f"{'w' * 60}@a-long-name-of-a-domain.example",
}


@pytest.fixture
def organisation(live_server) -> Organisation:
    """An organisation with gifts in every state, and refunds in every state of one."""
    organisation = OrganisationFactory(name="Lantern House", slug="lantern-house", crest="lantern")
    FundFactory(organisation=organisation, slug="winter-shelter", name="Winter shelter")
    for status in ("pending", "paid", "failed", "expired", "canceled"):
        DonationFactory(organisation=organisation, status=status, amount=123_456_789)
    DonationFactory(organisation=organisation, erased_at=timezone.now())
    disputed = settled(organisation, donor_email="ana@example.org", fund="winter-shelter")
    with transaction.atomic():
        gifts.add_dispute(organisation=organisation, donation_id=disputed.id, amount=5000)
    return organisation


@pytest.fixture
def gift(organisation) -> Donation:
    """A gift with refunds in every state."""
    gift = settled(organisation, **DONOR, paid_at=timezone.now())
    named = {"stripe_refund": "re_1", "status": "failed", "failure": "expired_or_canceled_card"}
    refused = {"refusal_code": "charge_disputed", "refusal": REFUSALS["charge_disputed"]}
    who = UserFactory(name="Ines Verhaeghe")
    for fields in (
        {"note": "Called us on Monday, gave twice by mistake", "requested_by": who},
        {"status": "sent"},
        {"status": "pending", "stripe_refund": "re_2"},
        {"status": "succeeded", "stripe_refund": "re_3"},
        {"status": "refused", **refused},
        named,
    ):
        RefundRequestFactory(donation=gift, amount=100, **fields)
    return gift


@pytest.fixture
def paths(gift, organisation) -> list[str]:
    """The members' pages, and one of them after a mistake."""
    other = DonationFactory(organisation=organisation)
    return [
        CONSOLE,
        f"{CONSOLE}/gifts",
        f"{CONSOLE}/gifts?status=odd",
        f"{CONSOLE}/gifts?status=refunded",
        f"{CONSOLE}/gifts/{gift.id}",
        f"{CONSOLE}/gifts/{gift.id}/refund",
        f"{CONSOLE}/gifts/{other.id}",
        f"{CONSOLE}/gifts/{other.id}/refund",
    ]


def let_in(context: BrowserContext, organisation: Organisation) -> None:
    """Let a finance member of the organisation be signed in."""
    client = Client()
    role = Membership.Role.FINANCE
    client.force_login(MembershipFactory(organisation=organisation, role=role).user)
    name = django_settings.SESSION_COOKIE_NAME
    cookie = {"name": name, "value": client.cookies[name].value, "path": "/"}
    context.add_cookies([{**cookie, "domain": "localhost"}])


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing(open_context, organisation, paths, scheme, width):
    context = open_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    let_in(context, organisation)
    page = context.new_page()
    wrongs = watched(page)
    found = []

    def check():
        for each in Axe().run(page).response["violations"]:
            found.append((page.url, each["id"], each["nodes"][0]["html"]))

    for path in paths:
        page.goto(path)
        check()
    page.goto(paths[5])
    page.get_by_role("button", name="Continue").click()
    check()
    page.goto(f"{CONSOLE}/gifts")
    page.get_by_label("Gift’s id or donor’s e-mail address").fill("nobody@example.org")
    page.get_by_role("button", name="Find").click()
    check()

    assert found == []
    assert [wrong for wrong in wrongs if "40" not in wrong] == []


@pytest.mark.parametrize("width", [320, 640])
def test_no_page_scrolls_sideways(open_context, organisation, paths, width):
    context = open_context(viewport={"width": width, "height": 700})
    let_in(context, organisation)
    page = context.new_page()
    wide = []

    for path in paths:
        page.goto(path)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append(path)

    assert wide == []


def test_a_gift_is_given_back_with_the_keyboard(open_context, live_server, sandbox_stripe):
    account = create_sandbox_account(country="FR", currency="EUR")
    organisation = OrganisationFactory(name="Eau Vive", slug="eau-vive", stripe_account=account)
    gift = settled_gift(sandbox_stripe, organisation)
    context = open_context()
    let_in(context, organisation)
    page = context.new_page()
    page.goto(f"/dashboard/eau-vive/gifts/{gift.id}")

    page.get_by_role("link", name="Give back all or a part").press("Enter")
    page.get_by_label("A part of it").press(" ")
    page.get_by_label("How much", exact=True).fill("7,5")
    page.keyboard.press("Enter")
    expect(page).to_have_title(re.compile("^Error: "))
    page.get_by_role("alert").get_by_role("link").press("Enter")
    page.keyboard.press("Control+A")
    page.keyboard.type("7.50")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Give back 7.50 EUR?")
    page.get_by_role("button", name="Give back 7.50 EUR").press("Enter")

    expect(page.get_by_role("row", name=re.compile("Given back 7.50 EUR"))).to_be_visible()
