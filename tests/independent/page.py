"""The programs that docs/receipts.md shows, as somebody saves them."""

import re
import shutil
from pathlib import Path

import pytest

from tests.independent.go import built

PAGE = Path(__file__).parents[2] / "docs" / "receipts.md"


def saved(language: str, folder: Path) -> list[str]:
    """Save a program; return what to type before a receipt and a key."""
    text = PAGE.read_text(encoding="utf-8")
    [program] = re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    file = folder / f"receipt.{language}"
    file.write_text(program, encoding="utf-8")
    if language == "go":
        return [str(built(file))]
    if not shutil.which("openssl"):
        pytest.skip("OpenSSL is not installed: the script of docs/receipts.md was not run")
    return ["bash", str(file)]
