"""One run of everything, `make run` without the make, shared by the tests of this folder."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from tests.database import SURROUNDINGS, open_folder

STOP_SECONDS = 60
# What tests/database.py and pytest set for themselves; a user's shell has none of it.
OURS = {
    *SURROUNDINGS,
    "DATA_DIR",
    "DATABASE_OWNER_URL",
    "DATABASE_URL",
    "DJANGO_SETTINGS_MODULE",
    "STATIC_ROOT",
}
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class House:
    """A running Almoner and what its `demo.json` says."""

    process: "subprocess.Popen[str]"
    url: str
    demo: dict[str, Any]
    environment: dict[str, str]

    def organisation(self, slug: str = "lantern-house") -> dict[str, Any]:
        """Return what the demo tells of an organisation."""
        return next(each for each in self.demo["organisations"] if each["slug"] == slug)

    def get(self, path: str, **options: Any) -> requests.Response:
        """Fetch a page."""
        return requests.get(f"{self.url}{path}", timeout=30, **options)

    def public(self, path: str, slug: str = "lantern-house") -> Any:
        """Fetch something public of an organisation."""
        return self.get(f"/v1/public/organisations/{slug}{path}").json()

    def stripe(self, method: str, path: str, **options: Any) -> Any:
        """Ask the sandbox, as the organisation's own dashboard would."""
        answer = requests.request(
            method,
            f"{self.demo['stripe']['api_base']}{path}",
            headers={
                "Authorization": f"Bearer {self.demo['stripe']['secret_key']}",
                **options.pop("headers", {}),
            },
            timeout=30,
            **options,
        )
        answer.raise_for_status()
        return answer.json()

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the database."""
        with psycopg.connect(self.demo["database"]["url"]) as connection:
            return connection.execute(statement).fetchall()

    def manage(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command beside the running house."""
        return manage(self.environment, *arguments)


def manage(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of `manage.py` as `make shell` does."""
    return subprocess.run(
        [sys.executable, "-m", "config.runner", "shell", "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """Wait for something to become true, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """Start everything in a new data folder, and stop it: nothing is left running."""
    with open_folder() as folder:
        environment = surroundings(folder / "data")
        process = start(environment)
        try:
            demo = json.loads(Path(environment["DATA_DIR"], "demo.json").read_text())
            yield House(process, demo["base_url"], demo, environment)
        finally:
            stop(process)
        assert processes_of(folder) == []


def surroundings(data: Path) -> dict[str, str]:
    """Return the environment of a user who wants the demo at a free port."""
    inherited = {name: value for name, value in os.environ.items() if name not in OURS}
    return inherited | {"PORT": str(free_port()), "DATA_DIR": str(data), "DEMO": "1"}


def start(environment: dict[str, str]) -> "subprocess.Popen[str]":
    """Start everything and return when it says that it is running."""
    process = subprocess.Popen(
        [sys.executable, "-m", "config.runner", "run"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Ctrl-C stops it" in line:
            return process
    raise AssertionError("".join(lines))


def stop(process: "subprocess.Popen[str]") -> None:
    """Stop everything as a user does."""
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=STOP_SECONDS)
    assert process.returncode == 0


def processes_of(data: Path) -> list[str]:
    """Return the command lines of what still runs for a data folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            surroundings = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if str(data).encode() in surroundings and int(entry.name) != os.getpid():
            found.append((entry / "cmdline").read_text().replace("\0", " "))
    return found


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
