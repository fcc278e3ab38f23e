"""The second visit: what came since is verified, and what contradicts the first is told."""

import base64
import json

import pytest

from tests.verifier.books import chained, export_of
from tests.verifier.corpus import head_of
from tests.verifier.rotation_corpus import CASES as ROTATIONS
from tests.verifier.rotation_corpus import LINES as ROTATED
from tests.verifier.rotation_corpus import SECOND, SECOND_VKEY, signed_by
from tests.verifier.signed_corpus import book, unlinked
from tests.verifier.signing import LOG, ORIGIN, OTHER, body_of, note_of, receipt_of, signed, vkey_of
from tests.verifier.site import PUBLIC
from tests.verifier.test_corpus import CASES, content_of
from tests.verifier.test_files import choose, give_key
from tests.verifier.test_panel import FORM, ledger, page, show, verdict_of  # noqa: F401 - a fixture

EXPORT = f"{PUBLIC}/ledger/export"
BEFORE, AFTER = book(6), book(9)
REWRITTEN = book(9, amount=1)


def balances_of(lines):
    """Return what a site states that adds up what it shows."""
    amount = sum(json.loads(line)["amount"] for line in lines)
    [place, purpose] = [
        {"account": account, "currency": "EUR", "amount": amount}
        for account in ("stripe", "fund:general")
    ]
    return {"places": [place], "purposes": [purpose]}


def publish(site, lines, note=None, *, signed_size=None):
    """Serve a book of which the first lines are signed."""
    note = note_of(body_of(lines, size=signed_size)) if note is None else note
    head = head_of(lines) | {"checkpoint": note or None}
    site.publish(export_of(lines), head, balances=balances_of(lines))


def visit(page, site, button="[data-verify-start]"):  # noqa: F811 - the fixture
    """Open the page anew and press a button; return the verdict."""
    show(page, site, ledger())
    page.wait_for_selector(f"{button}:visible")
    site.asked.clear()
    page.click(button)
    return verdict_of(page)


def again(page, site):  # noqa: F811 - the fixture
    return visit(page, site, "[data-verify-again]")


def words(page):  # noqa: F811 - the fixture
    return page.inner_text("[data-verify] .verify__body")


def exports_asked(site):
    return [path for path in site.asked if path.startswith(EXPORT)]


@pytest.fixture
def visited(page, site):  # noqa: F811 - the fixture
    """A page of which this browser has verified six entries, four of them signed."""
    publish(site, BEFORE, signed_size=4)
    assert visit(page, site) == "VALID"
    return page


def test_a_book_goes_on_from_its_memory_at_every_size(node):
    """The same verdict, sequence, words and balances as when all of it is read."""
    rotated = [case.first for case in ROTATIONS if case.kind == "export"]
    books = [*map(content_of, CASES), *rotated]
    contents = [base64.b64encode(content).decode() for content in books]

    answers = node("run_rest.mjs", contents)

    assert [each["different"] for each in answers] == [[] for _ in books]
    assert sum(each["memories"] for each in answers) > len(books)


@pytest.mark.browser
@pytest.mark.parametrize("signed_size", [4, 5, 6, 7, 9])
def test_only_what_came_since_is_asked_for(visited, site, signed_size):
    publish(site, AFTER, signed_size=signed_size)

    assert visit(visited, site) == "VALID"

    assert exports_asked(site) == [f"{EXPORT} from 4"]
    assert visited.inner_text("[data-verify-title]") == "VALID: 9 entries verified"
    assert "The first 4 entries were verified on " in words(visited)
    assert "in this browser; 5 more now." in words(visited)
    assert visit(visited, site) == "VALID"
    assert exports_asked(site) == [f"{EXPORT} from {signed_size}"]
    assert visited.faults == []


@pytest.mark.browser
def test_a_book_that_stood_still_is_valid(visited, site):
    publish(site, BEFORE)

    assert [visit(visited, site) for _ in range(3)] == ["VALID"] * 3
    assert exports_asked(site) == [f"{EXPORT} from 6"]
    assert "in this browser; nothing came since." in words(visited)


@pytest.mark.browser
def test_the_page_says_what_was_verified_before_anything_is_pressed(visited, site):
    show(visited, site, ledger())

    visited.wait_for_selector("[data-verify-again]:visible")
    assert "The first 4 entries were verified on " in words(visited)
    assert visited.inner_text("[data-verify-start]") == "Verify what is new"


@pytest.mark.browser
def test_everything_is_verified_again_when_that_is_wanted(visited, site):
    publish(site, AFTER)

    assert again(visited, site) == "VALID"

    assert exports_asked(site) == [EXPORT]
    assert "It goes on from the 4 entries that you verified before." in words(visited)


