"""The page /verify in Chromium: receipts, checkpoints and exports, chosen and dropped."""

import base64

import pytest

from tests.verifier import signed_corpus
from tests.verifier.books import export_of
from tests.verifier.cases import CASES
from tests.verifier.rotation_corpus import LINES as ROTATED
from tests.verifier.rotation_corpus import SECOND, SECOND_VKEY, UNSIGNED, signed_by
from tests.verifier.signed_corpus import BODY, LINES, NOTE, OTHER_BOOK
from tests.verifier.signing import (
    OTHER,
    VKEY,
    WITNESS_VKEYS,
    body_of,
    cosigned,
    note_of,
    receipt_of,
    signed,
)
from tests.verifier.test_panel import FORM, page, show, verdict_of  # noqa: F401 - a fixture
from tests.verifier.trust_corpus import LOG_LINE, QUORUMS, WITNESS_LINES

pytestmark = pytest.mark.browser

EXPORT = export_of(LINES)
RECEIPT = receipt_of(LINES, 3).encode()
SMALL = note_of(body_of(LINES[:4])).encode()
FORK = note_of(body_of(OTHER_BOOK)).encode()


@pytest.fixture
def form(page, site):  # noqa: F811 - the fixture
    show(page, site, FORM)
    page.wait_for_load_state("networkidle")
    return page


def choose(page, *contents, field="#export-file"):  # noqa: F811
    """Choose files whose names and types say nothing."""
    files = [
        {"name": f"file{place}", "mimeType": "", "buffer": content}
        for place, content in enumerate(contents)
    ]
    page.set_input_files(field, files)


def give_key(page, vkey=VKEY):  # noqa: F811
    page.fill("#log-key", vkey)
    page.click("[data-verify-start]")


def drop(page, *contents):  # noqa: F811
    page.evaluate(
        """contents => {
          const dataTransfer = new DataTransfer();
          for (const content of contents) {
            const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
            dataTransfer.items.add(new File([bytes], "file"));
          }
          const event = new DragEvent("drop", { dataTransfer, cancelable: true, bubbles: true });
          document.querySelector("form").dispatchEvent(event);
        }""",
        [base64.b64encode(content).decode() for content in contents],
    )


def title(page):  # noqa: F811
    return page.inner_text("[data-verify-title]")


def words(page):  # noqa: F811
    return page.inner_text("[data-verify] .verify__body")


def files_of(case):
    """Return what a person chooses for a case."""
    return [case.first, *filter(None, [case.second.encode(), case.export])]


def fits(case):
    """Tell whether the page can be asked this: keys or a policy, and it sees what each file is."""
    second = case.second.encode()
    is_opening = case.kind != "receipt" or not second or b"almoner-opening/" in second
    notes = {"receipt": [], "export": [second], "consistency": [case.first, second]}[case.kind]
    are_notes = all("\n— ".encode() in note for note in notes)
    is_writable = not case.witnesses and len({*case.keys}) == len(case.keys)
    return is_writable and are_notes and is_opening and (case.first or case.kind == "export")


# As the page keeps it: what was verified before, by the origin of its log.
KEEP = """note => {
  localStorage.clear();
  if (note) localStorage.setItem(`almoner-checkpoint:${note.split("\\n")[0]}`, note);
}"""


def some_of(cases):
    """Return two cases of each kind and verdict: the worker is asked all of them elsewhere."""
    kinds = {}
    for case in filter(fits, cases):
        kind = (case.kind, case.verdict, bool(case.policy), bool(case.second))
        kinds.setdefault(kind, []).append(case)
    return [case for found in kinds.values() for case in (found[0], found[-1])]


@pytest.mark.parametrize("give", [choose, drop])
def test_every_kind_of_file_gets_the_verdict_of_the_command(form, give):
    for case in some_of(CASES):
        form.evaluate(KEEP, case.remembered)
        form.fill("#log-key", case.policy or "\n".join(case.keys))
        give(form, *files_of(case))
        assert verdict_of(form) == case.verdict, case.name

    assert form.faults == []


def test_a_book_of_more_than_a_megabyte_is_hashed_in_a_second_worker(form):
    lines = signed_corpus.book(3500)
    good, other = note_of(body_of(lines)), note_of(body_of(signed_corpus.book(3500, amount=1)))
    assert len(export_of(lines)) > 1024 * 1024

    for note, verdict in ((other, "TAMPERED"), (good, "VALID")):
        choose(form, export_of(lines), note.encode())
        assert verdict_of(form) == verdict
    assert form.faults == []


