"""The members' pages in Chromium: no violation of axe, nothing too wide, and they work."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from credits.handles import handle_of
from credits.models import Owner
from ledger.models import Entry
from ledger.services.corrections import correct_entry
from organisations.models import Organisation
from tests.browser.conftest import open_context
from tests.browser.test_pages import watched
from tests.credits.conftest import Program
from tests.factories import (
    PASSWORD,
    CreditGrantFactory,
    GrantRuleFactory,
    MembershipFactory,
    OrganisationFactory,
    UserFactory,
)

__all__ = ["open_context"]
pytestmark = pytest.mark.browser
CREDITS = "/dashboard/lantern-house/credits"
LONG = "4f9c1b7e-0d6a-4c55-9a3e-" + "7" * 104


@pytest.fixture
def organisation(live_server) -> Organisation:
    """An organisation with a lively application of credits, and rules."""
    organisation = OrganisationFactory(name="Lantern House", slug="lantern-house", crest="lantern")
    program = Program(organisation)
    program.post("user-4711", "SIGNUP_CREDIT", "signup:user-4711")
    program.post("user-4711", "DAILY_REWARD", "daily:user-4711:2026-11-20")
    program.post("user-4711", "CREDIT_ADD", "order:81", amount=12_500)
    program.post("user-4711", "CONTENT_CREATION", "article:9")
    program.post("user-4711", "CONTENT_ACCESS", "article:7:read")
    program.post("user-4711", "CREDIT_SPEND", "poster:3", amount=-40)
    mistake = program.post("user-4711", "CREDIT_ADD", "order:81-again", amount=12_500).json()
    for owner_id in (LONG, "مستخدم-٤٧", "日本の利用者"):
        program.post(owner_id, "SIGNUP_CREDIT", f"signup:{owner_id}")
    entry = Entry.objects.of(organisation, "credits").get(sequence=mistake["sequence"])
    correct_entry(entry=entry, reason="The order was counted twice.")
    GrantRuleFactory(organisation=organisation)
    GrantRuleFactory(organisation=organisation, currency="JPY", is_active=False)
    CreditGrantFactory(organisation=organisation)
    return organisation


@pytest.fixture
def paths(organisation) -> list[str]:
    """The members' pages."""
    owners = [handle_of(Owner(organisation, "credits", name)) for name in ("user-4711", LONG)]
    return [
        "/dashboard",
        CREDITS,
        f"{CREDITS}/credits",
        *(f"{CREDITS}/credits/owners/{handle}" for handle in owners),
        f"{CREDITS}/credits/owners/{owners[0]}?before=1",
    ]


def sign_in(page: Page, organisation: Organisation, role: str = "owner") -> None:
    """Sign in as a member."""
    user = UserFactory(name="Ines Verhaeghe")
    MembershipFactory(organisation=organisation, user=user, role=role)
    page.goto(CREDITS)
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_title(re.compile("Credits of Lantern House"))


def violations(page: Page) -> list[tuple[str, str]]:
    """Return what axe finds on a page."""
    found = Axe().run(page).response["violations"]
    return [(page.url, each["id"], each["nodes"][0]["html"]) for each in found]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing(open_context, organisation, paths, scheme, width):
    context = open_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = context.new_page()
    wrongs = watched(page)
    page.goto("/sign-in")
    found = violations(page)
    page.get_by_role("button", name="Sign in").click()
    found += violations(page)
    sign_in(page, organisation)

    for path in paths:
        page.goto(path)
        found += violations(page)
    page.goto(CREDITS)
    page.get_by_label("One credit for every").fill("1.5")
    page.get_by_role("button", name="Set the rule").click()
    found += violations(page)
    page.goto(f"{CREDITS}/credits")
    page.get_by_label("Owner’s id").fill("nobody")
    page.get_by_role("button", name="Find").click()
    found += violations(page)

    assert found == []
    assert wrongs == []


@pytest.mark.parametrize("width", [320, 640])
def test_no_page_scrolls_sideways(open_context, organisation, paths, width):
    page = open_context(viewport={"width": width, "height": 700}).new_page()
    page.goto("/sign-in")
    wide = [page.url] if is_wide(page) else []
    sign_in(page, organisation)

    for path in paths:
        page.goto(path)
        wide += [path] if is_wide(page) else []

    assert wide == []


def is_wide(page: Page) -> bool:
    """Tell whether a page scrolls sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def test_an_owner_is_found_and_a_rule_is_set_with_the_keyboard(open_context, organisation):
    page = open_context().new_page()
    sign_in(page, organisation)

    page.get_by_label("One credit for every").fill("0")
    page.keyboard.press("Enter")
    expect(page).to_have_title(re.compile("^Error: "))
    page.get_by_role("alert").get_by_role("link").press("Enter")
    expect(page.locator("#minor_units_per_credit")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("250")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name=re.compile("credits 2.50 EUR"))).to_be_visible()

    page.get_by_role("link", name="credits", exact=True).click()
    page.get_by_label("Owner’s id").fill("user-4711")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Credits of one owner")
    expect(page.get_by_text("user-4711", exact=True)).to_be_visible()
    assert "4711" not in page.url
    page.get_by_role("button", name="Sign out").click()
    page.goto(CREDITS)
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
