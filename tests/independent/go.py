"""Programs in Go, built with what Debian has of it: nothing is downloaded."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

# Debian's packages in place of modules.
GOPATH = Path("/usr/share/gocode")
SURROUNDINGS = {"GO111MODULE": "off", "GOPATH": str(GOPATH), "GOPROXY": "off"}
MISSING = "Go is not installed (golang-go, golang-golang-x-mod-dev): its programs were not run"


def built(source: Path) -> Path:
    """Build a program into the folder that it is in, or skip the test and say so."""
    if not shutil.which("go") or not (GOPATH / "src/golang.org/x/mod/sumdb").is_dir():
        pytest.skip(MISSING)
    program = source.with_suffix(".program")
    subprocess.run(
        ["go", "build", "-o", program, source], env=os.environ | SURROUNDINGS, check=True
    )
    return program
