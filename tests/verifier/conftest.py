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
def node_verify() -> Callable[[list[dict[str, Any]]], list[Verdict]]:
    """Run the browser's modules in Node over a list of cases (`content` in bytes)."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed: the browser's modules were not run in it")

    def run(cases: list[dict[str, Any]]) -> list[Verdict]:
        sent = [case | {"content": base64.b64encode(case["content"]).decode()} for case in cases]
        script = Path(__file__).with_name("run_node.mjs")
        answer = subprocess.run(
            [node, script],
            input=json.dumps(sent),
            capture_output=True,
            check=False,
            text=True,
            timeout=120,
        )
        assert answer.returncode == 0, answer.stderr
        verdicts: list[Verdict] = json.loads(answer.stdout)
        return verdicts

    return run
