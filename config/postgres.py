"""An embedded PostgreSQL under DATA_DIR: its server lives as long as the program that runs it."""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from config import processes
from config.postgres_home import (
    APPLICATION,
    OWNER,
    SUPERUSER,
    Home,
    PostgresError,
    make_home,
    make_socket_folder,
    stored_passwords,
    version_of,
    write_private,
)

DATABASE = "almoner"
START_SECONDS = 60
STOP_SECONDS = 30
# Nothing around us may change the server's mind: no PGPORT, no locale, no time zone.
SERVER_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC"}


class AlreadyRunning(PostgresError):
    """Another process uses this DATA_DIR."""


@dataclass(frozen=True)
class Server:
    """A running server: the folder of its files, the folder of its socket, its passwords."""

    folder: Path
    socket_folder: Path
    passwords: dict[str, str]
    process: processes.Process | None = None

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.folder / "postgres.log"

    @property
    def has_ended(self) -> bool:
        """Whether the server that we started is gone."""
        return self.process is not None and self.process.poll() is not None

    def url(self, role: str = APPLICATION, database: str = DATABASE) -> str:
        """Return a connection URL that libpq and django-environ read alike."""
        host = quote(str(self.socket_folder))
        return f"postgresql://{role}:{self.passwords[role]}@/{database}?host={host}&port=5432"


@contextmanager
def running(data_dir: Path, *, settings: Sequence[str] = ()) -> Iterator[Server]:
    """
    Run the database of `data_dir`, made first where there is none; stop it at the end.

    `settings` are further server settings (`name=value`). Raises `AlreadyRunning`, `PostgresError`.
    """
    with locked(data_dir) as lock:
        home = make_home(data_dir)
        passwords = stored_passwords(home.folder)
        make_cluster(home, passwords[SUPERUSER])
        socket_folder = make_socket_folder(home)
        process = start(home, socket_folder, lock, settings)
        server = Server(home.folder, socket_folder, passwords, process)
        try:
            wait_until_ready(server)
            make_roles(server)
            make_database(server, DATABASE)
            yield server
        finally:
            stop(process)
            shutil.rmtree(socket_folder, ignore_errors=True)


def attach(data_dir: Path) -> Server:
    """Return the server that another process runs for `data_dir`, once it answers."""
    folder = data_dir.resolve() / "postgres"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            socket_folder = (folder / "cluster/postmaster.pid").read_text().splitlines()[4]
            server = Server(folder.resolve(), Path(socket_folder), stored_passwords(folder))
            psycopg.connect(server.url()).close()
        except (FileNotFoundError, IndexError, psycopg.OperationalError):
            time.sleep(0.05)
        else:
            return server
    raise PostgresError(f"The database of {data_dir} does not answer.")


@contextmanager
def locked(data_dir: Path) -> Iterator[int]:
    """
    Claim `data_dir` for this process.

    The server inherits the lock, so it is free only when both are gone: who comes after a killed
    run waits for its server to finish, and so does who comes after a killed server.
    """
    if not data_dir.exists():
        data_dir.mkdir(parents=True)
        data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)
    lock = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        claim(lock, data_dir)
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        try:
            yield lock
        finally:
            os.ftruncate(lock, 0)
    finally:
        os.close(lock)


def claim(lock: int, data_dir: Path) -> None:
    """Take the lock, or name the process that has it."""
    deadline = time.monotonic() + STOP_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = int(os.pread(lock, 20, 0) or 0)
            if (holder and processes.is_alive(holder)) or time.monotonic() > deadline:
                raise AlreadyRunning(
                    f"Almoner already runs on {data_dir} (process {holder}). "
                    "Stop that one first, or choose another DATA_DIR."
                ) from None
            time.sleep(0.05)
        else:
            return


def make_cluster(home: Home, password: str) -> None:
    """Make the cluster if there is none; refuse one of another major version."""
    if home.cluster.exists():
        check_version(home)
        return
    unfinished, password_file = home.folder / "cluster.new", home.folder / "initdb-password"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    write_private(password_file, password)
    home.give(unfinished)
    home.give(password_file)
    try:
        initialise(home, unfinished, password_file)
    finally:
        password_file.unlink()
    unfinished.rename(home.cluster)


