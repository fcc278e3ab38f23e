"""The panel and the page /verify in Chromium, with the markup of `static/verify/README.md`."""

import json
import re

import pytest

from tests.verifier.books import chained, entry_at, export_of
from tests.verifier.corpus import BALANCES, book, edited, head_of
from tests.verifier.signed_corpus import LINES as SIGNED_LINES
from tests.verifier.signed_corpus import OTHER_BOOK
from tests.verifier.signing import VKEY, body_of, note_of
from tests.verifier.site import STATIC

pytestmark = pytest.mark.browser

README = (STATIC / "verify" / "README.md").read_text()
PANEL, FORM = re.findall(r"```html\n(.*?)```", README, re.DOTALL)
LINES = chained(book())
SIGNED_BALANCES = {
    "places": [{"account": "stripe", "currency": "EUR", "amount": 515}],
    "purposes": [{"account": "fund:general", "currency": "EUR", "amount": 515}],
}
ROWS = "".join(f'<tr data-sequence="{number}"><td>{number}</td></tr>' for number in range(6))
SHOWN = (
    '<b data-balance-account="{account}"'
    ' data-balance-currency="EUR" data-balance-amount="{amount}"></b>'
)


@pytest.fixture
def page(chromium, site):
    page = chromium.new_page()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda said: page.faults.append(said.text) if said.type == "error" else None)
    yield page
    page.close()


def show(page, site, body):
    site.files["/"] = f"<!doctype html><html lang=en><title>L</title>{body}".encode()
    site.files["/favicon.ico"] = b""
    page.goto(site.address)


def verdict_of(page):
    page.wait_for_selector("[data-verify][data-verdict]")
    return page.get_attribute("[data-verify]", "data-verdict")


def ledger(extra=""):
    return f"{PANEL}{extra}<table>{ROWS}</table>"


def click(page):
    page.click("[data-verify-start]")


def test_the_button_verifies_the_whole_book(page, site):
    site.publish(export_of(LINES), head_of(LINES), balances=BALANCES)
    show(page, site, ledger(SHOWN.format(account="stripe", amount=825)))

    click(page)

    assert verdict_of(page) == "VALID"
    assert page.inner_text("[data-verify-title]") == "VALID: 6 entries verified"
    assert "verify--good" in page.get_attribute("[data-verify]", "class")
    assert page.get_attribute("[data-verify] > .icon use", "href") == "#seal"
    assert not page.is_visible("progress")
    assert page.faults == []


def test_what_was_signed_of_the_book_is_told(page, site):
    head = head_of(SIGNED_LINES) | {"checkpoint": note_of(body_of(SIGNED_LINES[:4]))}
    site.publish(export_of(SIGNED_LINES), head, balances=SIGNED_BALANCES)
    show(page, site, ledger())

    click(page)

    assert verdict_of(page) == "VALID"
    words = page.inner_text("[data-verify] .verify__body")
    assert "The first 4 entries were signed; 2 came since" in words
    assert "need not believe this page" in words
    assert VKEY in words
    assert "No witness was asked" in words
    assert page.faults == []


def publish(site, lines, size):
    """Publish a book, so many entries of which are signed, as long as it is."""
    amount = sum(json.loads(line)["amount"] for line in lines)
    row = {"currency": "EUR", "amount": amount}
    balances = {
        "places": [row | {"account": "stripe"}],
        "purposes": [row | {"account": "fund:general"}],
    }
    head = head_of(lines) | {"checkpoint": note_of(body_of(lines[:size]))}
    site.publish(export_of(lines), head, balances=balances)


def test_a_ledger_is_compared_with_what_it_was_before(page, site):
    show(page, site, ledger())
    for lines, size, verdict in (
        (SIGNED_LINES, 4, "VALID"),
        (SIGNED_LINES, 6, "VALID"),
        (SIGNED_LINES, 4, "STALE"),
        (OTHER_BOOK, 6, "FORK"),
    ):
        publish(site, lines, size)
        click(page)
        assert verdict_of(page) == verdict

    assert "Save both notes" in page.inner_text("[data-verify] .verify__body")
    assert page.faults == []


