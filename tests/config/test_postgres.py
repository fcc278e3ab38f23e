import fcntl
import os
import pwd
import signal
import subprocess
from pathlib import Path

import environ
import psycopg
import pytest

from config import postgres, postgres_home, processes
from config.postgres_home import OWNER, PostgresError
from tests.database import open_folder

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes users")
LAUNCHER = """
import sys, time
from pathlib import Path
from config import postgres
try:
    with postgres.running(Path(sys.argv[1])) as server:
        print("up", server.process.pid)
        time.sleep(600)
except postgres.AlreadyRunning as refusal:
    print(refusal)
"""


def ask(url, query):
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query).fetchone()[0]


def listening_ports(pid):
    inodes = {os.readlink(file) for file in Path(f"/proc/{pid}/fd").iterdir()}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            if f"socket:[{line.split()[9]}]" in inodes:
                yield line


@pytest.fixture(scope="module")
def server():
    """A server that the tests of this file only look at."""
    with open_folder() as folder, postgres.running(folder / "data") as server:
        yield server


def test_the_server_is_durable_and_speaks_one_language(server):
    wanted = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "password_encryption": "scram-sha-256",
        "TimeZone": "UTC",
    }

    assert {name: ask(server.url(), f"SHOW {name}") for name in wanted} == wanted
    assert ask(server.url(), "SELECT 'b' COLLATE \"default\" > 'B' AND upper('ä') = 'Ä'")


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks into /proc")
def test_the_server_listens_on_no_port(server):
    assert ask(server.url(), "SHOW listen_addresses") == ""
    assert list(listening_ports(server.process.pid)) == []


def test_others_reach_neither_the_socket_nor_the_passwords(server):
    assert server.socket_folder.stat().st_mode & 0o777 == 0o700
    assert (server.folder / "cluster").stat().st_mode & 0o777 == 0o700
    assert (server.folder / "passwords.json").stat().st_mode & 0o777 == 0o600
    assert server.log.stat().st_mode & 0o777 == 0o600
    assert not (server.folder / "initdb-password").exists()


def test_a_wrong_password_opens_nothing(server):
    for role, password in server.passwords.items():
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(server.url(role).replace(password, "wrong"))


@pytest.mark.parametrize(
    "attempt",
    [
        "CREATE TABLE mine ()",
        "CREATE TEMPORARY TABLE mine ()",
        "CREATE SCHEMA mine",
        "CREATE DATABASE mine",
        "CREATE ROLE mine",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql RETURN 1",
        "ALTER SYSTEM SET fsync = off",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        f"SET ROLE {OWNER}",
        "SET session_replication_role = replica",
    ],
)
def test_the_application_may_make_nothing(server, attempt):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(server.url(), attempt)


def test_the_application_reaches_no_other_database(server):
    with pytest.raises(psycopg.OperationalError, match="does not have CONNECT"):
        psycopg.connect(server.url(database="postgres"))


