"""The page /verify in Chromium: what this site signed, and every verdict before axe."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from ledger.models import Book, Entry
from ledger.services.sealing import seal
from organisations.models import Organisation
from tests.browser.test_pages import LEDGER, organisation, watched  # noqa: F401 - a fixture
from tests.pages.conftest import write
from tests.verifier.books import export_of
from tests.verifier.opening_corpus import RECEIPT, opening
from tests.verifier.signed_corpus import LINES, NOTE, OTHER_BOOK
from tests.verifier.signing import VKEY, body_of, note_of, receipt_of

pytestmark = pytest.mark.browser
FORK = note_of(body_of(OTHER_BOOK))


def choose(page: Page, *contents: str | bytes) -> None:
    """Choose files on the page."""
    page.locator("#export-file").set_input_files(
        [
            {
                "name": f"file{place}",
                "mimeType": "",
                "buffer": content if isinstance(content, bytes) else content.encode(),
            }
            for place, content in enumerate(contents)
        ]
    )


def book_of(organisation: Organisation) -> Book:  # noqa: F811
    return Book.objects.get(organisation=organisation, book="public")


def key_of(organisation: Organisation) -> str:  # noqa: F811
    """Return the key that the book's first line names."""
    vkey: str = Entry.objects.get(organisation=organisation, sequence=0).metadata["vkey"]
    return vkey


def proof_of(page: Page, organisation: Organisation, sequence: int) -> str:  # noqa: F811
    """Fetch the receipt of an entry as anybody does."""
    path = f"/v1/public/organisations/{organisation.id}/ledger/entries/{sequence}/proof"
    return page.request.get(path).text()


def test_a_sealed_book_is_verified_with_what_was_signed(open_context, organisation):  # noqa: F811
    seal(book=book_of(organisation))
    write(organisation, {})
    page = open_context().new_page()
    wrongs = watched(page)
    page.goto(LEDGER)

    page.get_by_role("button", name="Verify all entries").click()

    expect(page.get_by_role("status")).to_contain_text("VALID: 9 entries")
    panel = page.locator("[data-verify]")
    expect(panel).to_contain_text("The first 8 entries were signed; 1 came since")
    expect(panel).to_contain_text(key_of(organisation))
    assert Axe().run(page).response["violations"] == []
    assert wrongs == []


def test_a_second_visit_reads_what_came_since(open_context, organisation):  # noqa: F811
    seal(book=book_of(organisation))
    page = open_context().new_page()
    wrongs = watched(page)
    page.goto(LEDGER)
    page.get_by_role("button", name="Verify all entries").click()
    expect(page.get_by_role("status")).to_contain_text("VALID: 8 entries")
    write(organisation, {}, {})
    seal(book=book_of(organisation))
    page.goto(LEDGER)
    expect(page.locator("[data-verify]")).to_contain_text("The first 8 entries were verified on")
    assert Axe().run(page).response["violations"] == []

    with page.expect_request("**/export?*") as asked:
        page.get_by_role("button", name="Verify what is new").click()

    assert asked.value.url.endswith("/export?format=ndjson&from_sequence=8")
    expect(page.get_by_role("status")).to_contain_text("VALID: 10 entries")
    expect(page.locator("[data-verify]")).to_contain_text("in this browser; 2 more now.")
    with page.expect_request("**/export?*") as asked:
        page.get_by_role("button", name="Verify everything again").click()
    assert asked.value.url.endswith("/export?format=ndjson")
    expect(page.get_by_role("status")).to_contain_text("VALID: 10 entries")
    assert Axe().run(page).response["violations"] == []
    assert wrongs == []


def test_a_receipt_of_the_site_is_verified(open_context, organisation):  # noqa: F811
    seal(book=book_of(organisation))
    page = open_context().new_page()
    receipt = proof_of(page, organisation, 2)
    page.goto("/verify")

    page.get_by_label("Whose word do you take?").fill(key_of(organisation))
    choose(page, receipt)

    expect(page.get_by_role("status")).to_contain_text("VALID: entry 2 was signed")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing_at_any_verdict(open_context, live_server, db, scheme, width):
    context = open_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = context.new_page()
    wrongs = watched(page)
    page.goto("/verify")
    receipt = receipt_of(LINES, 3)
    seen = {
        "VALID: entry 3": [receipt],
        "VALID: 6 entries": [export_of(LINES), NOTE],
        "MALFORMED": [receipt.replace("index 3", "index 03")],
        "TAMPERED": [export_of(OTHER_BOOK), NOTE],
        "FORK": [NOTE, FORK],
        "INCOMPLETE": [export_of(LINES[:2]), NOTE],
        "no verdict": [receipt, receipt],
    }
    page.get_by_label("Whose word do you take?").fill(VKEY)

    found = []
    for title, files in seen.items():
        choose(page, *files)
        expect(page.get_by_role("status")).to_contain_text(title)
        found += [(title, each["id"]) for each in Axe().run(page).response["violations"]]
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), title
    page.get_by_label("Whose word do you take?").fill(VKEY[:-1])
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("alert")).to_contain_text("Line 1: this is no log’s key")
    found += [("a wrong key", each["id"]) for each in Axe().run(page).response["violations"]]

    assert found == []
    assert wrongs == []


def test_who_comes_by_a_code_sees_the_receipt_verified(open_context, organisation):  # noqa: F811
    seal(book=book_of(organisation))
    page = open_context().new_page()
    wrongs = watched(page)

    page.goto(f"/verify?organisation={organisation.slug}&entry=3#{key_of(organisation)}")

    expect(page.get_by_role("status")).to_contain_text("VALID: entry 3 was signed")
    expect(page.get_by_role("heading", name="Entry 3 of")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
    assert wrongs == []


def test_a_code_with_another_key_proves_nothing(open_context, organisation):  # noqa: F811
    seal(book=book_of(organisation))
    page = open_context().new_page()

    page.goto(f"/verify?organisation={organisation.slug}&entry=3#{VKEY}")

    expect(page.get_by_role("status")).to_contain_text("UNKNOWN_KEY")


def test_a_receipt_that_is_not_there_yet_is_said_in_words(open_context, organisation):  # noqa: F811
    page = open_context().new_page()

    page.goto(f"/verify?organisation={organisation.slug}&entry=3#{key_of(organisation)}")

    expect(page.locator("[data-verify-text]")).to_contain_text("cannot be had from here now (409)")


def test_a_private_proof_shows_whose_gift_it_was(open_context, organisation):  # noqa: F811
    page = open_context().new_page()
    page.goto("/verify")
    page.fill("#log-key", VKEY)

    choose(page, RECEIPT, opening())

    expect(page.get_by_role("status")).to_contain_text("VALID: entry 2 was signed")
    expect(page.locator("[data-verify]")).to_contain_text("Opened: email")
    expect(page.locator("[data-verify]")).to_contain_text("ann@example.org")


def test_a_private_proof_alone_opens_nothing(open_context, organisation):  # noqa: F811
    page = open_context().new_page()
    page.goto("/verify")

    for files in ([opening()], [RECEIPT, opening(), opening()], [RECEIPT, NOTE, opening()]):
        choose(page, *files)
        expect(page.get_by_role("status")).to_contain_text("no verdict was reached")
