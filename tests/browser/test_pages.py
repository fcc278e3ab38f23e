"""Every page in Chromium: no violation of axe, nothing too wide, nothing from outside."""
# ruff: noqa: RUF001 - digits of other scripts are what is typed

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from donations.models import Donation
from donations.services.giving import set_terms
from ledger.models import Book, Entry
from ledger.operations import MoneyOperation
from ledger.services.attestations import attest_balances
from ledger.services.corrections import correct_entry
from organisations.models import Organisation
from tests.factories import (
    PASSWORD,
    DonationFactory,
    FundFactory,
    MembershipFactory,
    OrganisationFactory,
    StripeBalanceFactory,
    StripeReadingFactory,
)
from tests.pages.conftest import write
from tests.treasury.movements import movement
from tests.treasury.payouts import failed, holding, keep, sent

pytestmark = pytest.mark.browser
DONATE = "/o/lantern-house/donate"
LEDGER = "/o/lantern-house/ledger"
PAGES = [
    "/",
    "/organisations",
    "/verify",
    "/witnesses",
    "/o/lantern-house",
    "/o/new-door",
    LEDGER,
    f"{LEDGER}?operation=SPENT",
    f"{LEDGER}?since=never",
    f"{LEDGER}/0",
    f"{LEDGER}/1",
    f"{LEDGER}/2",
    f"{LEDGER}/6",
    f"{LEDGER}/7",
    f"{LEDGER}/99",
    f"{LEDGER}?account=stripe",
    f"{LEDGER}/accounts/EUR/stripe",
    f"{LEDGER}/accounts/EUR/fund:winter-shelter",
    f"{LEDGER}/accounts/EUR/held?before=1",
    f"{LEDGER}/accounts/EUR/held?before=never",
    DONATE,
    f"{DONATE}?currency=JPY",
    "/o/lantern-house/payouts",
    "/o/lantern-house/payouts/po_1",
    "/o/lantern-house/payouts/po_2",
    "/o/new-door/payouts",
    "/o/new-door/donate",
    "/nowhere",
]


def moving(operation: MoneyOperation, amount: int, debit: str, credit: str) -> dict[str, Any]:
    """Return what an entry of euros says."""
    return {"operation": operation, "amount": amount, "debit": debit, "credit": credit}


@pytest.fixture
def organisation(live_server) -> Organisation:
    """A charity with entries of every kind of movement, and one that has nothing yet."""
    OrganisationFactory(name="New Door", slug="new-door", stripe_account=None)
    organisation = OrganisationFactory(
        name="Lantern House",
        slug="lantern-house",
        crest="lantern",
        summary="Night shelter and day kitchen in Ghent, Belgium",
        description="Forty beds from October to April.",
        registration="VZW 0438.771.905",
        website="https://lantern.example/",
    )
    FundFactory(
        organisation=organisation, slug="winter-shelter", goal=600_000, summary="Forty beds"
    )
    write(
        organisation,
        {"metadata": {"presentment": {"amount": 5500, "currency": "USD"}}},
        moving(MoneyOperation.PROCESSING_FEE, 170, "fund:winter-shelter", "stripe"),
        moving(MoneyOperation.PAYOUT_SENT, 2000, "in_transit", "stripe"),
        moving(MoneyOperation.DONATION_HELD, 1000, "fund:winter-shelter", "held"),
        {"currency": "JPY", "amount": 3000},
    )
    correct_entry(
        entry=Entry.objects.get(organisation=organisation, sequence=2),
        reason="The fee was booked twice: the bank’s own statement of 21 November has it once.",
    )
    attest_balances(book=Book.objects.get(organisation=organisation))
    StripeBalanceFactory(organisation=organisation, available=2830, pending=0)
    StripeReadingFactory(organisation=organisation, failing_since=timezone.now())
    inside = {"po_1": holding(movement("charge", 5000, 100), movement("refund", -1000))}
    keep(organisation, failed("po_2", day=1), sent("po_1", 3900), inside=inside)
    return organisation


