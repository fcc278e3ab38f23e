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

PROMISES = ("calm", "p95_calm", "attacked", "p95_attacked")
ROOT = Path(__file__).resolve().parents[2]
WAYS = ("append", "bare_insert", "bare_unnest", "bare_copy")
DATABASE = "scratch_of_the_bench"
DESKS = ("bench_desk_1k", "bench_desk_100k")


@pytest.fixture(scope="module")
def bench(django_db_setup):
    """Return what runs the bench on a fresh ledger; nothing of it stays."""
    server = running_server()
    for name in (DATABASE, *DESKS):
        postgres.make_database(server, name, TEMPLATE)
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
    for name in (DATABASE, *DESKS, "bench", "bench_seed"):
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


def test_a_quick_run_opens_desks_and_lets_one_form_be_attacked(bench, tmp_path):
    file = tmp_path / "latest.json"

    done = bench("desk", "attack", "--quick", "--output", str(file))

    assert done.returncode == 0, done.stderr
    told = json.loads(file.read_text())
    pages = [f"queue_{tab}" for tab in ("mine", "open", "put_off", "decided")] + ["case"]
    desks = {f"{page}_{size}_ms" for page in (*pages, "figures") for size in ("1k", "100k")}
    promises = {f"promise_{which}_ms" for which in PROMISES}
    attack = {"attack_answered_per_s", "attack_checkouts", "attack_cases"}
    assert told["figures"].keys() == desks | promises | attack
    assert told["ratios"].keys() == {
        *(f"{page}_100k_vs_1k" for page in pages),
        "promise_attacked_vs_calm",
        "promise_p95_attacked_vs_calm",
    }
    # Below the limit of a minute, whoever tries; and never more than one case.
    assert 0 < told["figures"]["attack_checkouts"]["value"] <= 29
    assert told["figures"]["attack_cases"]["value"] in {0, 1}


def test_figures_are_never_taken_without_durability(bench, tmp_path):
    done = bench("append", "--output", str(tmp_path / "latest.json"))

    assert done.returncode == 1
    assert "Only a durable database is measured" in done.stderr
    assert not (tmp_path / "latest.json").exists()