@pytest.mark.browser
@pytest.mark.parametrize("how", [visit, again])
def test_a_rewritten_book_that_is_signed_anew_is_a_fork(visited, site, how):
    before, after = body_of(BEFORE, size=4), body_of(REWRITTEN)
    publish(site, REWRITTEN)

    assert how(visited, site) == "FORK"

    assert "two ledgers were signed as one" in visited.inner_text("[data-verify-title]")
    assert "does not begin with the 4 that were signed before" in words(visited)
    with visited.expect_download() as saving:
        visited.click("a[download]")
    assert saving.value.path().read_text() == f"{note_of(before)}\n{note_of(after)}"
    assert visit(visited, site) == "FORK"


@pytest.mark.browser
def test_a_fork_of_the_same_size_is_told(visited, site):
    publish(site, REWRITTEN[:6], signed_size=4)

    assert visit(visited, site) == "FORK"


@pytest.mark.browser
def test_a_rewriting_after_what_was_signed_is_none(visited, site):
    """The two entries that nobody had signed by then may become others."""
    entries = [json.loads(line) for line in unlinked(AFTER)]
    entries[5]["amount"] = 1
    publish(site, chained(entries))

    assert visit(visited, site) == "VALID"


@pytest.mark.browser
@pytest.mark.parametrize("how", [visit, again])
def test_an_older_checkpoint_is_stale(visited, site, how):
    publish(site, BEFORE, signed_size=3)

    assert how(visited, site) == "STALE"

    assert "older than what you verified before" in visited.inner_text("[data-verify-title]")
    assert "it speaks of 3 entries, and you verified 4 before" in words(visited)


@pytest.mark.browser
def test_a_checkpoint_that_is_no_longer_stated_is_stale(visited, site):
    publish(site, AFTER, "")

    assert visit(visited, site) == "STALE"
    assert f"No checkpoint of {ORIGIN} is stated, and you verified one of 4" in words(visited)


def named(origin):
    """Return the longer book as one whose genesis names another key, and what that signed."""
    entries = [json.loads(line) for line in unlinked(AFTER)]
    entries[0]["metadata"]["vkey"] = vkey_of(origin, 1, OTHER)
    lines = chained(entries)
    body = body_of(lines, origin=origin)
    return lines, note_of(body, signed(body, OTHER, origin))


@pytest.mark.browser
@pytest.mark.parametrize(
    ("origin", "verdict"), [(ORIGIN, "FORK"), (f"elsewhere.example/{ORIGIN}", "STALE")]
)
def test_another_key_is_not_believed_although_the_book_names_it(visited, site, origin, verdict):
    publish(site, *named(origin))

    assert visit(visited, site) == verdict
    assert exports_asked(site) == [f"{EXPORT} from 4", EXPORT]


@pytest.mark.browser
def test_a_key_is_followed_from_where_it_stood(page, site):  # noqa: F811 - the fixture
    publish(site, ROTATED, signed_by(ROTATED[:3], LOG))
    assert visit(page, site) == "VALID"
    publish(site, ROTATED, signed_by(ROTATED[:5], SECOND))

    assert visit(page, site) == "VALID"

    assert exports_asked(site) == [f"{EXPORT} from 3"]
    publish(site, ROTATED, signed_by(ROTATED, SECOND))
    assert visit(page, site) == "VALID"
    assert exports_asked(site) == [f"{EXPORT} from 5"]
    assert "The key changed at entry 3, and the one before signed that." in words(page)
    assert SECOND_VKEY in words(page)
    publish(site, ROTATED, signed_by(ROTATED, LOG))
    assert visit(page, site) == "UNKNOWN_KEY"
    assert "is signed by a retired key only" in words(page)


@pytest.mark.browser
def test_what_a_file_showed_is_not_forgotten_on_the_page(visited, site):
    """A larger checkpoint was verified as a file: the book must go on from it too."""
    visited.evaluate(
        "([name, note]) => localStorage.setItem(name, note)",
        [f"almoner-checkpoint:{ORIGIN}", note_of(body_of(AFTER))],
    )
    publish(site, AFTER, signed_size=6)
    assert visit(visited, site) == "STALE"
    publish(site, forged(7, amount=1), signed_size=6)
    assert visit(visited, site) == "TAMPERED"
    assert exports_asked(site) == [f"{EXPORT} from 4", EXPORT]
    publish(site, AFTER)
    assert visit(visited, site) == "VALID"
    assert exports_asked(site) == [f"{EXPORT} from 4"]


