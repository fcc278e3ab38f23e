"""Fixtures for all tests."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from xdist.scheduler import LoadFileScheduling

from donations import door
from tests.chromium import chromium  # noqa: F401 - a fixture

# No test is timed: machines are busy.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")
FOLDERS = itertools.count()
PLAIN = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}


class ByFile(LoadFileScheduling):
    """Gives one worker all tests of a file, and of the house, which takes long to be furnished."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/house" if nodeid.startswith("tests/house/") else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    """Schedule by files."""
    return ByFile(config, log)


@pytest.fixture(autouse=True)
def plain_static_files(settings) -> None:
    """Name static files as they are: nobody collected them for the tests."""
    settings.STORAGES = {**settings.STORAGES, "staticfiles": PLAIN}


@pytest.fixture(autouse=True)
def nobody_at_the_door() -> None:
    """Forget which organisations a test before had challenge everybody for a second."""
    door.shown.clear()
    door.spent.clear()


@pytest.fixture(autouse=True)
def passwords_suffice(settings) -> None:
    """Let a password alone sign everybody in, as in the demo, where a test is not about that."""
    settings.REQUIRE_SECOND_FACTOR = False


@pytest.fixture(autouse=True)
def passwords_cost_little(settings) -> None:
    """Hash passwords with one round: the many of production would be a third of the tests' time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def checkpoints_of_its_own(settings, tmp_path_factory) -> None:
    """Keep what is kept outside the database for each test apart: there is one heads log only."""
    folder = tmp_path_factory.getbasetemp() / f"data-{next(FOLDERS)}"
    settings.DATA_DIR = folder


@pytest.fixture(autouse=True)
def state_home(tmp_path_factory, monkeypatch) -> Path:
    """Let the verifier remember what is good in a folder of the test's own."""
    folder: Path = tmp_path_factory.getbasetemp() / f"state-{next(FOLDERS)}"
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder
