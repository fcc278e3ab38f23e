"""`python -m bench` at a tiny scale, on a database of its own: it runs, and names its figures."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from config import postgres
from config.postgres_home import APPLICATION, OWNER
from tests.database import running_server
from tests.database_fixtures import TEMPLATE, drop_database

ROOT = Path(__file__).resolve().parents[2]
WAYS = ("append", "bare_insert", "bare_unnest", "bare_copy")
DATABASE = "scratch_of_the_bench"


@pytest.fixture(scope="module")
def bench(django_db_setup):
    """Return what runs the bench on a fresh ledger; nothing of it stays."""
    server = running_server()
    postgres.make_database(server, DATABASE, TEMPLATE)
    urls = {
        "DATABASE_URL": server.url(APPLICATION, DATABASE),
        "DATABASE_OWNER_URL": server.url(OWNER, DATABASE),
    }

    def run(*arguments):
        command = [sys.executable, "-m", "bench", *arguments]
        environment = {**os.environ, **urls}
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )

    yield run
    for name in (DATABASE, "bench", "bench_seed"):
        drop_database(server, name)


def test_a_quick_run_writes_every_figure_of_its_section(bench, tmp_path):
    file = tmp_path / "latest.json"

    done = bench("append", "--quick", "--output", str(file))

    assert done.returncode == 0, done.stderr
    told = json.loads(file.read_text())
    names = {f"{way}_{size}_per_s" for way in WAYS for size in (1, 100, 1000)}
    names |= {
        "fsync_per_s",
        "append_1_eight_writers_per_s",
        "append_1_eight_books_per_s",
        "seal_per_s",
        "seed_per_s",
    }
    assert told["figures"].keys() == names
    assert all(figure["value"] > 0 for figure in told["figures"].values())
    assert {"append_1000_vs_bare", "append_1_vs_bare", "append_1000_vs_seed"} <= told[
        "ratios"
    ].keys()
    assert {"platform", "cores", "postgresql", "fsync", "synchronous_commit"} <= told[
        "machine"
    ].keys()
    assert told["is_quick"]
    assert "append_1000_per_s" in done.stdout


def test_figures_are_never_taken_without_durability(bench, tmp_path):
    done = bench("append", "--output", str(tmp_path / "latest.json"))

    assert done.returncode == 1
    assert "Only a durable database is measured" in done.stderr
    assert not (tmp_path / "latest.json").exists()