def initialise(home: Home, cluster: Path, password_file: Path) -> None:
    """Run initdb: UTF-8, the same order on every machine, checksums, passwords always."""
    command: list[str | Path] = [home.binaries / "initdb", "-D", cluster, "-U", SUPERUSER]
    command += ["-E", "UTF8", "--locale=C", "--locale-provider=builtin"]
    command += ["--builtin-locale=C.UTF-8", "--data-checksums"]
    command += ["--auth=scram-sha-256", f"--pwfile={password_file}"]
    if run(home, command).wait() != 0:
        raise PostgresError(f"The database could not be made:\n{processes.tail(home.log)}")


def run(home: Home, command: Sequence[str | Path], **options: object) -> processes.Process:
    """Start one of the server's programs as the server's user, with its log."""
    return processes.start(
        command,
        folder=home.folder,
        environment=SERVER_ENVIRONMENT,
        log=home.log,
        orphaned=signal.SIGINT,  # to the server: a fast but clean shutdown
        **home.run_as,
        **options,
    )


def check_version(home: Home) -> None:
    """Refuse a cluster of another major version: only its own programs can read it."""
    made_by = (home.cluster / "PG_VERSION").read_text().strip()
    major = version_of(home.binaries).split(".", maxsplit=1)[0]
    if made_by != major:
        raise PostgresError(
            f"{home.cluster} was made by PostgreSQL {made_by}; this is PostgreSQL {major}, which "
            f"cannot read it. Start the Almoner of that time, save the database with pg_dump "
            f"{made_by} and load it into another DATA_DIR; or begin anew with another DATA_DIR."
        )


def start(home: Home, socket_folder: Path, lock: int, settings: Sequence[str]) -> processes.Process:
    """Start the server on its socket alone, durable; it ends when this process does."""
    quoted = str(socket_folder).replace('"', '""')
    fixed = [
        "listen_addresses=",
        "port=5432",
        f'unix_socket_directories="{quoted}"',
        "unix_socket_permissions=0700",
        "fsync=on",
        "synchronous_commit=on",
        "full_page_writes=on",
        "timezone=UTC",
        # What is refused is told to the program, which knows what may be logged; the server would
        # quote whole rows and statements.
        "log_error_verbosity=terse",
        "log_min_error_statement=panic",
    ]
    options = [word for setting in (*fixed, *settings) for word in ("-c", setting)]
    command = [str(home.binaries / "postgres"), "-D", str(home.cluster), *options]
    return run(home, command, pass_fds=[lock])


def wait_until_ready(server: Server) -> None:
    """Wait until the server answers, also when it has a crash to recover from."""
    deadline = time.monotonic() + START_SECONDS
    while not server.has_ended and time.monotonic() < deadline:
        try:
            psycopg.connect(server.url(SUPERUSER, "postgres")).close()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return
    raise PostgresError(f"The database did not start:\n{processes.tail(server.log)}")


def stop(process: processes.Process) -> None:
    """Shut the server down cleanly; at once if that takes too long (it recovers at next start)."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)
        process.wait()


def make_roles(server: Server) -> None:
    """Make the two roles, neither of which may do more than its work; mend them if they exist."""
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        for role in (OWNER, APPLICATION):
            if role not in known:
                connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
            connection.execute(
                sql.SQL(
                    "ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION "
                    "NOBYPASSRLS PASSWORD {}"
                ).format(sql.Identifier(role), server.passwords[role])
            )
        connection.execute("REVOKE ALL ON DATABASE postgres FROM PUBLIC")


def make_database(server: Server, name: str, template: str = "template1") -> None:
    """Make a database where the owner makes tables and the application makes nothing at all."""
    names = {
        "database": sql.Identifier(name),
        "template": sql.Identifier(template),
        "owner": sql.Identifier(OWNER),
        "application": sql.Identifier(APPLICATION),
    }
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        query = "SELECT 1 FROM pg_database WHERE datname = %s"
        if connection.execute(query, [name]).fetchone() is None:
            statement = "CREATE DATABASE {database} OWNER {owner} TEMPLATE {template}"
            connection.execute(sql.SQL(statement).format(**names))
        for statement in (
            "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
            "GRANT CONNECT ON DATABASE {database} TO {application}",
        ):
            connection.execute(sql.SQL(statement).format(**names))
    with psycopg.connect(server.url(SUPERUSER, name), autocommit=True) as connection:
        connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {application}").format(**names))
