"""`make run` and `make shell`: everything Almoner needs, started together and stopped together."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from config import processes, surroundings
from config.postgres import Server
from config.postgres_home import PostgresError
from config.surroundings import BASE_DIR, SANDBOX_KEY, Refusal, Surroundings

PYTHON = sys.executable
STATIC_ROOT = Path(os.environ.get("STATIC_ROOT") or BASE_DIR / "staticfiles")
MANAGE = [PYTHON, "manage.py"]
# As many threads as the connection pool of a process has connections.
WEB = [PYTHON, "-m", "granian", "--interface", "wsgi", "--http", "1", "--no-ws"]
WEB += ["--workers", "2", "--blocking-threads", "8", "--backpressure", "128"]
WEB += ["--respawn-failed-workers", "--respawn-interval", "1", "--workers-kill-timeout", "5"]
WEB += ["--log-level", "warning"]
APPLICATION = "config.wsgi:application"
RESTARTED = {"web", "witness", "worker"}
RESTARTS_MAX, RESTARTS_SECONDS = 5, 60
READY_SECONDS = 60
DIRECTLY = build_opener(ProxyHandler({}))
SANDBOX_READY = re.compile(r"sandbox listening on (http://\S+)")
WITNESS = "witness.demo"
WITNESS_READY = re.compile(rf"({re.escape(WITNESS)}\S+)\n(http://\S+:([0-9]+))/add-checkpoint\n")


class Stopped(Exception):
    """Somebody pressed Ctrl-C, or a signal asked us to end."""


class Failure(Exception):
    """Something ended that should not have, or did not begin."""


@dataclass
class House:
    """The programs that run, and those that ran."""

    around: Surroundings
    stopping: threading.Event
    server: Server | None = None
    commands: dict[str, list[str]] = field(default_factory=dict)
    children: dict[str, processes.Process] = field(default_factory=dict)
    restarts: dict[str, list[float]] = field(default_factory=dict)

    def log(self, name: str) -> Path:
        """Return the file that has a program's output."""
        return self.around.data_dir / "logs" / f"{name}.log"

    def start(self, name: str, command: list[str], *, shown: bool = False) -> None:
        """Start a program, with a new log or with the terminal."""
        self.commands[name] = command
        self.log(name).unlink(missing_ok=True)
        self.launch(name, shown=shown)

    def launch(self, name: str, *, shown: bool = False) -> None:
        """Start a program whose command is known, for the first time or again."""
        self.children[name] = processes.start(
            self.commands[name],
            folder=BASE_DIR,
            environment=self.around.environment,
            log=None if shown else self.log(name),
        )

    def finish(self, commands: dict[str, list[str]], *, shown: bool = False) -> None:
        """Run programs side by side to their ends, which must be good ones."""
        for name, command in commands.items():
            self.start(name, command, shown=shown)
        while any(self.children[name].poll() is None for name in commands):
            self.look_after(besides=commands)
        for name in commands:
            code = self.children.pop(name).returncode
            if code != 0:
                raise Failure(f"{name} failed:\n{processes.tail(self.log(name))}")

    def until(self, condition: Callable[[], bool], awaited: str) -> None:
        """Wait for something, and look after the programs meanwhile."""
        deadline = time.monotonic() + READY_SECONDS
        while not condition():
            self.look_after()
            if time.monotonic() > deadline:
                logs = "\n".join(processes.tail(self.log(name)) for name in self.children)
                raise Failure(f"{awaited} took longer than {READY_SECONDS} seconds:\n{logs}")

    def look_after(self, besides: Collection[str] = ()) -> None:
        """Pause a moment; start again what has died, or give up."""
        if self.stopping.wait(0.05):
            raise Stopped
        if self.server is not None and self.server.has_ended:
            raise Failure(f"The database died:\n{processes.tail(self.server.log)}")
        for name, child in self.children.items():
            if name not in besides and child.poll() is not None:
                self.start_again(name, child)

    def start_again(self, name: str, child: processes.Process) -> None:
        """Replace a dead program, unless it must not die or dies all the time."""
        now = time.monotonic()
        recent = [at for at in self.restarts.get(name, []) if at > now - RESTARTS_SECONDS]
        if name not in RESTARTED or len(recent) >= RESTARTS_MAX:
            end = f"{name} ended unexpectedly (exit code {child.returncode})"
            raise Failure(f"{end}:\n{processes.tail(self.log(name))}")
        say(f"{name} ended (exit code {child.returncode}); starting it again.")
        processes.stop([child], seconds=0)
        self.restarts[name] = [*recent, now]
        self.launch(name)

    def stop(self) -> None:
        """End every program."""
        processes.stop(self.children.values())
        self.children.clear()


