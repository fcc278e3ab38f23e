"""In a database that was never analyzed, no entry costs a reading of its book (PostgreSQL ≥ 18)."""

import re
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connections

from config import postgres
from config.postgres_home import OWNER
from tests.database import running_server
from tests.ledger.pen import Pen

KEY = (
    "SELECT 1 FROM ONLY ledger_entry AS x WHERE organisation_id = $1::text AND book = $2::text "
    "AND sequence = $3::bigint AND entry_hash = $4::text FOR KEY SHARE OF x"
)
BEGIN = "SELECT ledger_begin_v1(%s, %s, %s, '', '')"
BODY = "SELECT prosrc, proconfig FROM pg_proc WHERE proname = 'ledger_begin_v1'"
NONCES = re.compile(r"ARRAY\((.*?)\);", re.DOTALL)
SCANS = (
    "SELECT relname, seq_scan FROM pg_stat_xact_user_tables "
    "WHERE relname IN ('ledger_account', 'ledger_book')"
)
READ = (
    "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables "
    "WHERE relname = 'ledger_entry'"
)


@pytest.fixture
def new_pen(django_db_setup) -> Iterator[Pen]:
    """A pen in a database as migrations leave it, that nothing has ever analyzed."""
    # pytest wants to load this module itself, after this one.
    from tests.database_fixtures import TEMPLATE, drop_database

    server = running_server()
    name = f"{connections['default'].settings_dict['NAME']}_new"
    postgres.make_database(server, name, TEMPLATE)
    try:
        with psycopg.connect(server.url(OWNER, name), autocommit=True) as connection:
            if connection.info.server_version < 180_000:
                pytest.skip("only from PostgreSQL 18 on can it be told before")
            connection.execute("BEGIN")
            pen = Pen(connection)
            sizes = "SELECT reltuples FROM pg_class WHERE relname = 'ledger_entry'"
            assert connection.execute(sizes).fetchone() == (-1,)
            yield pen
    finally:
        drop_database(server, name)


def indexes_of(plan: dict) -> set[str]:
    """Return the names of what a plan reads: indexes, or `everything`."""
    below = set().union(*map(indexes_of, plan.get("Plans", [])))
    is_scan = "Scan" in plan["Node Type"] and "Relation Name" in plan
    return below | ({plan.get("Index Name", "everything")} if is_scan else set())


def generic_plan_of(pen: Pen, statement: str) -> set[str]:
    found = pen.execute(f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {statement}").fetchone()
    return indexes_of(found[0][0]["Plan"])


def test_the_predecessor_of_an_entry_is_found_by_its_key(new_pen):
    assert generic_plan_of(new_pen, KEY) == {"entry_hash_stands_once"}


def test_a_nonce_is_found_by_its_key(new_pen):
    body, settings = new_pen.execute(BODY).fetchone()
    [statement] = NONCES.findall(body)
    for name, number in {"organisation": 1, "name": 2, "nonces": 3}.items():
        statement = re.sub(rf"(?<![.\w]){name}\b", f"${number}::text", statement)
    for setting in settings:
        name, _, value = setting.partition("=")
        new_pen.execute(f"SET LOCAL {name} = {value}")

    assert generic_plan_of(new_pen, statement) == {"entry_nonce_is_new"}


def test_the_first_thousand_entries_are_not_read_again_for_each(new_pen):
    rows = [new_pen.row()]
    for _ in range(999):
        rows.append(new_pen.following(rows[-1]))

    for start in range(0, 1000, 100):
        batch = rows[start : start + 100]
        nonces = "\n".join(row["nonce"] for row in batch)
        new_pen.connection.execute(BEGIN, [new_pen.organisation, "public", nonces])
        new_pen.copy(*batch)

    assert new_pen.head()[0] == 1003
    [read] = new_pen.execute(READ).fetchone()
    assert read <= 2 * 1003


def test_accounts_and_heads_are_found_by_their_keys_also_while_they_are_few(new_pen):
    # Plans are kept: what is cheapest in a small table would be used in a large one.
    new_pen.execute("ANALYZE ledger_account, ledger_book, ledger_entry")
    before = new_pen.execute(SCANS).fetchall()

    for name in ("fund:one", "fund:two"):
        accounts = f"stripe\n{name}"
        opened = [new_pen.organisation, "public", "new\nnonce-1", "EUR\nEUR", accounts]
        new_pen.connection.execute("SELECT ledger_begin_v1(%s, %s, %s, %s, %s)", opened)
        new_pen.write(new_pen.row(credit=name))

    assert new_pen.execute(SCANS).fetchall() == before
