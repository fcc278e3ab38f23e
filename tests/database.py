"""
The tests' database: one embedded PostgreSQL for the whole run, before Django reads its settings.

`-p tests.database` in pyproject.toml loads this; a conftest.py would be too late. The process that
was called as pytest starts the server; the workers of xdist inherit its address. The fixtures are
in `tests/database_fixtures.py`.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from config import postgres
from config.postgres_home import OWNER, SUPERUSER

FOLDER = "ALMONER_TEST_FOLDER"  # its presence tells a worker that the server is there
# Real in everything but this: nobody needs the tests' data after the machine has lost power.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")
SURROUNDINGS = {
    "APPLICANTS_WEBSITES_ARE_ASKED": "0",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "BASE_URL": "http://localhost:8000",
    "DEBUG": "0",
    "DEFAULT_FROM_EMAIL": "",
    "SUPPORT_EMAIL": "",
    "DEMO": "0",
    "EMAIL_URL": "memorymail://",
    "LEDGER_HOST": "ledger.example",
    "LEDGER_KEY_SECRET": "test-ledger-key-secret-of-a-fair-length-0123456789",
    "LEDGER_TIMESTAMP_URL": "",
    "LEDGER_WITNESS_POLICY": "",
    "LOG_LEVEL": "WARNING",
    "MAIL_TEMPLATES_DIR": "",
    "PORT": "8000",
    "SANCTIONS_MAX_AGE_DAYS": "7",
    "SANCTION_LISTS": "",
    "SECRET_KEY": "test-secret-key-of-a-fair-length-0123456789-0123456789",
    "STRIPE_API_BASE": "",
    "STRIPE_CLIENT_ID": "",
    "STRIPE_SECRET_KEY": "",
    "STRIPE_WEBHOOK_ALLOWED_IPS": "",
    "STRIPE_WEBHOOK_SECRETS": "whsec_test_current,whsec_test_previous",
    "YENTE_URL": "",
}


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Set the environment: first of all, for pytest-django reads the settings in this hook."""
    if FOLDER not in os.environ:
        stack = ExitStack()
        early_config.add_cleanup(stack.close)
        stack.enter_context(served())
    yield


def pytest_configure(config: pytest.Config) -> None:
    """Add the fixtures; after pytest-django, whose `django_db_setup` they replace."""
    config.pluginmanager.import_plugin("tests.database_fixtures")


@contextmanager
def open_folder() -> Iterator[Path]:
    """
    Provide a folder for a DATA_DIR named `data`, gone at the end with the database in it.

    pytest's own folders are closed to others: root's server could not live there.
    """
    folder = Path(tempfile.mkdtemp(prefix="almoner-tests-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        data = folder / "data"
        if data.exists():
            with postgres.locked(data):  # also the server of a killed program has ended
                elsewhere = (data / "postgres").resolve()
            if folder.resolve() not in elsewhere.parents:
                shutil.rmtree(elsewhere)
        shutil.rmtree(folder)


@contextmanager
def served() -> Iterator[None]:
    """Run the server and describe it in the environment, for us and for what we start."""
    with open_folder() as folder, postgres.running(folder / "data", settings=FAST) as server:
        os.environ.update(SURROUNDINGS)
        os.environ["DATA_DIR"] = str(folder / "data")
        # Nobody collects the static files for the tests: they are taken from where they are.
        (folder / "static").mkdir()
        os.environ["STATIC_ROOT"] = str(folder / "static")
        os.environ["DATABASE_URL"] = server.url()
        os.environ["DATABASE_OWNER_URL"] = server.url(OWNER)
        os.environ["TEST_SUPERUSER_URL"] = server.url(SUPERUSER, "postgres")
        os.environ[FOLDER] = str(folder)
        yield
        del os.environ[FOLDER]


def running_server() -> postgres.Server:
    """Return the server of this test run."""
    return postgres.attach(Path(os.environ[FOLDER], "data"))