def main(arguments: list[str]) -> int:
    """Run a command; return the exit code."""
    if "MAKELEVEL" in os.environ:  # make may be killed without a word to us
        processes.die_with_parent(signal.SIGTERM, os.getppid())
    try:
        match arguments:
            case ["run"]:
                return run()
            case ["shell", str(program), *rest]:
                return shell(program, *rest)
    except (Refusal, PostgresError, OSError) as error:
        return complain(error)
    sys.stderr.write("usage: python -m config.runner run | shell PROGRAM [ARGUMENT …]\n")
    return 2


def run() -> int:
    """Run all of Almoner until a signal ends it."""
    stopping = threading.Event()
    stop_at_signals(stopping)
    around = surroundings.surroundings()
    say("Starting Almoner …")
    with surroundings.database(around) as server:
        surroundings.refuse_taken_port(around)
        surroundings.fill_in_secrets(around)
        house = House(around, stopping, server)
        try:
            open_house(house)
        except Stopped:
            say("\nStopping …")
        except Failure as failure:
            return complain(failure)
        finally:
            house.stop()
    return 0


def stop_at_signals(stopping: threading.Event) -> None:
    """Have the signals that ask for an end heard, as often as they come; nohup keeps its word."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda *_: stopping.set())


def open_house(house: House) -> None:
    """Start everything in order; then watch over it until told to stop."""
    around = house.around
    for folder in ("logs", "sandbox"):
        (around.data_dir / folder).mkdir(mode=0o700, exist_ok=True)
    if around.uses_sandbox:
        start_sandbox(house)
    needs_witness = around.wants_demo and not around.environment.get("LEDGER_WITNESS_POLICY")
    if needs_witness:
        start_witness(house)
    prepare(house)
    if around.uses_sandbox:
        house.until(lambda: sandbox_address(house) is not None, "Starting the sandbox")
        around.point_to_sandbox(sandbox_address(house) or "")
    if needs_witness:
        house.until(lambda: trust_witness(house), "Starting the witness")
    house.start("worker", [*MANAGE, "worker"])
    house.start("web", [*WEB, "--host", around.host, "--port", str(around.port), APPLICATION])
    house.until(partial(is_ready, around), "Getting ready")
    if around.wants_demo:
        house.finish({"seed_demo": [*MANAGE, "seed_demo"]}, shown=True)
    say(welcome(around, house.server))
    while True:
        house.look_after()


def prepare(house: House) -> None:
    """Bring the tables and the static files up to date; the latter only if any changed."""
    commands = {"migrate": [*MANAGE, "migrate", "--noinput"]}
    stamp, wanted = STATIC_ROOT / ".made-from", static_stamp()
    is_fresh = stamp.exists() and stamp.read_text() == wanted
    if not is_fresh:
        commands["collectstatic"] = [*MANAGE, "collectstatic", "--noinput"]
    house.finish(commands)
    if not is_fresh:
        STATIC_ROOT.mkdir(exist_ok=True)
        stamp.write_text(wanted)


def static_stamp() -> str:
    """Return what changes with every static file of ours or of a package."""
    stamp = sha256((BASE_DIR / "requirements.txt").read_bytes())
    for file in sorted((BASE_DIR / "static").rglob("*")):
        status = file.stat()
        stamp.update(f"{file.name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return stamp.hexdigest()


def start_sandbox(house: House) -> None:
    """Start our Stripe, at the port of last time if that is free: its links stay good."""
    around = house.around
    port = int(around.kept["sandbox_port"])
    command = [PYTHON, "-m", "sandbox", "--data-dir", str(around.data_dir / "sandbox")]
    command += ["--port", str(port if surroundings.is_free(surroundings.LOOPBACK, port) else 0)]
    command += ["--webhook-url", f"{around.address}/v1/webhooks/stripe"]
    command += ["--webhook-secret", around.environment["STRIPE_WEBHOOK_SECRETS"].split(",")[0]]
    house.start("sandbox", [*command, "--secret-key", SANDBOX_KEY])


def sandbox_address(house: House) -> str | None:
    """Return where the sandbox says it listens."""
    found = SANDBOX_READY.search(house.log("sandbox").read_text(errors="replace"))
    return found and found[1]


def start_witness(house: House) -> None:
    """Start the demo's own witness; `seed_demo` writes down which logs it knows."""
    around = house.around
    folder, port = around.data_dir / "witness", int(around.kept["witness_port"])
    folder.mkdir(mode=0o700, exist_ok=True)
    logs = folder / "logs.policy"
    if not logs.exists():
        logs.write_text("quorum none\n", encoding="utf-8")
    command = [*MANAGE, "witness", str(folder), "--name", WITNESS, "--logs", str(logs), "--port"]
    is_free = surroundings.is_free(surroundings.LOOPBACK, port)
    house.start("witness", [*command, str(port if is_free else 0)])


