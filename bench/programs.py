"""The real web server, worker and sandbox as processes of their own, as `make run` starts them."""

import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from config import processes
from config.runner import APPLICATION, MANAGE, SANDBOX_READY, WEB
from config.surroundings import LOOPBACK

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_SECONDS = 120
STRIPE_KEY = "sk_test_ofTheBenchAndOfNobodyElse"  # as long as dj-stripe wants them


class NotInTime(Exception):
    """Something that was waited for did not happen."""


class Programs:
    """What runs, by its name; the programs' output is in `logs` of the data folder."""

    def __init__(self, folder: Path) -> None:
        """Describe the surroundings; nothing runs yet. `folder` is for what is thrown away."""
        self.folder = folder
        self.children: dict[str, processes.Process] = {}
        self.ports: dict[str, int] = {}
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "bench.settings",
            "STATIC_ROOT": str(static_root()),
            "STRIPE_SECRET_KEY": STRIPE_KEY,
            "ALLOWED_HOSTS": LOOPBACK,
        }

    def start(self, name: str, command: Sequence[str], **environment: str) -> None:
        """Start a program."""
        self.children[name] = processes.start(
            command,
            folder=ROOT,
            environment=self.environment | environment,
            log=self.log(name),
        )

    def log(self, name: str) -> Path:
        """Return the file with a program's output."""
        return self.folder / f"{name}.log"

    def start_web(
        self, name: str = "web", target: str = APPLICATION, python: str = "", **environment: str
    ) -> int:
        """Start a web server and wait until it listens; return its port."""
        port = self.ports[name] = free_port()
        command = [python or WEB[0], *WEB[1:], "--host", LOOPBACK, "--port", str(port), target]
        self.start(name, command, **environment)
        until(lambda: self.is_up(name, port))
        return port

    def start_worker(self) -> None:
        """Start the worker."""
        self.start("worker", [*MANAGE, "worker"])

    def start_sandbox(self) -> str:
        """Start our Stripe, whose events go nowhere by themselves; return its address."""
        command = [sys.executable, "-m", "sandbox", "--data-dir", str(self.folder / "sandbox")]
        command += ["--webhook-url", f"http://{LOOPBACK}:9/", "--webhook-secret", "whsec_unused"]
        command += ["--port", "0", "--secret-key", STRIPE_KEY, "--settle-seconds", "0"]
        self.start("sandbox", command)
        found = until(lambda: SANDBOX_READY.search(self.log("sandbox").read_text()))
        self.environment["STRIPE_API_BASE"] = str(found[1])
        return str(found[1])

    def is_up(self, name: str, port: int) -> bool:
        """Tell whether a server takes connections; raise if it has ended instead."""
        if self.children[name].poll() is not None:
            raise NotInTime(f"{name} ended:\n{processes.tail(self.log(name))}")
        with socket.socket() as probe:
            return probe.connect_ex((LOOPBACK, port)) == 0

    def stop(self, name: str) -> None:
        """End a program and all of its processes."""
        processes.stop([self.children.pop(name)])

    def peak_rss_mb(self, name: str) -> float | None:
        """Return the most memory that any one process of a program ever had; Linux tells."""
        group = str(self.children[name].pid)
        peaks = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                is_ours = (folder / "stat").read_text().rpartition(")")[2].split()[2] == group
                status = (folder / "status").read_text() if is_ours else ""
            except OSError:  # it has ended
                continue
            peaks += [int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line]
        return max(peaks) / 1024 if peaks else None


@contextmanager
def programs(folder: Path) -> Iterator[Programs]:
    """Provide programs to start; none of them outlives the block."""
    running = Programs(folder)
    try:
        yield running
    finally:
        processes.stop(running.children.values())


def static_root() -> Path:
    """Return where the static files are collected for the bench's server."""
    return Path(settings.DATA_DIR) / "static"


def collect_static() -> None:
    """Collect the static files: pages name them by their hashes."""
    run_program(*MANAGE, "collectstatic", "--noinput", STATIC_ROOT=str(static_root()))


def run_program(*words: str, **environment: str) -> tuple[float, float]:
    """Run a program of ours to a good end; return its seconds of the clock and of the CPU."""
    before, started = cpu_of_children(), time.perf_counter()
    subprocess.run(  # noqa: S603 - our own programs
        words, cwd=ROOT, env={**os.environ, **environment}, check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - started, cpu_of_children() - before


def cpu_of_children() -> float:
    """Return the CPU seconds of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def until(condition: Callable[[], Any], every: float = 0.02) -> Any:
    """Return what a condition becomes once it is true. Raises `NotInTime`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise NotInTime(f"Nothing happened in {PATIENCE_SECONDS} seconds.")
        time.sleep(every)
    return found


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        return int(listener.getsockname()[1])
