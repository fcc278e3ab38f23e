"""The admin and the API's readers in a browser: under our strict policy nothing breaks."""

from collections.abc import Iterator

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group
from playwright.sync_api import Browser, Page

from tests.factories import (
    PASSWORD,
    ApplicantFactory,
    DecisionFactory,
    DonationFactory,
    HoldFactory,
    OrganisationFactory,
    RuleVersionFactory,
    SanctionListFactory,
    ScreeningFactory,
    StripeEventFactory,
    UserFactory,
    gift_entries,
    key_of,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LISTS = (
    "organisations/organisation",
    "organisations/apikey",
    "organisations/user",
    "auth/group",
    "ledger/booklisting",
    "ledger/entrylisting",
    "donations/fund",
    "donations/donation",
    "webhooks/stripeevent",
    "reviews/case",
    "reviews/decision",
    "reviews/hold",
    "reviews/ruleversion",
    "reviews/sanctionlist",
    "reviews/screening",
    "admin/logentry",
)


@pytest.fixture
def page(chromium: Browser, live_server) -> Iterator[Page]:
    """A page of Chromium; whatever the policy refuses or the console complains of is an error."""
    complaints: list[str] = []
    page = chromium.new_page(base_url=live_server.url)
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: outside(request.url, live_server.url, complaints))
    yield page
    page.close()
    assert "\n".join(complaints) == ""


def outside(url: str, ours: str, complaints: list[str]) -> None:
    """Complain of a request to somebody else."""
    if not url.startswith((ours, "data:", "blob:")):
        complaints.append(f"outside: {url}")


@pytest.fixture
def office() -> None:
    """Something of everything, and somebody to look at it."""
    chief = UserFactory(email="chief@example.org", is_staff=True, is_superuser=True)
    organisation = OrganisationFactory(slug="lantern")
    gift_entries(organisation, 60)
    key_of(organisation)
    DonationFactory(organisation=organisation)
    StripeEventFactory(organisation=organisation)
    case = DecisionFactory(case__organisation=organisation).case
    HoldFactory(organisation=organisation)
    ScreeningFactory(organisation=organisation)
    RuleVersionFactory()
    SanctionListFactory()
    LogEntry.objects.log_actions(chief.pk, [case], CHANGE, "taken")
    ApplicantFactory(name="Harbour")
    Group.objects.create(name="Reviewers")


@pytest.mark.usefixtures("office")
def test_staff_sign_in_look_around_and_decide(page):
    page.goto("/admin/")
    page.fill("input[name=username]", "Chief@example.org")
    page.fill("input[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    assert page.locator("#site-name").inner_text() == "Almoner: staff"

    for name in LISTS:
        page.goto(f"/admin/{name}/")
        page.click("#result_list th a >> nth=-1")
        page.wait_for_selector("#content form, #content .module")

    page.goto("/admin/reviews/case/")
    page.locator("input[name=_selected_action]").first.check()
    page.get_by_role("button", name="Close…").click()
    page.fill("textarea[name=reason]", "Explained by Stripe.")
    page.click("input[type=submit].default")
    assert page.locator(".messagelist").inner_text().endswith(": decided: close.")


@pytest.mark.usefixtures("office")
def test_the_api_can_be_read_in_swagger_and_redoc(page):
    page.goto("/v1/docs")
    page.wait_for_selector(".opblock")
    page.click("#operations-donations-donations_create .opblock-summary-control")
    page.wait_for_selector(".opblock-body")

    page.goto("/v1/redoc")
    page.wait_for_selector("text=Idempotency-Key")
