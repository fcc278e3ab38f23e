"""The staff's desk in Chromium: worked by keyboard, by two people, on any screen."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from reviews.models import Case
from tests.donations.refunds import in_ledger
from tests.factories import (
    CaseFactory,
    HoldFactory,
    NoteFactory,
    OrganisationFactory,
    RuleVersionFactory,
    ScreeningFactory,
    UserFactory,
    found,
)

pytestmark = pytest.mark.browser
TESTED = {"gifts": 1_200, "hits": 14, "held_amounts": {"EUR": 123_400}}


@pytest.fixture
def open_as(open_context, live_server) -> Iterator[Callable[..., Page]]:
    """Return what opens a page as somebody of the staff; nothing may make the browser complain."""
    complaints: list[str] = []

    def open_one(email: str, **options) -> Page:
        user = UserFactory(email=email, is_staff=True, is_superuser=True)
        client = Client()
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        cookie: Any = {"name": name, "value": client.cookies[name].value, "url": live_server.url}
        context = open_context(**options)
        context.add_cookies([cookie])
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_one
    assert complaints == []


@pytest.fixture
def case(db) -> Case:
    """A large gift, due soon, with everything that a page can show; and two more cases."""
    organisation = OrganisationFactory(name="Lantern", slug="lantern")
    gift = in_ledger(organisation).id
    case = CaseFactory(
        organisation=organisation,
        kind="fraud_warning",
        subject="issfr_1",
        gift=gift,
        summary="Stripe warns that this card may have been stolen.",
        amount=120_000,
        currency="EUR",
        due_at=timezone.now() + timedelta(hours=5),
    )
    results = [found(), found("email_pace", "error"), found("address_pace", "pass")]
    ScreeningFactory(organisation=organisation, subject=gift, results=results)
    NoteFactory(case=case)
    CaseFactory(subject="txn_1")
    CaseFactory(subject="txn_2", due_at=timezone.now() - timedelta(hours=1))
    RuleVersionFactory(backtest=TESTED)
    return case


def test_the_queue_is_worked_by_keyboard(case, open_as):
    page = open_as("chief@example.org")
    page.goto("/admin/reviews/case/")
    links = page.locator("tr[data-row] th a")

    page.keyboard.press("j")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("j")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("k")
    expect(links.nth(0)).to_be_focused()

    page.keyboard.press("x")
    expect(page.locator("tr[data-row] input").nth(0)).to_be_checked()
    page.keyboard.press("?")
    expect(page.locator("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_hidden()

    page.keyboard.press("/")
    page.keyboard.type("jokx?")
    expect(page.locator("#searchbar")).to_have_value("jokx?")

    links.nth(0).focus()
    page.keyboard.press("j")
    page.keyboard.press("o")
    expect(page.locator("h1")).to_have_text("Early fraud warning")


def test_two_people_decide_a_large_case(case, open_as):
    zoe, ana = open_as("zoe@example.org"), open_as("ana@example.org")
    path = f"/admin/reviews/case/{case.pk}/change/"

    zoe.goto(path)
    zoe.get_by_label("Why (kept with the decision)").fill("The donor says it was not her.")
    zoe.get_by_role("button", name="Propose: Give back").click()
    expect(zoe.get_by_text("You proposed: Give back.")).to_be_visible()
    expect(zoe.get_by_role("button", name="Give back: 1,200.00 EUR")).to_be_disabled()

    ana.goto("/admin/")
    ana.get_by_role("link", name="Early fraud warning", exact=True).click()
    ana.get_by_label("Why (kept with the decision)").fill("I called them.")
    ana.get_by_role("button", name="Confirm: Give back").click()
    expect(ana.get_by_role("heading", name="Decided")).to_be_visible()

    zoe.reload()
    expect(zoe.get_by_text("by ana@example.org")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_pages_are_in_order(case, open_as, width, scheme):
    page = open_as(
        "chief@example.org", color_scheme=scheme, viewport={"width": width, "height": 900}
    )
    version = f"/admin/reviews/ruleversion/{RuleVersionFactory(number=2, backtest=TESTED).pk}"
    held = HoldFactory(organisation=case.organisation).case
    paths = [
        "/admin/",
        "/admin/figures/",
        f"/admin/reviews/case/{held.pk}/change/",
        "/admin/reviews/case/",
        f"/admin/reviews/case/{case.pk}/change/",
        "/admin/reviews/ruleversion/propose/",
        "/admin/reviews/ruleversion/propose/?rule=first_gift",
        f"{version}/change/",
    ]

    wrong = []
    for path in paths:
        page.goto(path)
        for details in page.query_selector_all("details:not([open]) summary"):
            details.click()
        violations = Axe().run(page).response["violations"]
        wrong += [(path, each["id"], each["nodes"][0]["html"]) for each in violations]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong.append((path, "scrolls sideways", ""))

    assert wrong == []