@pytest.mark.browser
def test_a_note_of_before_the_visit_is_compared_with_the_whole_book(visited, site):
    visited.evaluate(
        "([name, note]) => localStorage.setItem(name, note)",
        [f"almoner-checkpoint:{ORIGIN}", note_of(body_of(BEFORE[:2]))],
    )
    publish(site, AFTER)

    assert visit(visited, site) == "VALID"
    assert exports_asked(site) == [f"{EXPORT} from 4", EXPORT]


@pytest.mark.browser
def test_files_are_compared_with_what_a_panel_verified(visited, site):
    show(visited, site, FORM)
    visited.wait_for_load_state("networkidle")
    give_key(visited)

    choose(visited, export_of(REWRITTEN), note_of(body_of(REWRITTEN)).encode())

    assert verdict_of(visited) == "FORK"
    choose(visited, receipt_of(REWRITTEN[:4], 3).encode())
    assert verdict_of(visited) == "FORK"


def forged(number, **fields):
    """Change an entry of the longer book, and make its chain right again."""
    entries = [json.loads(line) for line in unlinked(AFTER)]
    return chained([entry | fields if entry["sequence"] == number else entry for entry in entries])


@pytest.mark.browser
@pytest.mark.parametrize(
    "lines",
    [
        forged(7, nonce="stripe:acct_1:txn_2:charge"),
        forged(7, entry_id=f"led_{3:026}"),
        forged(7, recorded_at="2020-01-01T00:00:00Z"),
        forged(7, metadata={"reverses": 2}, operation="CORRECTION"),
        [*AFTER[:7], AFTER[8]],
    ],
    ids=["nonce", "entry_id", "back-dated", "no mirror", "removed"],
)
def test_a_fault_since_then_gets_the_verdict_of_a_first_visit(visited, chromium, site, lines):
    publish(site, lines)
    stranger = chromium.new_page()
    first = [visit(stranger, site), stranger.inner_text("[data-verify-text]")]
    stranger.close()

    assert [visit(visited, site), visited.inner_text("[data-verify-text]")] == first
    assert first[0] == "TAMPERED"
    assert exports_asked(site) == [f"{EXPORT} from 4", EXPORT]


@pytest.mark.browser
def test_no_verdict_but_valid_is_remembered(visited, site):
    publish(site, REWRITTEN)
    visit(visited, site)
    publish(site, AFTER)

    assert visit(visited, site) == "VALID"
    assert exports_asked(site) == [f"{EXPORT} from 4"]


SPOIL = """
new Promise((resolve, reject) => {{
  const opening = indexedDB.open("almoner-verify");
  opening.onsuccess = () => {{
    const transaction = opening.result.transaction("books", "readwrite");
    transaction.oncomplete = () => {{ opening.result.close(); resolve(); }};
    transaction.objectStore("books").openCursor().onsuccess = ({{ target }}) => {{
      if (!target.result) return;
      const spoil = (kept) => {{ {change}; return kept; }};
      try {{ target.result.update(spoil(target.result.value)); }} catch (error) {{ reject(error); }}
      target.result.continue();
    }};
  }};
}})
"""


@pytest.mark.browser
@pytest.mark.parametrize(
    "change",
    [
        "return null",
        "return { book: 7, tree: [] }",
        "delete kept.book.nonces",
        "kept.book.nonces = 'genesis'",
        "kept.book.last.sequence = 7",
        "kept.book.amounts = kept.book.amounts.slice(1)",
        "kept.book.amounts[2] = 1",
        "kept.book.routes[2] = 9",
        "kept.book.lastHash = 'sha256:0'",
        "kept.tree.subtrees[0][0] ^= 1",
        "kept.tree = { size: 0, subtrees: [] }",
        "kept.book.keys.named = []; kept.book.keys.rotations = null",
        "kept.tree.size = 5",
    ],
)
def test_a_book_that_is_kept_but_spoilt_is_not_believed(visited, site, change):
    publish(site, AFTER)
    visited.evaluate(SPOIL.format(change=change))

    assert visit(visited, site) == "VALID"

    assert exports_asked(site)[-1] == EXPORT
    assert visit(visited, site) == "VALID"
    assert exports_asked(site) == [f"{EXPORT} from 9"]


@pytest.mark.browser
def test_a_browser_that_keeps_nothing_verifies_everything(visited, site):
    visited.add_init_script("delete Window.prototype.indexedDB")
    visited.evaluate("indexedDB.deleteDatabase('almoner-verify')")
    publish(site, AFTER)

    assert visit(visited, site) == "VALID"
    assert exports_asked(site) == [EXPORT]
    assert visited.faults == []
