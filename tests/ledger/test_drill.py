"""The drill in docs/witnesses.md, as somebody runs it who wants to see a fork being caught."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_the_drill_catches_a_fork(tmp_path):
    if not (shutil.which("openssl") and shutil.which("curl")):
        pytest.skip("OpenSSL or curl is not installed: the drill of docs/witnesses.md was not run")
    blocks = BLOCK.findall((ROOT / "docs" / "witnesses.md").read_text())
    kept = {name: value for name, value in os.environ.items() if "COVERAGE" in name}

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHON": sys.executable, "TMPDIR": str(tmp_path), **kept},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.stderr == ""
    answers = re.split(r"(?<=\(HTTP [0-9]{3}\))\n", done.stdout)
    signed, again, fork, from_nothing, rest = answers
    assert (done.returncode, rest) == (0, "")
    assert signed.startswith("— witness.drill ")
    assert again.startswith("— witness.drill ")
    assert fork == "Another tree of this size was cosigned.\n(HTTP 409)"
    assert from_nothing == "2\n(HTTP 409)"
