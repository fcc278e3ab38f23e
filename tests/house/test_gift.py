"""A gift in the browser: from the form over the hosted checkout into the public ledger."""

import re
from collections.abc import Iterator
from itertools import count

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.house.conftest import House

pytestmark = pytest.mark.browser
SECONDS = 1000
# Who gives again and again within the hour is asked for a proof of work.
LENAS = count()


@pytest.fixture(params=["with script", "without script"])
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    """A new visitor."""
    context = chromium.new_context(java_script_enabled=request.param == "with script")
    yield context.new_page()
    context.close()


def test_a_gift_by_card_is_an_entry_of_the_public_ledger(house: House, page: Page):
    size = house.public("/ledger/head")["size"]

    page.goto(f"{house.url}/o/lantern-house/donate")
    page.get_by_label("Other amount", exact=True).first.check()
    page.locator("#other").fill("12.34")
    page.get_by_label("Day kitchen").check()
    page.get_by_label("E-mail address").fill(f"lena{next(LENAS)}@example.org")
    page.locator("main form button[type=submit]").click()
    pay(page, "4242424242424242")
    expect(page).to_have_url(re.compile(r"/donations/don_\w+\?token=\w+$"))
    expect(page.get_by_role("heading", name="In the ledger")).to_be_visible(timeout=15 * SECONDS)

    page.get_by_role("status").get_by_role("link", name=re.compile("entry")).click()
    expect(page).to_have_url(re.compile(rf"/o/lantern-house/ledger/{size}$"))
    page.goto(f"{house.url}/o/lantern-house/ledger")
    row = page.locator(f"tr[data-sequence='{size}']")
    expect(row).to_contain_text("Donation received")
    expect(row).to_contain_text("12.34")
    expect(row).to_contain_text("Day kitchen")
    assert "lena" not in page.content()


def test_a_declined_card_can_be_replaced_by_a_good_one(house: House, page: Page):
    page.goto(f"{house.url}/o/saltmarsh-trust/donate")
    page.get_by_label("E-mail address").fill(f"lena{next(LENAS)}@example.org")
    page.locator("main form button[type=submit]").click()

    pay(page, "4000000000000002")
    expect(page.get_by_role("alert")).to_contain_text("declined")
    pay(page, "4242424242424242")

    expect(page.get_by_role("heading", name="In the ledger")).to_be_visible(timeout=15 * SECONDS)


def test_who_turns_back_at_the_checkout_has_given_nothing(house: House, page: Page):
    size = house.public("/ledger/head", "saltmarsh-trust")["size"]

    page.goto(f"{house.url}/o/saltmarsh-trust/donate")
    page.get_by_label("E-mail address").fill(f"lena{next(LENAS)}@example.org")
    page.locator("main form button[type=submit]").click()
    page.get_by_role("link", name="Back").click()

    expect(page).to_have_url(f"{house.url}/o/saltmarsh-trust/donate")
    assert house.public("/ledger/head", "saltmarsh-trust")["size"] == size


def pay(page: Page, card: str) -> None:
    """Fill the sandbox's hosted page and pay."""
    page.locator("[name=card_number]").fill(card)
    page.locator("[name=expiry]").fill("12 / 34")
    page.locator("[name=cvc]").fill("123")
    page.locator("[name=name]").fill("Lena Brandt")
    page.get_by_role("button", name=re.compile("^Pay ")).click()
