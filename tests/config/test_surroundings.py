import json
import os
import socket
from types import SimpleNamespace

import psycopg
import pytest

from config import postgres, surroundings
from config.surroundings import Refusal, Surroundings

NAMES = ["DATA_DIR", "DATABASE_URL", "DATABASE_OWNER_URL", "STRIPE_API_BASE", "SECRET_KEY"]
NAMES += ["LEDGER_KEY_SECRET", "STRIPE_WEBHOOK_SECRETS", "STRIPE_SECRET_KEY", "PORT", "DEMO"]
NAMES += ["BASE_URL", "LISTEN_HOST"]


@pytest.fixture
def empty(monkeypatch, tmp_path):
    """An environment without anything of ours, and a `.env` to write."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(surroundings, "BASE_DIR", tmp_path)
    yield tmp_path / ".env"
    for name in NAMES:
        os.environ.pop(name, None)


def around(tmp_path, **environment):
    tmp_path.mkdir(exist_ok=True)
    return Surroundings(environment, tmp_path, 8000, uses_sandbox=True)


def test_everything_has_a_default(empty):
    found = surroundings.surroundings()

    assert found.data_dir == empty.parent / ".data"
    assert (found.port, found.host, found.uses_sandbox) == (8000, "127.0.0.1", True)
    assert (found.base_url, found.base_host) == ("http://localhost:8000", "localhost:8000")
    assert found.address == "http://127.0.0.1:8000"
    assert found.environment["DATA_DIR"] == str(found.data_dir)
    assert found.wants_demo


def test_the_environment_comes_before_the_file(empty, monkeypatch):
    empty.write_text("PORT=8001\nBASE_URL=https://give.example/\nDEMO=off\nLISTEN_HOST=0.0.0.0\n")
    monkeypatch.setenv("PORT", "8002")

    found = surroundings.surroundings()

    assert found.port == 8002
    assert (found.base_url, found.base_host) == ("https://give.example", "give.example")
    assert (found.host, found.address) == ("0.0.0.0", "http://127.0.0.1:8002")
    assert not found.wants_demo


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "\uff18\uff10", "8000 "])
def test_a_port_is_a_number(empty, monkeypatch, port):
    monkeypatch.setenv("PORT", port)

    with pytest.raises(Refusal, match="PORT must be"):
        surroundings.surroundings()


@pytest.mark.parametrize(
    ("given", "uses_sandbox"),
    [
        ({}, True),
        ({"STRIPE_SECRET_KEY": ""}, True),
        ({"STRIPE_SECRET_KEY": "sk_test_sandbox"}, True),
        ({"STRIPE_SECRET_KEY": "sk_test_1"}, False),
        ({"STRIPE_API_BASE": "http://127.0.0.1:1"}, False),
    ],
)
def test_the_sandbox_plays_stripe_only_where_there_is_none(empty, monkeypatch, given, uses_sandbox):
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    found = surroundings.surroundings()
    found.data_dir.mkdir()
    surroundings.fill_in_secrets(found)

    assert found.uses_sandbox == found.wants_demo == uses_sandbox
    assert ("STRIPE_WEBHOOK_SECRETS" in found.environment) == uses_sandbox


def test_the_sandbox_and_we_reach_each_other_past_proxies_and_host_lists(empty, monkeypatch):
    for name in ("NO_PROXY", "no_proxy", "ALLOWED_HOSTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    assert surroundings.surroundings().environment["NO_PROXY"] == "127.0.0.1"
    assert "ALLOWED_HOSTS" not in surroundings.surroundings().environment

    monkeypatch.setenv("NO_PROXY", "intern.example")
    monkeypatch.setenv("ALLOWED_HOSTS", "give.example")
    found = surroundings.surroundings().environment

    assert found["no_proxy"] == found["NO_PROXY"] == "intern.example,127.0.0.1"
    assert found["ALLOWED_HOSTS"] == "give.example,127.0.0.1"


@pytest.mark.parametrize(
    ("stripe", "given", "asked"),
    [(None, None, "0"), (None, "1", "1"), ("sk_test_real", None, None), ("sk_live_x", None, None)],
)
def test_passwords_suffice_where_the_sandbox_plays_stripe(empty, monkeypatch, stripe, given, asked):
    for name, value in (("STRIPE_SECRET_KEY", stripe), ("REQUIRE_SECOND_FACTOR", given)):
        monkeypatch.delenv(name, raising=False)
        if value:
            monkeypatch.setenv(name, value)

    assert surroundings.surroundings().environment.get("REQUIRE_SECOND_FACTOR") == asked


def test_secrets_are_made_once_and_kept_for_ourselves(tmp_path):
    first, second = around(tmp_path), around(tmp_path)

    surroundings.fill_in_secrets(first)
    surroundings.fill_in_secrets(second)

    assert first.environment == second.environment
    assert len(set(first.kept.values())) == 4
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_given_secrets_win(tmp_path):
    given = {"SECRET_KEY": "a", "LEDGER_KEY_SECRET": "b", "STRIPE_WEBHOOK_SECRETS": "c,d"}
    found = around(tmp_path, **given)

    surroundings.fill_in_secrets(found)

    assert found.environment.items() >= given.items()


def test_the_sandboxs_port_is_kept_so_that_its_links_stay_good(tmp_path):
    first, second = around(tmp_path), around(tmp_path)
    surroundings.fill_in_secrets(first)

    first.point_to_sandbox("http://127.0.0.1:4242")
    surroundings.fill_in_secrets(second)

    assert json.loads((tmp_path / "secrets.json").read_text())["sandbox_port"] == "4242"
    assert second.environment["STRIPE_API_BASE"] == first.environment["STRIPE_API_BASE"]


@pytest.mark.parametrize("name", ["DATABASE_URL", "DATABASE_OWNER_URL"])
def test_half_a_database_is_refused(tmp_path, name):
    with (
        pytest.raises(Refusal, match="or neither"),
        surroundings.database(around(tmp_path, **{name: "postgresql://"})),
    ):
        pass


def test_the_operators_database_is_used_and_one_run_has_the_folder(tmp_path):
    urls = {name: os.environ[name] for name in ("DATABASE_URL", "DATABASE_OWNER_URL")}
    first, second = around(tmp_path, **urls), around(tmp_path, **urls)

    with surroundings.database(first) as server:
        assert server is None
        with pytest.raises(postgres.AlreadyRunning), surroundings.database(second):
            pass
        with surroundings.database(second, shared=True) as shared:
            assert shared is None

    assert first.environment == urls


def test_the_embedded_database_is_shared_while_it_is_up(folder):
    first, second, third = (around(folder / "data") for _ in range(3))

    with surroundings.database(first) as server:
        with surroundings.database(second, shared=True) as attached:
            assert attached.url() == server.url()
        with pytest.raises(postgres.AlreadyRunning), surroundings.database(third):
            pass
    assert first.environment == second.environment
    assert set(first.environment) == {"DATABASE_URL", "DATABASE_OWNER_URL"}


def test_one_role_for_everything_is_refused():
    url = os.environ["DATABASE_URL"]

    with pytest.raises(Refusal, match="both sign in as 'almoner'"):
        surroundings.check_operators_database(url, url)


def test_a_superuser_is_refused():
    with pytest.raises(Refusal, match="'postgres', a superuser"):
        surroundings.role_of("DATABASE_URL", os.environ["TEST_SUPERUSER_URL"])


def test_a_database_that_does_not_answer_is_refused():
    with pytest.raises(Refusal, match="DATABASE_URL does not work"):
        surroundings.role_of("DATABASE_URL", "postgresql://x@/x?host=/nowhere")


def test_an_old_database_is_refused(monkeypatch):
    class Old:
        info = SimpleNamespace(server_version=140_012)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def execute(self, _):
            return SimpleNamespace(fetchone=lambda: ("almoner", False))

    monkeypatch.setattr(psycopg, "connect", lambda *_, **__: Old())

    with pytest.raises(Refusal, match="PostgreSQL 14; 15 is the oldest"):
        surroundings.role_of("DATABASE_URL", "")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_taken_port_is_refused(tmp_path, host):
    found = around(tmp_path, LISTEN_HOST=host)
    with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else 2) as other:
        found.port = other.getsockname()[1]

        with pytest.raises(Refusal, match=f"PORT={found.port + 1} make run"):
            surroundings.refuse_taken_port(found)

    surroundings.refuse_taken_port(found)