@pytest.fixture
def gifts(organisation) -> list[Donation]:
    """Gifts that wait, are paid, and failed."""
    now = timezone.now()
    return [
        DonationFactory(organisation=organisation, checkout_url="https://checkout.example/cs"),
        DonationFactory(organisation=organisation, status="paid", paid_at=now),
        DonationFactory(
            organisation=organisation, status="failed", ended_at=now, ended_as="failed"
        ),
    ]


def link_of(donation: Donation) -> str:
    """Return the path that opens the donor's page."""
    return f"/donations/{donation.id}?token={donation.token}"


def watched(page: Page) -> list[str]:
    """Return a list that fills with what goes wrong on a page."""
    wrongs: list[str] = []

    def hear(message) -> None:
        # A page that answers 400 or 404 is told as an error too, and so is a date that is none.
        if message.type == "error" and not re.search(r"status of 40[04]", message.text):
            wrongs.append(message.text)

    def see(request) -> None:
        if urlsplit(request.url).hostname not in ("localhost", "127.0.0.1"):
            wrongs.append(f"outside: {request.url}")

    page.on("console", hear)
    page.on("pageerror", lambda error: wrongs.append(str(error)))
    page.on("request", see)
    return wrongs


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing(open_context, gifts, scheme, width):
    context = open_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = context.new_page()
    wrongs = watched(page)

    found = []
    for path in [*PAGES, *map(link_of, gifts)]:
        page.goto(path)
        for details in page.query_selector_all("details:not([open]) summary"):
            details.click()
        violations = Axe().run(page).response["violations"]
        found += [(path, each["id"], each["nodes"][0]["html"]) for each in violations]

    assert found == []
    assert wrongs == []


@pytest.mark.parametrize("width", [320, 640])
def test_no_page_scrolls_sideways(open_context, gifts, width):
    page = open_context(viewport={"width": width, "height": 700}).new_page()

    wide = []
    for path in [*PAGES, *map(link_of, gifts)]:
        page.goto(path)
        for details in page.query_selector_all("details:not([open]) summary"):
            details.click()
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append(path)

    assert wide == []


def test_the_button_names_the_total(open_context, organisation):
    page = open_context().new_page()
    page.goto(DONATE)
    button = page.get_by_role("button", name=re.compile("Give|Continue"))

    expect(button).to_have_text(re.compile("Give \u206810.00\u2069 EUR"))
    page.get_by_label("250").check(force=True)
    expect(button).to_have_text(re.compile("Give \u2068250.00\u2069 EUR"))
    page.get_by_label("Other amount").first.check(force=True)
    expect(button).to_have_text(re.compile("Continue to payment"))
    page.locator("#other").fill("1234.5")
    expect(button).to_have_text(re.compile("Continue to payment"))
    page.locator("#other").fill("1234.50")
    expect(button).to_have_text(re.compile("Give \u20681,234.50\u2069 EUR"))

    page.goto(f"{DONATE}?currency=JPY")
    expect(button).to_have_text(re.compile("Give \u20681,000\u2069 JPY"))


@pytest.mark.parametrize(
    ("locale", "preset", "typed", "total"),
    [
        ("de-DE", "Give \u206810,00\u2069 EUR", "1.234,50", "Give \u20681.234,50\u2069 EUR"),
        ("de-CH", "Give \u206810.00\u2069 EUR", "1'234.50", "Give \u20681’234.50\u2069 EUR"),
        ("fr-FR", "Give \u206810,00\u2069 EUR", "1 234", "Give \u20681\u202f234,00\u2069 EUR"),
        ("ar-EG", "Give \u2068١٠٫٠٠\u2069 EUR", "١٢٫٥٠", "Give \u2068١٢٫٥٠\u2069 EUR"),
        ("en-IN", "Give \u206810.00\u2069 EUR", "1,00,000", "Give \u20681,00,000.00\u2069 EUR"),
        ("en-GB", "Give \u206810.00\u2069 EUR", "1.000", "Continue to payment"),
        ("de-DE", "Give \u206810,00\u2069 EUR", "1,000.00", "Continue to payment"),
        ("en-GB", "Give \u206810.00\u2069 EUR", "12,34", "Continue to payment"),
        ("en-GB", "Give \u206810.00\u2069 EUR", "0", "Continue to payment"),
    ],
)
def test_the_total_is_written_as_the_visitor_writes(  # noqa: PLR0917 - one row a locale
    open_context, organisation, locale, preset, typed, total
):
    page = open_context(locale=locale).new_page()
    page.goto(DONATE)
    label = page.locator("[data-total]")

    expect(label).to_have_text(preset)
    page.get_by_label("Other amount").first.check(force=True)
    page.locator("#other").fill(typed)

    expect(label).to_have_text(total)