def test_the_owner_makes_tables_and_no_more(server):
    with psycopg.connect(server.url(OWNER)) as connection:
        connection.execute("CREATE TABLE owned ()")
        connection.rollback()
        for attempt in ("CREATE ROLE mine", "SET session_replication_role = replica"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(attempt)
            connection.rollback()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(server.url(OWNER), "CREATE DATABASE mine")


def test_django_reads_the_url_as_libpq_does(server):
    description = environ.Env.db_url_config(server.url())

    assert description["ENGINE"] == "django.db.backends.postgresql"
    assert (description["NAME"], description["USER"]) == ("almoner", "almoner")
    assert description["PASSWORD"] == server.passwords["almoner"]
    assert description["OPTIONS"] == {"host": str(server.socket_folder), "port": 5432}


@pytest.mark.parametrize("name", ["data", "a b, \"c\" 'd' % é", "/".join(["deep-" + "x" * 60] * 3)])
def test_data_and_passwords_stay_wherever_they_are(folder, name):
    data_dir = folder / name
    with postgres.running(data_dir) as first, psycopg.connect(first.url(OWNER)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        connection.commit()

    with postgres.running(data_dir) as second:
        assert ask(second.url(OWNER), "SELECT number FROM kept") == 7
        assert (second.passwords, second.socket_folder) == (first.passwords, first.socket_folder)
    assert second.has_ended


def test_a_killed_program_takes_its_server_along_and_the_next_one_starts(folder, program):
    launcher = program("-c", LAUNCHER, folder / "data")
    pid = int(launcher.stdout.readline().split()[1])

    launcher.send_signal(signal.SIGKILL)
    launcher.wait()

    with postgres.running(folder / "data") as server:  # while the other is still dying
        assert not processes.is_alive(pid)
        assert ask(server.url(), "SELECT 1") == 1


def test_a_killed_server_is_noticed_and_recovers(folder, until):
    with postgres.running(folder / "data") as server:
        server.process.send_signal(signal.SIGKILL)
        until(lambda: server.has_ended)
    assert (server.folder / "cluster/postmaster.pid").exists()

    with postgres.running(folder / "data") as server:
        assert ask(server.url(), "SELECT 1") == 1


def test_of_two_that_start_together_one_is_refused(folder, program):
    launchers = [program("-c", LAUNCHER, folder / "data") for _ in range(2)]

    lines = {launcher.pid: launcher.stdout.readline() for launcher in launchers}

    [winner] = [pid for pid, line in lines.items() if line.startswith("up")]
    [refusal] = [line for line in lines.values() if not line.startswith("up")]
    assert f"already runs on {folder / 'data'} (process {winner})" in refusal


def test_a_lock_that_our_own_dead_server_still_holds_is_waited_for(folder, monkeypatch):
    with postgres.locked(folder) as lock:
        of_the_server = os.dup(lock)
    waits = []
    monkeypatch.setattr(postgres.time, "sleep", lambda _: waits.append(os.close(of_the_server)))

    with postgres.locked(folder):
        assert len(waits) == 1


def test_a_lock_that_a_dead_process_left_to_its_server_is_waited_for(folder, monkeypatch):
    monkeypatch.setattr(postgres, "STOP_SECONDS", 0.2)
    gone = subprocess.Popen(["true"])
    gone.wait()
    (folder / "lock").write_text(str(gone.pid))
    with (folder / "lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        with pytest.raises(postgres.AlreadyRunning), postgres.locked(folder):
            pass

    with postgres.locked(folder):
        assert (folder / "lock").read_text() == str(os.getpid())


def test_attaching_to_the_server_of_another_program(folder, server, monkeypatch):
    monkeypatch.setattr(postgres, "START_SECONDS", 0.2)
    attached = postgres.attach(server.folder.parent)

    assert attached.url() == server.url()
    assert not attached.has_ended
    with pytest.raises(PostgresError, match="does not answer"):
        postgres.attach(folder)


def test_a_cluster_of_another_version_is_refused_with_the_way_out(folder):
    with postgres.running(folder / "data") as server:
        version = server.folder / "cluster/PG_VERSION"
    version.write_text("12\n")

    refusal = pytest.raises(PostgresError, match=r"made by PostgreSQL 12; .* pg_dump 12")
    with refusal, postgres.running(folder / "data"):
        pass


def test_a_server_that_cannot_start_says_why(folder):
    refusal = pytest.raises(PostgresError, match='unrecognized configuration parameter "no_such"')
    with refusal, postgres.running(folder / "data", settings=["no_such=1"]):
        pass


def test_a_cluster_that_cannot_be_made_says_why_and_is_tried_anew(folder, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(PostgresError, match="could not be made"):
        patch.setattr(postgres, "SUPERUSER", "pg_forbidden")
        patch.setattr(postgres, "stored_passwords", lambda _: {"pg_forbidden": "x"})
        with postgres.running(folder / "data"):
            pass

    with postgres.running(folder / "data") as server:
        assert ask(server.url(), "SELECT 1") == 1


def test_a_server_that_is_slow_to_stop_is_stopped_at_once(folder, monkeypatch):
    monkeypatch.setattr(postgres, "STOP_SECONDS", 0)

    with postgres.running(folder / "data") as server:
        pass

    assert server.has_ended


@as_root
def test_root_keeps_the_database_where_its_server_may_go(folder):
    closed = folder / "closed"
    closed.mkdir(mode=0o700)

    with postgres.running(closed / "data") as server:
        assert closed not in server.folder.parents
        assert (closed / "data/postgres").readlink() == server.folder
        assert Path(f"/proc/{server.process.pid}").stat().st_uid == pwd.getpwnam("nobody").pw_uid
        home = server.folder
    with postgres.running(closed / "data") as server:
        assert server.folder == home

    subprocess.run(["rm", "-rf", home], check=True)
    with pytest.raises(PostgresError, match="which is gone"):
        postgres_home.make_home(closed / "data")


@as_root
def test_root_copies_programs_that_its_server_could_not_reach(folder, monkeypatch):
    closed, package = folder / "closed", postgres_home.installed_package()
    closed.mkdir(mode=0o700)
    for name in (package.name, f"{package.name}.libs"):
        (closed / name).symlink_to(package.with_name(name))
    monkeypatch.setattr(postgres_home, "installed_package", lambda: closed / package.name)

    for _ in range(2):
        with postgres.running(folder / "data") as server:
            program = Path(f"/proc/{server.process.pid}/exe").readlink()
            assert program.is_relative_to(server.folder)


@as_root
def test_root_runs_a_cluster_as_its_owner(folder):
    daemon = pwd.getpwnam("daemon")
    with postgres.running(folder / "data") as server:
        cluster = server.folder / "cluster"
    for path in (cluster, *cluster.rglob("*")):
        os.chown(path, daemon.pw_uid, daemon.pw_gid, follow_symlinks=False)

    with postgres.running(folder / "data") as server:
        assert Path(f"/proc/{server.process.pid}").stat().st_uid == daemon.pw_uid
