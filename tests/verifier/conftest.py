"""What the tests of the verifiers share: the command, the site, Node and Chromium if there."""

import base64
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.site import Site, served
from verifier.almoner_verify import EXIT_CODES, main

Verdict = dict[str, Any]


@pytest.fixture
def site() -> Iterator[Site]:
    with served() as site:
        yield site


@pytest.fixture
def verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Verdict]:
    """Run the command over bytes and return the verdict that it prints."""

    def run(content: bytes, *, head: Any = None, balances: Any = None) -> Verdict:
        export = tmp_path / "export.ndjson"
        export.write_bytes(content)
        arguments = ["export", str(export), "--json"]
        for name, document in {"head": head, "balances": balances}.items():
            if document is not None:
                path = tmp_path / f"{name}.json"
                path.write_text(json.dumps(document))
                arguments += [f"--{name}", str(path)]
        code = main(arguments)
        verdict: Verdict = json.loads(capsys.readouterr().out)
        assert code == EXIT_CODES[verdict["verdict"]]
        return verdict

    return run


@pytest.fixture(scope="session")
def node() -> Callable[..., Any]:
    """Run a script of this folder in Node on some JSON, and return the JSON that it prints."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("Node is not installed: the browser's modules were not run in it")

    def run(script: str, given: Any, *options: str) -> Any:
        answer = subprocess.run(
            [program, Path(__file__).with_name(script), *options],
            input=json.dumps(given),
            capture_output=True,
            check=False,
            text=True,
            timeout=120,
        )
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    return run


@pytest.fixture(scope="session")
def node_verify(node: Callable[..., Any]) -> Callable[[list[dict[str, Any]]], list[Verdict]]:
    """Run the browser's modules in Node over a list of cases (`content` in bytes)."""

    def run(cases: list[dict[str, Any]]) -> list[Verdict]:
        sent = [case | {"content": base64.b64encode(case["content"]).decode()} for case in cases]
        verdicts: list[Verdict] = node("run_node.mjs", sent)
        return verdicts

    return run


@pytest.fixture(scope="session")
def node_lines(node: Callable[..., Any]) -> Callable[..., list[str]]:
    """Read lines both ways in Node; return those that differ."""

    def run(lines: list[bytes], *options: str) -> list[str]:
        sent = [base64.b64encode(line).decode() for line in lines]
        differing: list[str] = node("run_lines.mjs", sent, *options)
        return differing

    return run
