"""Donors in Chromium: in by their mail, every form sent from the page it stands on."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from donations.models import DonorVisit
from organisations.models import Mail
from tests.browser.conftest import open_context
from tests.factories import NOON, DonationFactory, RecurringGiftFactory
from tests.recurring.conftest import EMAIL, Giver

__all__ = ["open_context"]
pytestmark = pytest.mark.browser


@dataclass
class Donor:
    """Somebody at a page of a certain width."""

    page: Page
    width: int = 1280

    def see(self, words: str) -> None:
        """Check that a page is there, fits, and has no violation of axe."""
        expect(self.page.locator("main")).to_contain_text(words)
        assert self.page.evaluate("document.documentElement.scrollWidth") <= self.width
        assert Axe().run(self.page).response["violations"] == []

    def press(self, words: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=words).click()

    def come_in(self) -> None:
        """Ask for a link, and come in by it."""
        self.page.goto("/me")
        self.see("You need no account")
        self.page.get_by_label("E-mail address").fill(EMAIL.upper())
        self.press("Send me a link")
        self.see("Look into your mail")
        [link] = re.findall(r"http\S+/me/open\?token=\S+", Mail.objects.latest("id").body)
        self.page.goto(link)
        self.see("One more step")
        self.press("Show my gifts")
        self.see("Gifts that repeat")


@pytest.fixture
def running(live_server, settings, giver) -> Giver:
    """A gift that repeats, beside others in every state."""
    settings.BASE_URL = live_server.url
    giver.pay()
    giver.tell()
    begun = {"organisation": giver.organisation, "donor_email": EMAIL, "started_at": NOON}
    RecurringGiftFactory(**begun, status="past_due", interval="year", amount=250_000)
    RecurringGiftFactory(**begun, status="paused")
    RecurringGiftFactory(**begun, status="ended", ended_at=NOON)
    return giver


@pytest.fixture
def donor_at(running, open_context) -> Callable[..., Donor]:
    """Return what opens a browser for a donor."""

    def make(width: int = 1280, scheme: str = "light") -> Donor:
        size = {"width": width, "height": 900}
        return Donor(open_context(viewport=size, color_scheme=scheme).new_page(), width)

    return make


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_a_donor_comes_in_changes_and_ends_a_gift(running, donor_at, width, scheme):
    donor = donor_at(width, scheme)
    donor.come_in()

    donor.page.locator(f"a[href='/me/gifts/{running.recurring.id}/amount']").click()
    donor.press("Change the amount")
    donor.see("Enter an amount")
    donor.page.get_by_label("New amount").fill("25")
    donor.press("Change the amount")
    donor.see("25.00")
    donor.page.locator(f"a[href='/me/gifts/{running.recurring.id}/cancel']").click()
    donor.see("What happens")
    donor.press("End my gift")
    donor.see("Give again")
    donor.press("Leave")
    donor.see("You need no account")

    assert (running.recurring.status, running.recurring.amount) == ("ended", 2500)
    assert not DonorVisit.objects.exists()


def test_a_donor_erases_their_details(running, donor_at):
    donation = DonationFactory(organisation=running.organisation, donor_email=EMAIL)
    donor = donor_at()

    donor.page.goto(f"/donations/{donation.id}/erase?token={donation.token}")
    donor.press("Erase my details for ever")

    donor.see("Your details were erased")


def test_the_button_says_the_total_and_the_rhythm(donor_at):
    donor = donor_at()
    button = donor.page.get_by_role("button", name=re.compile("^Give"))

    donor.page.goto("/o/eau-vive/donate")
    expect(button).to_have_text(re.compile("^\\s*Give \u206810.00\u2069 EUR\\s*$"))
    donor.page.get_by_text("Every year").click()

    expect(button).to_have_text(re.compile("^\\s*Give \u206810.00\u2069 EUR every year\\s*$"))
