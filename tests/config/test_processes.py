import os
import signal
import subprocess
import sys

import pytest

from config import processes

HERE = os.environ | {"PYTHONUNBUFFERED": "1"}
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid)
time.sleep(600)
"""


def test_a_child_that_will_not_stop_is_killed_with_all_it_started(tmp_path, until):
    log = tmp_path / "log"
    command = [sys.executable, "-c", STUBBORN]
    child = processes.start(command, folder=tmp_path, environment=HERE, log=log)
    grandchild = int(until(log.read_text))

    processes.stop([child], seconds=0.2)

    assert child.returncode == -signal.SIGKILL
    until(lambda: not processes.is_alive(grandchild))


def test_a_child_that_has_ended_can_be_stopped_again(tmp_path):
    child = processes.start(["true"], folder=tmp_path, environment=HERE)
    child.wait()

    processes.stop([child])

    assert child.returncode == 0


def test_a_command_that_does_not_exist_leaves_no_open_log(tmp_path):
    with pytest.raises(FileNotFoundError):
        processes.start(["/no/such"], folder=tmp_path, environment=HERE, log=tmp_path / "log")

    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def test_an_orphan_ends_itself_where_the_kernel_cannot_be_asked(monkeypatch):
    heard = []
    monkeypatch.setattr(processes, "PRCTL", None)
    monkeypatch.setattr(os, "kill", lambda *arguments: heard.append(arguments))

    processes.die_with_parent(signal.SIGTERM, os.getppid())
    processes.die_with_parent(signal.SIGINT, os.getppid() + 1)

    assert heard == [(os.getpid(), signal.SIGINT)]


def test_the_kernel_is_asked_to_tell_of_the_parents_death(monkeypatch):
    asked = []
    monkeypatch.setattr(processes, "PRCTL", lambda *arguments: asked.append(arguments))

    processes.die_with_parent(signal.SIGTERM, os.getppid())

    assert asked == [(processes.PR_SET_PDEATHSIG, signal.SIGTERM)]


def test_who_is_alive(monkeypatch, until):
    child = subprocess.Popen(["true"])
    until(lambda: not processes.is_alive(child.pid))  # not buried yet
    child.wait()

    assert not processes.is_alive(child.pid)
    assert processes.is_alive(os.getpid())
    monkeypatch.setattr(os, "kill", lambda *_: (_ for _ in ()).throw(PermissionError()))
    assert processes.is_alive(1)


def test_the_tail_of_a_log(tmp_path):
    log = tmp_path / "log"
    assert processes.tail(log) == ""

    log.write_text("".join(f"{number}\n" for number in range(100)))

    assert processes.tail(log).split() == [str(number) for number in range(80, 100)]
