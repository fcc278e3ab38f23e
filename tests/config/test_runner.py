import os
import re
import signal
import socket
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from config import postgres, processes, runner, surroundings

STAND_IN = [sys.executable, "-m", "tests.config.stand_in"]


@pytest.fixture
def stage(monkeypatch, folder, capfd):
    """`make run` with programs that only stand in for ours, on the database of the tests."""
    handlers = {number: signal.getsignal(number) for number in (1, 2, 15)}
    port = free_port()
    for name in ("STRIPE_SECRET_KEY", "STRIPE_API_BASE", "MAKELEVEL", "BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(surroundings, "BASE_DIR", folder)  # no `.env` of a developer
    monkeypatch.setattr(runner, "STATIC_ROOT", folder / "staticfiles")
    monkeypatch.setenv("DATA_DIR", str(folder / "data"))
    monkeypatch.setenv("PORT", str(port))
    monkeypatch.setenv("EXPECTED_HOST", f"localhost:{port}")
    monkeypatch.setattr(runner, "MANAGE", STAND_IN)
    monkeypatch.setattr(runner, "WEB", [*STAND_IN, "web"])
    monkeypatch.setenv("DEMO", "1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # our own server is asked directly
    yield Stage(monkeypatch, folder / "data", capfd)
    for number, handler in handlers.items():
        signal.signal(number, handler)


class Stage:
    """Runs the runner in this process; a signal comes when a given thing is said."""

    def __init__(self, monkeypatch, data_dir, capfd):
        self.monkeypatch, self.data_dir, self.capfd = monkeypatch, data_dir, capfd
        self.houses = []
        monkeypatch.setattr(runner, "House", self.remember)
        self.house_class = runner.House

    def remember(self, *arguments):
        self.houses.append(House(*arguments))
        return self.houses[-1]

    def play(self, when, then=lambda _: os.kill(os.getpid(), signal.SIGINT)):
        """Run; do something when a line is said. Return the exit code and all that was said."""
        say = runner.say

        def hear(line):
            say(line)
            if when in line:
                then(self.houses[-1] if self.houses else None)

        self.monkeypatch.setattr(runner, "say", hear)
        code = runner.main(["run"])
        self.monkeypatch.setattr(runner, "say", say)
        output = self.capfd.readouterr()
        return code, output.out + output.err

    def calls(self):
        return (self.data_dir / "calls").read_text().splitlines()


class House(runner.House):
    """Remembers every program it started, to see that none is left."""

    started: list = []

    def launch(self, name, **options):
        super().launch(name, **options)
        self.started.append(self.children[name])


@pytest.fixture(autouse=True)
def nothing_is_left():
    yield
    assert not [each.args for each in House.started if processes.is_alive(each.pid)]
    House.started.clear()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def stop():
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGINT)


def test_a_run_starts_everything_says_where_to_go_and_stops_everything(stage):
    code, said = stage.play("Almoner is running")

    assert code == 0
    port = os.environ["PORT"]
    web = f"web --host 127.0.0.1 --port {port} config.wsgi:application"
    [asks] = [call for call in stage.calls() if call.startswith("witness ")]
    calls = [call for call in stage.calls() if call != asks]
    assert sorted(calls[:2]) == ["collectstatic --noinput", "migrate --noinput"]
    assert sorted(calls[2:4]) == [web, "worker "]
    assert calls[4:] == ["seed_demo "]
    assert f"http://localhost:{port}/admin/" in said
    assert "staff@almoner.example  of-staff" in said
    assert "lin@lantern.example  of-lin" in said
    assert re.search(r"Sandbox   http://127\.0\.0\.1:[1-9]\d*/ ", said)
    assert "Mail      " not in said
    assert "Stopping" in said


def test_a_run_that_sends_no_mail_says_where_it_stands(stage):
    stage.monkeypatch.delenv("EMAIL_URL")

    _, said = stage.play("Almoner is running")

    log = stage.houses[-1].log("worker")
    assert f"  Mail      {log}  (none is sent)\n" in said


def test_a_second_run_finds_the_sandbox_where_it_was(stage):
    addresses = []

    for _ in range(2):
        stage.play("Almoner is running")
        addresses.append(stage.houses[-1].around.environment["STRIPE_API_BASE"])

    assert addresses[0] == addresses[1] != "http://127.0.0.1:0"
    assert stage.calls().count("collectstatic --noinput") == 1


def test_the_demo_has_a_witness_that_comes_back_where_it_was(stage):
    addresses = []

    class Counting(House):
        def launch(self, name, **options):
            super().launch(name, **options)
            if name == "witness" and "witness" in self.restarts:
                policy = Path(self.around.environment["LEDGER_WITNESS_POLICY"])
                addresses.append((policy.read_text(), self.commands["witness"][-1]))
                stop()

    stage.monkeypatch.setattr(runner, "House", Counting)
    code, said = stage.play(
        "Almoner is running",
        then=lambda _: [each for each in House.started if "witness" in each.args][-1].kill(),
    )

    assert code == 0
    assert "witness ended (exit code -9); starting it again" in said
    [(text, port)] = addresses
    assert text == (
        f"witness witness.demo witness.demo+00000000+AAAA http://127.0.0.1:{port}\n"
        "quorum witness.demo\n"
    )
    assert (stage.data_dir / "witness" / "logs.policy").read_text() == "quorum none\n"


def test_an_operators_own_policy_is_kept(stage):
    stage.monkeypatch.setenv("LEDGER_WITNESS_POLICY", "/etc/almoner/witnesses.policy")

    stage.play("Almoner is running")

    assert "witness" not in stage.houses[-1].commands
    assert not (stage.data_dir / "witness").exists()


def test_no_demo_is_poured_over_a_real_stripe_account(stage):
    stage.monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_real")

    code, said = stage.play("Almoner is running", then=lambda _: stop())

    assert code == 0
    assert "seed_demo " not in stage.calls()
    assert "sandbox" not in stage.houses[-1].commands
    assert "staff@" not in said
    assert "Sandbox" not in said


def test_a_step_that_fails_stops_all_and_shows_why(stage):
    stage.monkeypatch.setenv("FAILING", "migrate")

    code, said = stage.play("never")

    assert code == 1
    assert "almoner: migrate failed:\n    migrate has a bad day" in said


def test_a_demo_that_fails_has_said_why_itself(stage):
    stage.monkeypatch.setenv("FAILING", "seed_demo")

    code, said = stage.play("never")

    assert code == 1
    assert said.index("seed_demo has a bad day") < said.index("almoner: seed_demo failed")


def test_a_worker_that_dies_comes_back(stage):
    launched = []

    class Counting(House):
        def launch(self, name, **options):
            launched.append(name)
            if launched.count("worker") == 2:
                stop()
            super().launch(name, **options)

    stage.monkeypatch.setattr(runner, "House", Counting)
    code, said = stage.play("Almoner is running", then=lambda _: kill_newest_worker())

    assert code == 0
    assert "worker ended (exit code -9); starting it again" in said


def kill_newest_worker():
    [worker] = [each for each in House.started if each.args[-1] == "worker"]
    worker.send_signal(signal.SIGKILL)


def test_a_worker_that_always_dies_ends_the_run(stage):
    stage.monkeypatch.setenv("FAILING", "worker")
    stage.monkeypatch.setenv("EXPECTED_HOST", "nobody-is-ready")

    code, said = stage.play("never")

    assert code == 1
    assert said.count("worker ended (exit code 1); starting it again") == runner.RESTARTS_MAX
    assert "worker ended unexpectedly (exit code 1):\n    worker has a bad day" in said


def test_a_sandbox_that_dies_ends_the_run(stage):
    code, said = stage.play(
        "Almoner is running",
        then=lambda house: house.children["sandbox"].send_signal(signal.SIGKILL),
    )

    assert code == 1
    assert "sandbox ended unexpectedly (exit code -9)" in said


def test_a_run_that_does_not_get_ready_gives_up(stage):
    stage.monkeypatch.setenv("EXPECTED_HOST", "nobody-is-ready")

    class Hasty(House):
        def launch(self, name, **options):
            super().launch(name, **options)
            if name == "web":
                stage.monkeypatch.setattr(runner, "READY_SECONDS", 1)

    stage.monkeypatch.setattr(runner, "House", Hasty)
    code, said = stage.play("never")

    assert code == 1
    assert "Getting ready took longer than 1 seconds" in said


def test_a_signal_during_a_step_is_heard(stage):
    stage.monkeypatch.setenv("ENDLESS", "collectstatic")

    class Impatient(House):
        def launch(self, name, **options):
            super().launch(name, **options)
            if name == "collectstatic":
                stop()

    stage.monkeypatch.setattr(runner, "House", Impatient)
    code, said = stage.play("never")

    assert code == 0
    assert "Stopping" in said


def test_nohup_outlives_the_terminal(stage):
    stopping = threading.Event()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    runner.stop_at_signals(stopping)
    os.kill(os.getpid(), signal.SIGHUP)
    assert not stopping.is_set()

    os.kill(os.getpid(), signal.SIGTERM)
    assert stopping.is_set()


def test_a_taken_port_is_refused(stage):
    with socket.create_server(("127.0.0.1", 0)) as other:
        stage.monkeypatch.setenv("PORT", str(other.getsockname()[1]))

        code, said = stage.play("never")

    assert code == 1
    assert "is taken by another program" in said


def test_the_embedded_database_runs_along_and_its_death_ends_the_run(stage, folder):
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        stage.monkeypatch.delenv(name)

    code, said = stage.play(
        "Almoner is running", then=lambda house: house.server.process.send_signal(signal.SIGKILL)
    )

    assert code == 1
    assert "The database died" in said


def test_a_database_elsewhere_is_named(stage, folder):
    elsewhere = postgres.Server(Path("/var/lib/almoner-x"), folder, {})
    around = surroundings.surroundings()

    assert "/var/lib/almoner-x  (its user" in runner.welcome(around, elsewhere)
    beside = postgres.Server(around.data_dir.resolve() / "postgres", folder, {})
    assert "its user" not in runner.welcome(around, beside)


def test_a_changed_static_file_is_noticed(stage, folder):
    (folder / "static").mkdir()
    (folder / "requirements.txt").write_text("")
    stage.monkeypatch.setattr(runner, "BASE_DIR", folder)
    before = runner.static_stamp()

    (folder / "static/site.css").write_text("b { color: red }")

    assert runner.static_stamp() != before


def test_the_module_is_a_program(program):
    said, _ = (started := program("-m", "config.runner")).communicate(timeout=20)

    assert started.returncode == 2
    assert said.startswith("usage: python -m config.runner")


@pytest.mark.parametrize("arguments", [[], ["walk"], ["shell"], ["run", "fast"]])
def test_other_commands_are_answered_with_the_usage(stage, arguments):
    assert runner.main(arguments) == 2
    assert "usage:" in stage.capfd.readouterr().err


def test_under_make_the_runner_ends_with_make(stage):
    asked = []
    stage.monkeypatch.setenv("MAKELEVEL", "1")
    stage.monkeypatch.setattr(processes, "die_with_parent", lambda *each: asked.append(each))

    runner.main([])

    assert asked == [(signal.SIGTERM, os.getppid())]


def test_shell_runs_a_command_in_our_surroundings(stage):
    code = runner.main(
        ["shell", "-m", "tests.config.stand_in", "anything", "with spaces"],
    )

    assert code == 0
    assert stage.calls() == ["anything with spaces"]
    assert stage.capfd.readouterr().out == ""


def test_shell_gives_the_commands_own_exit_code(stage):
    assert runner.main(["shell", "sh", "-c", "exit 3"]) == 3
    assert runner.main(["shell", "sh", "-c", "kill -9 $$"]) == 137
    assert runner.main(["shell", "no_such_program"]) == 1
    assert runner.main(["shell", "no_such_program.py"]) == 2


def test_shell_hands_on_the_signals_that_the_terminal_does_not(stage):
    heard = []

    class Child:
        send_signal = heard.append

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        runner.pass_on(Child, number, None)

    assert heard == [signal.SIGTERM, signal.SIGHUP]


def test_a_killed_run_leaves_nothing_behind_and_the_next_one_starts(stage, folder, program, until):
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        stage.monkeypatch.delenv(name)
    script = (
        "import sys; from config import runner, surroundings\n"
        "from pathlib import Path\n"
        f"surroundings.BASE_DIR = Path({str(stage.data_dir.parent)!r})\n"
        f"runner.STATIC_ROOT = Path({str(folder / 'staticfiles')!r})\n"
        f"runner.MANAGE = {STAND_IN!r}; runner.WEB = [*runner.MANAGE, 'web']\n"
        "sys.exit(runner.main(['run']))\n"
    )
    run = program("-c", script)
    until(lambda: "Almoner is running" in run.stdout.readline())
    family = children_of(run.pid)
    assert len(family) == 5  # the database, the sandbox, the witness, the web server, the worker

    run.send_signal(signal.SIGKILL)

    until(lambda: not any(map(processes.is_alive, family)))
    again = program("-c", script)
    until(lambda: "Almoner is running" in again.stdout.readline())
    refused = program("-c", script)
    said, _ = refused.communicate(timeout=20)
    assert refused.returncode == 1
    assert f"already runs on {stage.data_dir} (process {again.pid})" in said
    again.send_signal(signal.SIGTERM)
    assert again.wait(20) == 0


def children_of(pid):
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_witness_that_has_said_nothing_yet_is_waited_for(tmp_path):
    log = tmp_path / "witness.log"
    log.write_text("")
    house = SimpleNamespace(around=None, log=lambda _name: log)

    assert not runner.trust_witness(house)
