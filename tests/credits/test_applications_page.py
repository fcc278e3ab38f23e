"""docs/applications.md works when it is followed: an application that nothing else knows of."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import AppConfig

from ledger.operations import registered
from tests.credits.conftest import Program
from tests.factories import OrganisationFactory
from tests.webhooks.programs import ROOT, Programs, programs, until

PAGE = (ROOT / "docs/applications.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE, re.DOTALL))
COMMANDS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
# What step 2 changes in config/settings.py.
SETTINGS = 'from config.settings import *\n\nINSTALLED_APPS = [*INSTALLED_APPS, "arcade"]\n'


def follow(folder: Path) -> None:
    """Do what steps 1 and 2 say, in a folder of our own."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(text)
    (folder / "followed_settings.py").write_text(SETTINGS)


@pytest.fixture(scope="module")
def house(django_db_setup, tmp_path_factory) -> Iterator[Programs]:
    """The product with the page's application in it, as processes of their own."""
    folder = tmp_path_factory.mktemp("followed")
    follow(folder)
    with programs(folder) as house:
        house.environment |= {
            "DJANGO_SETTINGS_MODULE": "followed_settings",
            "PYTHONPATH": str(folder),
        }
        yield house


def test_the_page_has_what_this_test_follows():
    assert list(FILES) == ["arcade/operations.py", "arcade/apps.py"]
    assert len(COMMANDS) == 3
    assert not any("arcade" in path.read_text() for path in (ROOT / "credits").rglob("*.py"))


def argument_of(command: str) -> list[str]:
    """Return what `make shell` is given."""
    [words] = re.findall(r'ARGS="manage\.py (.*)"', command)
    return shlex.split(words.replace("lantern-house", "eau-vive"))


def test_the_page_works_when_it_is_followed(house):
    house.organisation()
    check, issue, use = COMMANDS

    assert "no issues" in house.manage(*argument_of(check))
    key = json.loads(house.manage(*argument_of(issue)))["api_key"]
    house.start("web")
    until(house.listens)
    told = subprocess.run(
        ["bash", "-ec", use.replace("\ncurl", "; echo\ncurl")],
        env={**os.environ, "BASE_URL": house.url, "API_KEY": key},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    signup, game, balance, history = map(json.loads, told.splitlines())
    assert (signup["amount"], signup["balance"]) == (5, 5)
    assert (game["operation"], game["amount"], game["balance"]) == ("GAME_PLAYED", -4, 1)
    [promised] = re.findall(r"The third answers `(.*)`", PAGE)
    assert balance == json.loads(promised)
    assert [row["balance"] for row in history["results"]] == [1, 5]
    entries = house.ask(
        "SELECT debit, credit FROM ledger_entry WHERE book = 'arcade' ORDER BY sequence"
    )
    assert entries[1:] == [("issued", "owner:player/4711"), ("owner:player/4711", "games")]
    house.manage("audit_ledger")


def test_no_step_needed_a_migration(house):
    assert "No changes detected" in house.manage("makemigrations", "--check", "--dry-run")


@pytest.fixture
def arcade(tmp_path, monkeypatch) -> Iterator[None]:
    """The page's application, in this process."""
    follow(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    AppConfig.create("arcade").ready()
    yield
    registered.pop("arcade", None)
    for name in [name for name in sys.modules if name.partition(".")[0] == "arcade"]:
        del sys.modules[name]


@pytest.mark.usefixtures("arcade")
def test_two_applications_of_one_organisation_are_apart(db):
    organisation = OrganisationFactory()
    games, credits = Program(organisation, "arcade"), Program(organisation)
    games.post("ann", "CREDIT_ADD", "n1", amount=7)
    credits.post("ann", "CREDIT_ADD", "n1", amount=8)

    spent = games.post("ann", "GAME_PLAYED", "n2")

    assert spent.json()["balance"] == 4
    assert (games.balance("ann"), credits.balance("ann")) == (4, 8)
    assert [row["nonce"] for row in games.history("ann")] == ["n2", "n1"]
    assert credits.post("ann", "GAME_PLAYED", "n3").json()["code"] == "unknown_operation"
    assert games.post("ann", "CONTENT_CREATION", "n3").json()["code"] == "unknown_operation"
    assert games.post("ann", "GAME_PLAYED", "n4", amount=-5).status_code == 409


BAD = """
from django.apps import AppConfig


class BadConfig(AppConfig):
    name = "bad"

    def ready(self) -> None:
        from dataclasses import replace

        from credits.operations import CREDITS
        from ledger.operations import register

        register(replace(CREDITS, book="bad", amounts={**CREDITS.amounts, "CREDIT_SPEND": 2}))
"""


def test_a_wrong_declaration_stops_manage_py_check(tmp_path):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/__init__.py").touch()
    (tmp_path / "bad/apps.py").write_text(BAD)
    (tmp_path / "bad_settings.py").write_text(SETTINGS.replace("arcade", "bad"))
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "bad_settings",
        "PYTHONPATH": str(tmp_path),
    }

    checked = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode != 0
    assert "The application bad: CREDIT_SPEND must be below zero" in checked.stderr