def trust_witness(house: House) -> bool:
    """Have the demo's witness asked, as soon as it says its key and where it listens."""
    around = house.around
    found = WITNESS_READY.search(house.log("witness").read_text(errors="replace"))
    if found is None:
        return False
    vkey, url, port = found.groups()
    policy = around.data_dir / "witness" / "witnesses.policy"
    policy.write_text(f"witness {WITNESS} {vkey} {url}\nquorum {WITNESS}\n", encoding="utf-8")
    around.environment["LEDGER_WITNESS_POLICY"] = str(policy)
    around.keep(witness_port=port)
    # When it has to be started again, it is where the policy says.
    house.commands["witness"][-1] = port
    return True


def is_ready(around: Surroundings) -> bool:
    """Ask the web server whether everything is in order."""
    request = Request(f"{around.address}/ready", headers={"Host": around.base_host})  # noqa: S310  (ours)
    try:
        with DIRECTLY.open(request, timeout=5) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except (OSError, HTTPException):
        return False


def welcome(around: Surroundings, server: Server | None) -> str:
    """Say where to go, and how to sign in."""
    lines = ["", "Almoner is running.  Ctrl-C stops it; the data stays.", ""]
    lines += [f"  Pages     {around.base_url}/", f"  Staff     {around.base_url}/admin/"]
    demo = around.data_dir / "demo.json"
    if around.wants_demo and demo.exists():
        lines += sign_ins(json.loads(demo.read_text()), around.base_url)
    port = around.kept.get("sandbox_port")
    if around.uses_sandbox and port:
        address = f"http://{surroundings.LOOPBACK}:{port}/"
        lines += [f"  Sandbox   {address}  (play donors, banks and a bad network)"]
    if not around.environment.get("EMAIL_URL"):
        lines += [f"  Mail      {around.data_dir / 'logs' / 'worker.log'}  (none is sent)"]
    lines += [f"  Data      {around.data_dir}"]
    if server is not None and around.data_dir.resolve() not in server.folder.parents:
        why = "its user, who is not root, cannot enter the data folder"
        lines += [f"  Database  {server.folder}  ({why})"]
    return "\n".join([*lines, ""])


def sign_ins(demo: dict[str, Any], base_url: str) -> list[str]:
    """Return the lines that tell a visitor of the demo who to be."""
    people = [("staff", demo["staff"])]
    people += [(each["slug"], each["owner"]) for each in demo["organisations"]]
    lines = [f"            {name}: {who['email']}  {who['password']}" for name, who in people]
    return [*lines[:1], f"  Charities {base_url}/organisations", *lines[1:]]


def shell(*command: str) -> int:
    """Run one command in Almoner's surroundings, whether Almoner is up or not."""
    around = surroundings.surroundings()
    words = [PYTHON, *command] if command[0].endswith(".py") or command[0] == "-m" else [*command]
    with surroundings.database(around, shared=True):
        surroundings.fill_in_secrets(around)
        hook = partial(processes.die_with_parent, signal.SIGTERM, os.getpid())
        # It keeps the terminal, so Ctrl-C reaches it, and it decides what that means.
        child = subprocess.Popen(  # noqa: S603  (what the operator typed)
            words,
            cwd=BASE_DIR,
            env=around.environment,
            preexec_fn=hook,  # noqa: PLW1509  (see there)
        )
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, partial(pass_on, child))
        code = child.wait()
    return code if code >= 0 else 128 - code


def pass_on(child: subprocess.Popen[bytes], number: int, frame: FrameType | None) -> None:
    """Hand a signal to the command; the terminal has done so with its own."""
    if number != signal.SIGINT:
        child.send_signal(number)


def say(line: str) -> None:
    """Tell the person at the terminal."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def complain(error: Exception) -> int:
    """Say what is wrong; return the exit code of a failure."""
    sys.stderr.write(f"almoner: {error}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
