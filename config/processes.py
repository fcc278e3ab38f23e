"""Child processes that never outlive us: each has its own group, and its output goes to a file."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

PR_SET_PDEATHSIG = 1
PRCTL: Callable[..., int] | None = getattr(ctypes.CDLL(None), "prctl", None)  # Linux only
TAIL_LINES = 20
Process = subprocess.Popen[bytes]


def die_with_parent(orphaned: signal.Signals, parent: int) -> None:
    """Have the kernel send `orphaned` to this process when `parent` ends, even by SIGKILL."""
    if PRCTL is not None:
        PRCTL(PR_SET_PDEATHSIG, int(orphaned))
    if os.getppid() != parent:
        os.kill(os.getpid(), orphaned)


def start(
    command: Sequence[str | Path],
    *,
    folder: Path,
    environment: Mapping[str, str],
    log: Path | None = None,
    orphaned: signal.Signals = signal.SIGTERM,
    **options: Any,
) -> Process:
    """Start a child in a group of its own; its output is added to `log`, or shown without one."""
    # The hook comes after a change of user, which would undo it.
    hook = partial(die_with_parent, orphaned, os.getpid())
    output = None if log is None else open_private(log)
    try:
        return subprocess.Popen(  # noqa: S603  (no shell, and the callers' own commands)
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output and subprocess.STDOUT,
            process_group=0,
            preexec_fn=hook,  # noqa: PLW1509  (the kernel is asked from inside the child)
            **options,
        )
    finally:
        if output is not None:
            output.close()


def open_private(log: Path) -> BinaryIO:
    """Open a log to add to; only its owner may read it."""
    return os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def stop(processes: Iterable[Process], *, seconds: float = 10) -> None:
    """End the children and whatever they started: politely, and after `seconds` by force."""
    children = list(processes)
    for child in children:
        send(child, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(child.poll() is None for child in children):
        time.sleep(0.02)
    for child in children:
        send(child, signal.SIGKILL)
        child.wait()


def send(child: Process, number: signal.Signals) -> None:
    """Send a signal to a child's whole group, if any of it is left."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, number)


def is_alive(pid: int) -> bool:
    """Say whether a process runs; one that only waits to be buried does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and ") Z " in state.read_text())


def tail(log: Path) -> str:
    """Return the last lines of a log, indented to stand under a sentence."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(f"    {line}" for line in lines[-TAIL_LINES:])
