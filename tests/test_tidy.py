"""The rules of the house that no linter knows."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
APPS = ["organisations", "ledger", "reviews", "donations", "credits", "treasury", "webhooks"]
PRODUCT = ["common", "config", *APPS, "sandbox", "verifier"]
BESIDE = ["bench", "tests"]
FILE_LINES_MAX, FUNCTION_LINES_MAX = 400, 40
# One file that a stranger can read and publish by itself.
ONE_FILE_BY_CONTRACT = {"verifier/almoner_verify.py"}
FORBIDDEN_NAMES = {"utils.py", "helpers.py", "base.py", "manager.py"}
WRITES = {"create", "bulk_create", "get_or_create", "update_or_create", "bulk_update"}
MAY_WRITE = ("services", "receivers", "models")


def sources(*packages: str) -> list[Path]:
    """Return the product's Python files, without migrations."""
    files = [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]
    return [path for path in files if "migrations" not in path.parts]


def name_of(path: Path) -> str:
    """Return a path as the rules write it."""
    return path.relative_to(ROOT).as_posix()


def calls(path: Path) -> Iterator[ast.Call]:
    """Return every method call in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node


@pytest.mark.parametrize("path", sources(*PRODUCT), ids=name_of)
def test_files_stay_below_the_wall(path: Path):
    text = path.read_text(encoding="utf-8")

    assert len(text.splitlines()) <= FILE_LINES_MAX or name_of(path) in ONE_FILE_BY_CONTRACT


@pytest.mark.parametrize("path", sources(*PRODUCT, *BESIDE), ids=name_of)
def test_functions_stay_below_the_wall(path: Path):
    functions = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno
        and node.end_lineno - node.lineno >= FUNCTION_LINES_MAX
    ]

    assert functions == []


@pytest.mark.parametrize("path", sources(*APPS), ids=name_of)
def test_a_save_names_the_fields_it_writes(path: Path):
    for call in calls(path):
        assert isinstance(call.func, ast.Attribute)
        # Files have no fields.
        if call.func.attr == "save" and ast.unparse(call.func.value) != "storage":
            assert {"update_fields", "force_insert"} & {word.arg for word in call.keywords}


@pytest.mark.parametrize("path", sources(*APPS), ids=name_of)
def test_only_services_and_receivers_write(path: Path):
    if path.stem in MAY_WRITE or path.parent.name in MAY_WRITE:
        return
    writes = [
        f"line {call.lineno}: {ast.unparse(call.func)}"
        for call in calls(path)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in WRITES
        and ".objects" in ast.unparse(call.func)
    ]

    assert writes == []


def test_no_file_has_a_name_that_says_nothing():
    # Django finds a database backend in its `base`, and nowhere else.
    named = {path for path in sources(*PRODUCT) if path.name in FORBIDDEN_NAMES}
    assert named == {ROOT / "config" / "pooled" / "base.py"}


def test_the_product_leaves_no_work_for_later():
    marks = ("TO" + "DO", "FIX" + "ME")
    found = [
        name_of(path)
        for path in sources(*PRODUCT)
        if any(mark in path.read_text(encoding="utf-8") for mark in marks)
    ]

    assert found == []