def test_the_total_is_none_where_three_decimals_make_it_unclear(open_context, organisation):
    terms = {"presets": [1000, 2500, 1_000_000], "least": 1000, "most": 10**7}
    set_terms(organisation=organisation, currency="KWD", **terms)
    page = open_context().new_page()
    page.goto(f"{DONATE}?currency=KWD")
    label = page.locator("[data-total]")

    expect(label).to_have_text("Give \u20681.00\u2069 KWD")
    page.get_by_label("1,000.00").check(force=True)
    expect(label).to_have_text("Give \u20681,000.00\u2069 KWD")
    page.get_by_label("Other amount").first.check(force=True)
    for unclear in ("1,000", "1.000"):
        page.locator("#other").fill(unclear)
        expect(label).to_have_text("Continue to payment")
    page.locator("#other").fill("1,000.25")

    expect(label).to_have_text("Give \u20681,000.25\u2069 KWD")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark"), (320, "light")])
def test_members_change_what_is_offered(open_context, organisation, scheme, width):
    member = MembershipFactory(organisation=organisation)
    context = open_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = context.new_page()
    wrongs = watched(page)
    page.goto("/sign-in?next=/dashboard/lantern-house/giving")
    page.get_by_label("E-mail address").fill(member.user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    found = Axe().run(page).response["violations"]
    page.get_by_role("link", name="Change USD").click()

    page.get_by_label("Amounts on the buttons").fill("5\n7,5\n10")
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_title(re.compile("^Error: "))
    found += Axe().run(page).response["violations"]
    page.get_by_role("alert").get_by_role("link").first.press("Enter")

    expect(page.locator("#presets")).to_be_focused()
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
    assert wrongs == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_without_script_the_button_promises_the_next_page(open_context, organisation):
    page = open_context(java_script_enabled=False).new_page()
    page.goto(DONATE)

    expect(page.get_by_role("button")).to_have_text(re.compile("Continue to payment"))


def test_the_keyboard_fills_the_form_and_finds_the_error(open_context, organisation):
    page = open_context().new_page()
    page.goto(DONATE)

    page.locator("#amount").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.type("40,23")
    page.keyboard.press("Enter")
    expect(page).to_have_title(re.compile("^Error: "))
    page.get_by_role("alert").get_by_role("link").first.press("Enter")

    expect(page.locator("#other")).to_be_focused()
    expect(page.locator("#other")).to_have_value("40,23")
    assert Axe().run(page).response["violations"] == []


def test_the_journey_shows_news_by_itself(open_context, organisation, gifts):
    page = open_context().new_page()
    page.goto(link_of(gifts[0]))
    expect(page.get_by_role("status")).to_contain_text("Waiting for the payment")
    page.evaluate("window.isTheSamePage = true")

    Donation.objects.filter(id=gifts[0].id).update(status="paid", paid_at=timezone.now())

    expect(page.get_by_role("status")).to_contain_text("The entry is being written")
    assert page.evaluate("window.isTheSamePage")


def test_the_journey_reloads_itself_without_script(open_context, organisation, gifts):
    page = open_context(java_script_enabled=False).new_page()
    page.goto(link_of(gifts[0]))
    expect(page.get_by_role("status")).to_contain_text("Waiting for the payment")

    Donation.objects.filter(id=gifts[0].id).update(status="paid", paid_at=timezone.now())

    expect(page.get_by_role("status")).to_contain_text("The entry is being written")


def test_the_whole_book_is_verified_in_the_browser(open_context, organisation):
    page = open_context().new_page()
    wrongs = watched(page)
    page.goto(LEDGER)

    page.get_by_role("button", name="Verify all entries").click()

    expect(page.get_by_role("status")).to_contain_text("VALID: 8 entries")
    assert wrongs == []