def test_a_book_that_was_not_signed_like_this_is_tampered_with(page, site):
    head = head_of(SIGNED_LINES) | {"checkpoint": note_of(body_of(OTHER_BOOK))}
    site.publish(export_of(SIGNED_LINES), head, balances=SIGNED_BALANCES)
    show(page, site, ledger())

    click(page)

    assert verdict_of(page) == "TAMPERED"
    assert "are not those that were signed" in page.inner_text("[data-verify-text]")


def test_a_broken_entry_is_marked_and_linked(page, site):
    site.publish(export_of(edited(2, amount=1)), head_of(LINES), balances=BALANCES)
    show(page, site, ledger())

    click(page)

    assert verdict_of(page) == "TAMPERED"
    assert page.get_attribute("tr[data-sequence='2']", "class") == "is-broken"
    assert page.locator("tr.is-broken").count() == 1
    assert page.get_attribute("[data-verify-text] a", "href") == "/o/lantern-house/ledger/2"
    assert "verify--bad" in page.get_attribute("[data-verify]", "class")


def test_a_wrong_number_on_the_page_is_noticed(page, site):
    site.publish(export_of(LINES), head_of(LINES), balances=BALANCES)
    show(page, site, ledger(SHOWN.format(account="fund:winter-shelter", amount=4826)))

    click(page)

    assert verdict_of(page) == "TAMPERED"
    assert "balance of fund:winter-shelter is 4825 EUR" in page.inner_text("[data-verify-text]")


def test_shown_numbers_hold_for_the_size_they_were_shown_at(page, site):
    grown = chained([*book(), entry_at(6)])
    balances = json.loads(json.dumps(BALANCES))
    balances["places"][2]["amount"] += 106
    balances["purposes"].append({"account": "fund:general", "currency": "EUR", "amount": 106})
    site.publish(export_of(grown), head_of(grown), balances=balances)
    show(page, site, ledger(SHOWN.format(account="stripe", amount=825)))

    click(page)

    assert verdict_of(page) == "VALID"


def test_a_cut_export_is_incomplete(page, site):
    site.publish(export_of(LINES[:4]), head_of(LINES), balances=BALANCES)
    show(page, site, ledger())

    click(page)

    assert verdict_of(page) == "INCOMPLETE"
    assert "verify--wait" in page.get_attribute("[data-verify]", "class")


def test_an_answer_that_fails_is_no_verdict(page, site):
    show(page, site, ledger())

    click(page)

    page.wait_for_selector("text=no verdict was reached")
    assert page.get_attribute("[data-verify]", "data-verdict") is None


def test_statements_of_another_shape_are_malformed(page, site):
    site.publish(export_of(LINES), {"size": "6"}, balances=BALANCES)
    show(page, site, ledger())

    click(page)

    assert verdict_of(page) == "MALFORMED"


def test_a_page_without_script_has_the_download_and_no_dead_button(chromium, site):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    show(page, site, ledger())

    assert page.is_visible("text=Download all entries")
    assert not page.is_visible("[data-verify-start]")
    context.close()


def test_a_chosen_file_is_verified_without_a_request(page, site):
    show(page, site, FORM)
    page.wait_for_load_state("networkidle")
    file = {"name": "l.ndjson", "mimeType": "application/x-ndjson", "buffer": export_of(LINES)}

    page.set_input_files("#export-file", file)

    assert verdict_of(page) == "VALID"
    assert [path for path in site.asked if not path.startswith("/static/verify/")] == ["/"]
    assert page.faults == []


def test_a_dropped_file_is_verified(page, site):
    show(page, site, FORM)
    page.wait_for_load_state("networkidle")
    text = export_of(edited(3, amount=9)).decode()

    page.evaluate(
        """text => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([text], "l.ndjson"));
          const event = new DragEvent("drop", { dataTransfer, cancelable: true, bubbles: true });
          document.querySelector("#export-file").dispatchEvent(event);
        }""",
        text,
    )

    assert verdict_of(page) == "TAMPERED"
    assert "entry 3" in page.inner_text("[data-verify-title]")
