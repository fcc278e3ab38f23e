"""Accounts, members and invitations in Chromium: no violation of axe, and nothing too wide."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from organisations.models import Mail
from organisations.services import invitations
from organisations.services.members import change_role
from tests.browser.conftest import open_context
from tests.browser.test_pages import watched
from tests.factories import PASSWORD, MembershipFactory, OrganisationFactory, UserFactory

__all__ = ["open_context"]
pytestmark = pytest.mark.browser
POND = "/dashboard/pond"
LONG = "a-person-with-a-long-address@a-mail-server-with-a-long-name.example.org"


@pytest.fixture
def paths(live_server, settings) -> list[str]:
    """What members see, in the order in which they can."""
    settings.REQUIRE_SECOND_FACTOR = True
    pond = OrganisationFactory(slug="pond", name="The Pond", crest="marsh")
    owner = UserFactory(name="Ines Verhaeghe", email="ines@example.org")
    MembershipFactory(organisation=pond, user=owner)
    viewer = MembershipFactory(organisation=pond, role="viewer", user=UserFactory(email=LONG))
    change_role(membership=viewer, role="admin", by=owner)
    invitations.invite(organisation=pond, email="new@example.org", role="finance", by=owner)
    link = re.search(r"http://localhost:8000(/invitations/\S+)", Mail.objects.get().body)
    assert link
    return [
        "/account",
        "/account/email",
        "/account/password",
        "/account/codes",
        "/account/passkeys/add",
        link[1],
        f"{POND}/members",
        f"{POND}/members/{viewer.pk}",
        f"{POND}/members/leave",
    ]


def tour(page: Page, paths: list[str]) -> list[str]:
    """Open every page, setting up what opens the next; return what is wrong with them."""
    wrong = looked(page, "/sign-in", "/password", "/password/sent", paths[5], "/password/a-b")
    page.goto("/account")
    page.get_by_role("button", name="Sign in").click()
    wrong += looked(page)
    page.get_by_label("E-mail address").fill("ines@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto("/account/codes")
    wrong += looked(page)
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Use an app that shows codes")
    page.get_by_role("button", name="Use this app").click()
    return wrong + looked(page) + looked(page, *paths[:6])


def looked(page: Page, *paths: str) -> list[str]:
    """Look at pages, at the one that is open if none is named; return what is wrong."""
    wrong = []
    for path in paths or [""]:
        if path:
            page.goto(path)
        found = Axe().run(page).response["violations"]
        wrong += [f"{page.url} {each['id']}: {each['nodes'][0]['html']}" for each in found]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong.append(f"{page.url} is too wide")
    return wrong


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390), ("light", 320)])
def test_every_page_is_fit_for_everybody(open_context, paths, settings, scheme, width):
    context = open_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = context.new_page()
    complaints = watched(page)

    wrong = tour(page, paths)
    settings.REQUIRE_SECOND_FACTOR = False
    wrong += looked(page, *paths[6:])
    page.goto(f"{POND}/members")
    page.get_by_role("button", name="Send the invitation").click()
    wrong += looked(page)

    assert wrong == []
    # The invitation is for somebody else.
    assert [each for each in complaints if "409 (Conflict)" not in each] == []
