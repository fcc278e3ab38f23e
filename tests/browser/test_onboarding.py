"""An organisation comes in, in Chromium: it applies, and goes to Stripe's pages and back."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect

from organisations.models import Mail, Organisation
from tests.factories import (
    PASSWORD,
    ApplicantFactory,
    DocumentFactory,
    MembershipFactory,
    OrganisationFactory,
    StripeAccountStateFactory,
    UserFactory,
)
from tests.sandbox_fixtures import sandbox_process, sandbox_stripe

__all__ = ["sandbox_process", "sandbox_stripe"]
pytestmark = pytest.mark.browser
PAGES = [
    "/apply",
    "/dashboard",
    "/dashboard/lantern/application",
    "/dashboard/lantern/stripe",
    "/dashboard/sent/application",
    "/dashboard/saltmarsh/stripe",
    "/connect/stripe/return",
    "/o/saltmarsh",
    "/o/saltmarsh/donate",
]


@pytest.fixture
def open_signed_in(open_context, live_server) -> Callable[..., BrowserContext]:
    """Return what opens a browser in which the owner of some organisations has signed in."""
    owner = UserFactory(name="Zoë")
    draft = ApplicantFactory(
        name="Lantern", slug="lantern", status="draft", question="Who signs for you?"
    )
    DocumentFactory(organisation=draft, name="Statutes of the year 2024, signed.pdf")
    due = ["company.tax_id", "representative.dob.day", "external_account"]
    StripeAccountStateFactory(
        organisation=draft,
        charges_enabled=False,
        disabled_reason="requirements.past_due",
        past_due=due,
        eventually_due=[*due, "company.phone"],
    )
    sent = ApplicantFactory(slug="sent", summary="A choir", description="Sixty\nvoices")
    gone = OrganisationFactory(name="Saltmarsh", slug="saltmarsh")
    StripeAccountStateFactory(organisation=gone, disconnected_at="2026-11-21T12:00:00Z")
    for organisation in (draft, sent, gone):
        MembershipFactory(organisation=organisation, user=owner)
    client = Client()
    client.force_login(owner)
    name = settings.SESSION_COOKIE_NAME
    cookie: Any = {"name": name, "value": client.cookies[name].value, "url": live_server.url}

    def open_one(**options) -> BrowserContext:
        context = open_context(**options)
        context.add_cookies([cookie])
        return context

    return open_one


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_pages_are_in_order(open_signed_in, scheme, width):
    view = {"width": width, "height": 900}
    page = open_signed_in(color_scheme=scheme, viewport=view).new_page()

    found = []
    for path in PAGES:
        page.goto(path)
        for details in page.query_selector_all("details:not([open]) summary"):
            details.click()
        violations = Axe().run(page).response["violations"]
        found += [(path, each["id"], each["nodes"][0]["html"]) for each in violations]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append((path, "scrolls sideways", ""))

    assert found == []


def test_somebody_applies_and_connects_a_new_account(
    sandbox_stripe, open_context, live_server, settings, tmp_path
):
    settings.BASE_URL = live_server.url
    allow(settings, sandbox_stripe.url)
    page = open_context(java_script_enabled=False).new_page()
    fill_in(page, tmp_path / "statutes.pdf")

    page.get_by_role("button", name="Create a Stripe account").click()
    page.get_by_label("company.tax_id").uncheck()
    page.get_by_role("button", name="Save and go back").click()
    expect(page.get_by_text("Its tax number")).to_be_visible()
    page.get_by_role("button", name="Answer Stripe’s questions").click()
    page.get_by_role("button", name="Save and go back").click()
    expect(page.get_by_text("Takes payments")).to_be_visible()
    page.get_by_role("button", name="Send the application in").click()

    expect(page.get_by_text("It is with us.")).to_be_visible()
    assert Organisation.objects.get().status == "applied"


def fill_in(page: Page, paper: Path) -> None:
    """Sign up, say who applies, and add a paper."""
    page.goto("/apply")
    page.get_by_label("Your e-mail address").fill("zoe@example.org")
    page.get_by_role("button", name="Send me a link").click()
    expect(page.get_by_text("Look into your mail")).to_be_visible()
    page.goto(re.findall(r"http\S+", Mail.objects.get().body)[0])
    page.get_by_label("Name of your organisation").fill("Lantern House")
    page.get_by_label("Country").select_option("BE")
    page.get_by_label("Your name").fill("Zoë")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Begin the application").click()
    page.get_by_label("In one line").fill("Night shelter")
    page.get_by_label("What you do").fill("Forty beds.")
    page.get_by_label("Registration number").fill("0403.019.261")
    page.get_by_role("button", name="Save").click()
    paper.write_bytes(b"%PDF-1.7 statutes")
    page.get_by_label("Add a document").set_input_files(paper)
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("link", name="statutes.pdf")).to_be_visible()


def test_an_account_that_is_there_is_connected_by_oauth(
    sandbox_stripe, open_signed_in, live_server, settings
):
    Organisation.objects.filter(slug="lantern").update(stripe_account=None)
    settings.BASE_URL = live_server.url
    allow(settings, sandbox_stripe.url)
    page = open_signed_in().new_page()
    page.goto("/dashboard/lantern/application")

    page.get_by_role("button", name="Connect an existing one").click()
    expect(page).to_have_url(re.compile("/oauth/authorize"))
    page.get_by_role("button", name="Connect my account").click()

    expect(page.get_by_text("Takes payments")).to_be_visible()


def allow(settings, origin: str) -> None:
    """Let our forms lead to the sandbox, as they do where it is known at the start."""
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    forms = [*directives["form-action"], origin]
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": directives | {"form-action": forms}}
