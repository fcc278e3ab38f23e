"""What is signed, as the browser's modules judge it: the verdicts of the command, word for word."""

import base64
import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from tests.verifier import signed_corpus
from tests.verifier.books import export_of
from tests.verifier.cases import CASES
from tests.verifier.signed_corpus import Case
from tests.verifier.signing import body_of, note_of
from tests.verifier.test_signed import arguments_of
from verifier import almoner_verify

MANY = Path(__file__).with_name("many.js")


def base64_of(content):
    return base64.b64encode(content).decode()


def order_of(case):
    """Return what the worker is asked; files in base64, as JSON carries them."""
    first, second, export = map(base64_of, (case.first, case.second.encode(), case.export))
    files = {
        "receipt": {"receipt": first, "checkpoints": [], **({"opening": second} if second else {})},
        "export": {"exported": first, "checkpoints": [second]},
        "consistency": {"exported": export, "checkpoints": [first, second]},
    }
    quorum = {} if case.quorum is None else {"quorum": case.quorum}
    keys = {"keys": list(case.keys), "witnesses": list(case.witnesses)}
    return files[case.kind] | keys | quorum | known_in(case)


def known_in(case):
    """Return what is known: a policy, and what was good before, by the origin of its log."""
    notes = [[case.remembered.split("\n")[0], case.remembered]] if case.remembered else []
    return {"policy": case.policy, "remembered": notes}


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Return what the command reports of every case."""
    reports = []
    for case in CASES:
        with redirect_stdout(StringIO()) as out:
            almoner_verify.main([*arguments_of(case, tmp_path_factory.mktemp("case")), "--json"])
        reports.append(comparable(json.loads(out.getvalue())))
    return reports


def comparable(report):
    """Drop what may differ: the time, and the words for what cannot be read."""
    left_out = {"elapsed_seconds"} | ({"reason"} if report["verdict"] == "MALFORMED" else set())
    return {name: value for name, value in report.items() if name not in left_out}


def test_the_modules_in_node_reach_every_verdict(node, reports):
    answers = node("run_signed.mjs", [order_of(case) for case in CASES])

    for case, report, command in zip(CASES, answers, reports, strict=True):
        assert (report["verdict"], report["first_bad_sequence"]) == (case.verdict, case.sequence)
        assert comparable(report) == command, case.name


def pieces_of(lines):
    """Cut lines where a reader with a limit cuts them."""
    return [line[at : at + 16_386] for line in lines for at in range(0, len(line), 16_386)]


@pytest.mark.parametrize("length", [16_384, 16_385, 16_386, 16_387, 40_000])
@pytest.mark.parametrize("cut", [pieces_of, list], ids=["pieces", "lines"])
def test_lines_that_are_too_long_are_cut_alike(node, tmp_path, capsys, length, cut):
    lines = [b"a", b"x" * length, b"z"]
    leaves = cut(lines)
    small, large = note_of(body_of(leaves[:1])), note_of(body_of(leaves))
    for export in (export_of(lines), export_of(lines)[:-1], export_of(lines[:2])):
        case = Case("", "", "consistency", small.encode(), large, export=export)
        almoner_verify.main([*arguments_of(case, tmp_path), "--json"])

        command = json.loads(capsys.readouterr().out)
        assert comparable(node("run_signed.mjs", [order_of(case)])[0]) == comparable(command)


# One worker for all: a new one for each case would read all modules each time.
IN_WORKER = """
(orders) => new Promise((resolve, reject) => {
  const bytesOf = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const fileOf = (base64) => base64 === undefined ? null : new File([bytesOf(base64)], "file");
  const worker = new Worker("/many.js", { type: "module" });
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = (error) => reject(error.message);
  worker.postMessage(orders.map(
    ({ receipt, opening, exported, checkpoints, remembered, ...order }) => ({
      ...order,
      receipt: fileOf(receipt),
      opening: fileOf(opening),
      exported: fileOf(exported),
      checkpoints: checkpoints.map(fileOf),
      remembered: new Map(remembered),
    }),
  ));
})
"""


@pytest.mark.browser
def test_the_modules_in_chromium_reach_every_verdict(chromium, site, reports):
    site.files["/"] = b"<!doctype html><title>Empty</title>"
    site.files["/many.js"] = MANY.read_bytes()
    page = chromium.new_page()
    page.goto(site.address)

    verdicts = page.evaluate(IN_WORKER, [order_of(case) for case in CASES])

    for case, verdict, command in zip(CASES, verdicts, reports, strict=True):
        assert comparable(verdict) == command, case.name


@pytest.fixture(scope="module")
def big_book():
    return signed_corpus.book(65_537)


@pytest.mark.parametrize("size", [65_536, 65_537])
def test_a_tree_that_needs_a_third_level_of_tiles_is_the_same_in_node(
    node, tmp_path, capsys, big_book, size
):
    lines = big_book[:size]
    case = Case("", "", "export", export_of(lines), note_of(body_of(lines)))
    assert almoner_verify.main([*arguments_of(case, tmp_path), "--json"]) == 0

    command = json.loads(capsys.readouterr().out)
    assert command["checkpoint"]["size"] == size
    assert comparable(node("run_signed.mjs", [order_of(case)])[0]) == comparable(command)