def test_a_receipt_is_told_in_words(form, site):
    give_key(form)
    choose(form, RECEIPT)

    assert verdict_of(form) == "VALID"
    assert title(form) == "VALID: entry 3 was signed"
    assert "one of the 6 entries that the key you gave has signed" in words(form)
    assert "No witness was asked" in words(form)
    assert "verify the whole ledger for that" in words(form)
    assert "103 EUR, in its smallest unit" in words(form)
    assert [path for path in site.asked if not path.startswith("/static/verify/")] == ["/"]


def test_without_a_key_a_receipt_is_told_the_remedy(form):
    choose(form, RECEIPT)

    assert verdict_of(form) == "UNKNOWN_KEY"
    assert "Paste the log’s key" in words(form)

    give_key(form)

    assert verdict_of(form) == "VALID"


@pytest.mark.parametrize("vkey", ["x", VKEY[:-2], VKEY.replace("/log/", "/lag/")])
def test_a_wrong_key_is_told_at_its_field(form, vkey):
    choose(form, RECEIPT)
    verdict_of(form)

    give_key(form, vkey)

    told = form.inner_text("#log-key-error")
    assert "Line 1: this is no log’s key, or not all of one: copy the whole of it" in told
    assert form.get_attribute("#log-key", "aria-invalid") == "true"
    assert not form.is_visible("[data-verify]")

    give_key(form)

    assert verdict_of(form) == "VALID"
    assert not form.is_visible("#log-key-error")


def test_an_export_beside_a_checkpoint_says_whose_word_it_takes(form):
    choose(form, EXPORT, SMALL)

    assert verdict_of(form) == "VALID"
    assert "The first 4 entries were signed; 2 came since" in words(form)
    assert "the key that the ledger’s own first line names" in words(form)
    assert VKEY in words(form)

    give_key(form)

    assert verdict_of(form) == "VALID"
    assert "the key that you gave" in words(form)


def test_a_checkpoint_alone_is_told_what_it_needs(form):
    give_key(form)
    choose(form, NOTE.encode())

    assert verdict_of(form) == "VALID"
    assert "add the exported ledger, or another checkpoint to compare" in words(form)


def test_two_sizes_need_the_ledger(form):
    give_key(form)
    choose(form, SMALL)
    choose(form, NOTE.encode(), field="#other-file")
    form.wait_for_selector("text=no verdict was reached")
    assert "add the exported ledger" in words(form)

    choose(form, SMALL, EXPORT)

    assert verdict_of(form) == "VALID"
    assert title(form) == "VALID: both checkpoints speak of one ledger"


def test_the_evidence_of_a_fork_is_saved(form):
    give_key(form)
    choose(form, NOTE.encode())
    choose(form, FORK, field="#other-file")
    assert verdict_of(form) == "FORK"

    with form.expect_download() as saving:
        form.click("a[download]")

    assert saving.value.path().read_bytes() == NOTE.encode() + b"\n" + FORK
    assert form.faults == []


def test_evidence_is_offered_for_a_fork_alone(form):
    give_key(form)
    choose(form, NOTE.encode())
    choose(form, FORK, field="#other-file")
    verdict_of(form)

    choose(form, NOTE.encode(), field="#other-file")

    assert verdict_of(form) == "VALID"
    assert form.locator("a[download]").count() == 0


POLICY = LOG_LINE + WITNESS_LINES + QUORUMS["two"]
COSIGNED = note_of(BODY, signed(BODY), cosigned(BODY, 0), cosigned(BODY, 2))


def test_a_policy_asks_witnesses_too(form):
    give_key(form, POLICY)
    choose(form, receipt_of(LINES, 3, COSIGNED).encode())

    assert verdict_of(form) == "VALID"
    told = words(form)
    assert "2 of your 3 witnesses signed it too: they were shown the same ledger." in told
    assert "witness.example/0, witness.example/2" in told
    assert "No witness was asked" not in told

    choose(form, EXPORT, COSIGNED.encode())

    assert verdict_of(form) == "VALID"
    assert "2 of your 3 witnesses signed it too" in words(form)
    assert "No witness was asked" not in words(form)


