"""The program: one line when it is ready, loopback only, and nothing lost over a restart."""

import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests

from sandbox.__main__ import main
from sandbox.server import Server
from tests.sandbox.running import SECRET_KEY, WEBHOOK_SECRET, Sandbox, running, until

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def kept_signal_handlers():
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def arguments(folder, hook, port=0):
    return [
        f"--port={port}",
        f"--data-dir={folder}",
        f"--webhook-url={hook}",
        f"--webhook-secret={WEBHOOK_SECRET}",
        f"--secret-key={SECRET_KEY}",
    ]


def started(folder, receiver):
    command = [sys.executable, "-m", "sandbox", *arguments(folder, receiver.url)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    assert line.startswith("sandbox listening on http://127.0.0.1:")
    return process, Sandbox(line.split()[-1], receiver)


def stopped(process, sandbox, number=signal.SIGTERM):
    sandbox.http.close()
    process.send_signal(number)
    rest, _ = process.communicate(timeout=10)
    return process.returncode, rest


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program_starts_and_stops_cleanly(tmp_path, receiver, number):
    process, sandbox = started(tmp_path / "new", receiver)
    account = sandbox.account()

    sandbox.gift(account)

    assert "charge.updated" in receiver.kinds(account)
    assert stopped(process, sandbox, number) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_keeps_the_state_and_what_was_not_delivered(tmp_path, receiver, number):
    process, sandbox = started(tmp_path, receiver)
    account = sandbox.account()
    session = sandbox.session(account)
    sandbox.gift(account)
    sandbox.control("clock", account=account, now=1_650_000_000)
    sandbox.control("delivery", mode="hold")
    sandbox.pay(session.id)
    before = sandbox.control("delivery/flush", timeout=0)
    stopped(process, sandbox, number)
    assert before["queued"] == 5

    process, sandbox = started(tmp_path, receiver)

    after = sandbox.control("delivery", verb="GET")
    assert (after["mode"], after["queued"]) == ("hold", 5)
    assert sandbox.balance(account) == {"eur": 9800}
    sandbox.control("delivery", mode="normal")
    sandbox.flush()
    assert receiver.kinds(account)[-2:] == ["checkout.session.completed", "charge.updated"]
    assert receiver.of(account)[-1].created == 1_650_000_000
    assert stopped(process, sandbox)[0] == 0


def test_an_event_that_failed_is_sent_after_a_restart(tmp_path, receiver):
    receiver.status = 500
    with running(tmp_path, receiver) as sandbox:
        account = sandbox.account()
        sandbox.control("charges", account=account, amount=500, currency="eur")
        until(lambda: receiver.refused)

    receiver.status = 200
    with running(tmp_path, receiver) as sandbox:
        sandbox.flush()

    assert receiver.kinds(account) == ["charge.succeeded", "charge.updated"]


def test_main_serves_until_a_signal(tmp_path, receiver, capsys):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    def visit():
        until(lambda: is_healthy(port))
        os.kill(os.getpid(), signal.SIGTERM)

    visitor = threading.Thread(target=visit)
    visitor.start()

    main(arguments(tmp_path, "http://localhost:9/hook", port))

    visitor.join()

    assert capsys.readouterr().out == f"sandbox listening on http://127.0.0.1:{port}\n"


def is_healthy(port):
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).ok
    except requests.ConnectionError:
        return False


@pytest.mark.parametrize(
    "hook", ["http://example.org/hook", "https://127.0.0.1/hook", "http://8.8.8.8/hook", "nonsense"]
)
def test_events_go_to_this_machine_only(tmp_path, hook, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["sandbox", *arguments(tmp_path, hook)])

    with pytest.raises(SystemExit):
        runpy.run_path(main.__code__.co_filename, run_name="__main__")

    assert "not an http URL of this machine" in capsys.readouterr().err


def test_a_port_that_is_taken_is_told_in_one_sentence(tmp_path):
    taken = Server(0)
    port = taken.server_address[1]

    with pytest.raises(SystemExit, match=f"cannot listen on port {port}"):
        main(arguments(tmp_path, "http://127.0.0.1:9", port))

    taken.server_close()


def test_the_server_binds_to_the_loopback_address_only():
    server = Server(0)

    assert server.server_address[0] == "127.0.0.1"
    server.server_close()


def test_a_client_that_goes_away_is_no_news_and_a_bug_is(capsys):
    server = Server(0)
    for error in (ConnectionResetError(), RuntimeError("a bug")):
        try:
            raise error
        except type(error):
            server.handle_error(None, ("127.0.0.1", 1))
    server.server_close()

    told = capsys.readouterr().err
    assert "a bug" in told
    assert "ConnectionResetError" not in told
