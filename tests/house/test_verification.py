"""A stranger verifies a book without trusting us: in the browser, offline, with public tools."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.house.conftest import ROOT, House, until

SECONDS = 1000
PUBLIC = "/v1/public/organisations/lantern-house"
TAMPERED = 13


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the verifier remember what is good in a folder of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A new visitor."""
    context = chromium.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def export(house: House, tmp_path: Path) -> Path:
    """A downloaded book."""
    path = tmp_path / "ledger.ndjson"
    answer = house.get("/v1/public/organisations/saltmarsh-trust/ledger/export?format=ndjson")
    path.write_bytes(answer.content)
    return path


@pytest.fixture
def tampered(export: Path) -> Path:
    """The same book with one more cent in entry 40, in good form."""
    lines = export.read_text().splitlines()
    fields = json.loads(lines[40])
    before, after = f'"amount":{fields["amount"]},', f'"amount":{fields["amount"] + 1},'
    lines[40] = lines[40].replace(before, after)
    path = export.with_name("tampered.ndjson")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.browser
def test_the_browser_verifies_the_whole_book(house: House, page: Page):
    page.goto(f"{house.url}/o/kawabe-forest-school/ledger")
    page.get_by_role("button", name="Verify all entries").click()

    title = page.locator("[data-verify-title]").first
    expect(title).to_contain_text("VALID", timeout=30 * SECONDS)


@pytest.mark.browser
def test_the_browser_names_the_entry_that_was_tampered_with(
    house: House, page: Page, export: Path, tampered: Path
):
    page.goto(f"{house.url}/verify")

    page.locator("#export-file").set_input_files(export)
    expect(page.locator("#verify-file")).to_contain_text("VALID", timeout=30 * SECONDS)
    page.locator("#export-file").set_input_files(tampered)

    expect(page.locator("#verify-file")).to_contain_text("TAMPERED", timeout=30 * SECONDS)
    expect(page.locator("#verify-file")).to_contain_text(re.compile(r"\b40\b"))


def test_the_command_line_verifies_a_running_site(house: House):
    verdict = verify("organisation", f"{house.url}/o/lantern-house", "--json")

    assert verdict.returncode == 0, verdict.stdout + verdict.stderr
    assert json.loads(verdict.stdout)["verdict"] == "VALID"


def test_the_command_line_names_the_entry_that_was_tampered_with(tampered: Path):
    verdict = verify("export", str(tampered), "--json")

    assert verdict.returncode == TAMPERED
    assert json.loads(verdict.stdout)["first_bad_sequence"] == 40


@pytest.mark.skipif(not shutil.which("curl"), reason="The README's commands need curl.")
def test_the_readmes_commands_verify_every_line_with_public_tools(house: House, tmp_path: Path):
    commands = readme_commands().replace("http://localhost:8000", house.url)

    told = subprocess.run(
        ["sh", "-c", commands], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert told.returncode == 0, told.stderr
    assert house.public("/ledger/head")["head_hash"] in told.stdout


@pytest.mark.skipif(not shutil.which("curl"), reason="The README's commands need curl.")
def test_the_readmes_commands_find_a_tampered_line(tampered: Path, tmp_path: Path):
    without_download = re.sub(r"curl .*", f"cp {tampered} ledger.ndjson", readme_commands())

    told = subprocess.run(
        ["sh", "-c", without_download], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert told.returncode == 1
    assert "BROKEN" in told.stdout
    assert '"sequence":41,' in told.stdout


@pytest.mark.skipif(
    not shutil.which("curl") or not shutil.which("openssl"),
    reason="The README's commands need curl and openssl.",
)
def test_the_readmes_commands_verify_a_receipt(house: House, tmp_path: Path):
    proof = f"{PUBLIC}/ledger/entries/3/proof"
    until(lambda: house.get(proof).ok)
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    commands = readme_commands("verify-a-receipt").replace("http://localhost:8000", house.url)

    told = subprocess.run(
        ["bash", "-c", commands], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    line = house.public("/ledger/entries/3")["line"]
    assert told.returncode == 0, told.stderr
    assert told.stdout.endswith(f"VALID: this line is one of those that were signed:\n{line}\n")


def readme_commands(name: str = "verify-with-public-tools") -> str:
    """Return what the README tells to type."""
    text = (ROOT / "README.md").read_text()
    found = re.search(rf"<!-- {name} -->\n```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


def verify(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the verifier as a stranger does."""
    return subprocess.run(
        [sys.executable, "-I", str(ROOT / "verifier" / "almoner_verify.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
