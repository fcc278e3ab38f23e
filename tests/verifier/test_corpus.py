"""Command line, Node and Chromium name the same verdict for every case of the corpus."""

import json
from pathlib import Path

import pytest

from tests.verifier import corpus

CASES = json.loads((corpus.FOLDER / "cases.json").read_text())
NAMES = [case["name"] for case in CASES]
GIVEN = ("head", "balances")


def content_of(case):
    return (corpus.FOLDER / f"{case['name']}.ndjson").read_bytes()


def comparable(verdict):
    """Drop what may differ: the time, and the words for a line that is none."""
    left_out = {"elapsed_seconds"} | ({"reason"} if verdict["verdict"] == "MALFORMED" else set())
    return {name: value for name, value in verdict.items() if name not in left_out}


def test_the_corpus_is_what_its_script_writes():
    assert {name: (corpus.FOLDER / name).read_bytes() for name in corpus.files()} == corpus.files()


def test_the_script_writes_the_corpus(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus, "FOLDER", tmp_path / "lines")

    corpus.main()

    assert {file.name for file in (tmp_path / "lines").iterdir()} == set(corpus.files())


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_the_command_gives_the_expected_verdict(case, verify):
    verdict = verify(content_of(case), **{name: case.get(name) for name in GIVEN})

    assert verdict["verdict"] == case["verdict"]
    assert verdict["first_bad_sequence"] == case["first_bad_sequence"]


def test_the_modules_in_node_agree_with_the_command(verify, node_verify):
    given = [{name: case.get(name) for name in GIVEN} for case in CASES]
    contents = [content_of(case) for case in CASES]

    verdicts = node_verify(
        [{"content": content} | more for content, more in zip(contents, given, strict=True)]
    )

    for case, content, more, verdict in zip(CASES, contents, given, verdicts, strict=True):
        assert comparable(verdict) == comparable(verify(content, **more)), case["name"]


IN_WORKER = """
orders => new Promise((resolve, reject) => {
  const worker = new Worker("/many.js", { type: "module" });
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = (error) => reject(error.message);
  worker.postMessage(orders);
})
"""


@pytest.mark.browser
def test_the_modules_in_chromium_agree_with_the_command(verify, chromium, site):
    site.files["/"] = b"<!doctype html><title>Empty</title>"
    site.files["/many.js"] = Path(__file__).with_name("many.js").read_bytes()
    page = chromium.new_page()
    page.goto(site.address)
    orders = [published(site, case) for case in CASES]

    verdicts = page.evaluate(IN_WORKER, orders)

    for case, verdict in zip(CASES, verdicts, strict=True):
        told = verify(content_of(case), **{name: case.get(name) for name in GIVEN})
        assert comparable(verdict) == comparable(told), case["name"]


def published(site, case):
    order, given = {}, {"export": content_of(case)}
    given |= {name: json.dumps(case[name]).encode() for name in GIVEN if case.get(name)}
    for name, content in given.items():
        path = order[f"{name}Url"] = f"/{case['name']}/{name}"
        site.files[path] = content
    return order