def test_too_few_witnesses_are_told(form):
    give_key(form, POLICY)
    for contents in ([RECEIPT], [EXPORT, NOTE.encode()], [NOTE.encode(), NOTE.encode()]):
        choose(form, *contents)

        assert verdict_of(form) == "UNWITNESSED"
        assert title(form) == "UNWITNESSED: too few of your witnesses signed"
        assert "0 of 3 witnesses signed the checkpoint, and more are asked for" in words(form)


def test_a_policy_that_asks_for_nobody_says_who_signed(form):
    give_key(form, LOG_LINE + WITNESS_LINES + QUORUMS["none"])
    choose(form, NOTE.encode(), COSIGNED.encode())

    assert verdict_of(form) == "VALID"
    assert "No witness of yours signed it" in words(form)

    give_key(form, f"{LOG_LINE}witness w {WITNESS_VKEYS[0]}\nquorum w")
    choose(form, COSIGNED.encode())

    assert verdict_of(form) == "VALID"
    assert "Your witness signed it too" in words(form)


def test_a_wrong_policy_is_told_by_its_line(form):
    choose(form, RECEIPT)
    give_key(form, POLICY.replace("group g 2", "group g 4"))

    told = form.inner_text("#log-key-error")
    assert "Line 5: expected all, any, or a number from 1 to 3." in told
    assert not form.is_visible("[data-verify]")


def test_a_changed_key_is_told(form):
    give_key(form, VKEY)
    choose(form, export_of(ROTATED), signed_by(ROTATED, SECOND).encode())

    assert verdict_of(form) == "VALID"
    assert "the key that took the place of the one you gave" in words(form)
    assert "The key changed at entry 3, and the one before signed that." in words(form)
    assert SECOND_VKEY in words(form)

    give_key(form, "")
    choose(form, export_of(UNSIGNED), signed_by(UNSIGNED, SECOND).encode())

    assert verdict_of(form) == "FORK"
    form.evaluate(KEEP, "")
    choose(form, export_of(UNSIGNED), signed_by(UNSIGNED, SECOND).encode())
    assert verdict_of(form) == "VALID"
    assert "the key that the ledger itself names" in words(form)
    assert "the one before did not sign that: ask the organisation" in words(form)


def test_what_was_good_is_remembered(form):
    choose(form, EXPORT, SMALL)
    assert verdict_of(form) == "VALID"
    choose(form, EXPORT, NOTE.encode())
    assert verdict_of(form) == "VALID"
    assert "It goes on from the 4 entries that you verified before." in words(form)

    choose(form, EXPORT, SMALL)

    assert verdict_of(form) == "STALE"
    assert title(form) == "STALE: this is older than what you verified before"
    assert "it speaks of 4 entries, and you verified 6 before" in words(form)


def test_a_fork_of_what_was_good_is_saved(form):
    give_key(form)
    choose(form, RECEIPT)
    assert verdict_of(form) == "VALID"

    choose(form, receipt_of(OTHER_BOOK, 3).encode())

    assert verdict_of(form) == "FORK"
    assert title(form) == "FORK: two ledgers were signed as one"
    with form.expect_download() as saving:
        form.click("a[download]")
    assert saving.value.path().read_bytes() == NOTE.encode() + b"\n" + FORK


def test_a_browser_that_keeps_nothing_verifies_all_the_same(form):
    form.evaluate(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no'); } })"
    )
    choose(form, EXPORT, NOTE.encode())
    assert verdict_of(form) == "VALID"

    choose(form, EXPORT, SMALL)

    assert verdict_of(form) == "VALID"
    assert form.faults == []


def test_a_stranger_signed_neither(form):
    give_key(form)
    drop(form, note_of(BODY, signed(BODY, OTHER)).encode(), SMALL)

    assert verdict_of(form) == "UNKNOWN_KEY"


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        ([RECEIPT, EXPORT], "Verify a receipt by itself"),
        ([EXPORT, EXPORT], "one exported ledger at a time"),
        ([SMALL, FORK, NOTE.encode()], "two checkpoints at a time"),
    ],
)
def test_files_that_do_not_belong_together_get_no_verdict(form, contents, said):
    drop(form, *contents)

    form.wait_for_selector("text=no verdict was reached")
    assert said in words(form)


def test_without_script_there_is_no_dead_button(chromium, site):
    context = chromium.new_context(java_script_enabled=False)
    bare = context.new_page()
    show(bare, site, FORM)

    assert not bare.is_visible("text=Verify")
    context.close()
