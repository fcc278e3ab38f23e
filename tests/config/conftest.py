"""Folders for servers of their own, and programs that run in processes of their own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.database import open_folder

BASE_DIR = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder():
    """Return a folder that the server's user may enter, unlike pytest's own."""
    with open_folder() as path:
        yield path


@pytest.fixture
def until():
    """Return what waits for a condition, and gives up in the end."""

    def wait(condition, seconds=20):
        deadline = time.monotonic() + seconds
        while not (result := condition()):
            assert time.monotonic() < deadline, "waited too long"
            time.sleep(0.02)
        return result

    return wait


@pytest.fixture
def program():
    """Return what starts Python programs; whatever still runs at the end is killed."""
    started = []

    def start(*arguments, **environment):
        started.append(
            subprocess.Popen(
                [sys.executable, *map(str, arguments)],
                cwd=BASE_DIR,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.send_signal(signal.SIGKILL)
        process.communicate()
