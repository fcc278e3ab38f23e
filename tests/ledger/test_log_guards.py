"""The log's tables only grow, whoever asks and however; by raw SQL."""

from collections.abc import Iterator

import psycopg
import pytest

from config.postgres_home import SUPERUSER
from tests.ledger.pen import Pen

FORBIDDEN = "42501"
RESTRICTED = "23001"
CHECKED = "23514"
UNIQUE = "23505"
LEAF = f"'\\x{'ab' * 32}'::bytea"
NOTE = f"'log' || chr(10) || 3 || chr(10) || encode({LEAF}, 'base64') || chr(10)"
LOG = "INSERT INTO ledger_log (organisation_id, book) VALUES ('{org}', 'public')"
TILE = (
    "INSERT INTO ledger_tile (organisation_id, book, level, number, hashes) "
    "VALUES ('{org}', 'public', {level}, {number}, {hashes})"
)
CHECKPOINT = (
    "INSERT INTO ledger_checkpoint (organisation_id, book, size, root, note, sealed_at) "
    "VALUES ('{org}', 'public', {size}, {root}, {note}, now())"
)


def write(pen: Pen, template: str, **values):
    """Run a statement about the pen's book."""
    defaults = {"level": 0, "number": 0, "hashes": LEAF, "size": 3, "root": LEAF, "note": NOTE}
    pen.execute(template.format(org=pen.organisation, **{**defaults, **values}))


@pytest.fixture
def logged(pen) -> Pen:
    """The book of three entries, with a tile and a checkpoint (which nobody signed)."""
    for template in (LOG, TILE, CHECKPOINT):
        write(pen, template)
    return pen


CHANGES = [
    "UPDATE ledger_tile SET hashes = substring(hashes FOR 16)",
    "UPDATE ledger_tile SET hashes = sha256('x') || hashes",
    "UPDATE ledger_tile SET hashes = sha256('x')",
    "UPDATE ledger_tile SET number = 1",
    "UPDATE ledger_tile SET level = 1",
    "UPDATE ledger_tile SET organisation_id = 'org_x'",
    "UPDATE ledger_log SET size = -1",
    "UPDATE ledger_log SET book = 'credits'",
    "UPDATE ledger_checkpoint SET note = note",
    "UPDATE ledger_checkpoint SET root = root, size = size",
    "DELETE FROM ledger_tile",
    "DELETE FROM ledger_log",
    "DELETE FROM ledger_checkpoint",
    "TRUNCATE ledger_tile",
    "TRUNCATE ledger_checkpoint CASCADE",
    "TRUNCATE ledger_log CASCADE",
]


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_of_a_log_is_changed(logged, change):
    state, _ = logged.refused_statement(change)

    assert state in (FORBIDDEN, RESTRICTED)


@pytest.fixture
def logged_by_superuser(connected) -> Iterator[Pen]:
    """The same, in the hands of who replicates."""
    connection = connected(SUPERUSER)
    with connection.transaction(force_rollback=True):
        pen = Pen(connection)
        for template in (LOG, TILE, CHECKPOINT):
            write(pen, template)
        pen.execute("SET LOCAL session_replication_role = replica")
        yield pen


@pytest.mark.parametrize("change", CHANGES)
def test_not_even_by_a_replica(logged_by_superuser, change):
    assert logged_by_superuser.refused_statement(change)[0] == RESTRICTED


def test_a_tile_gets_longer(logged):
    write(logged, "UPDATE ledger_tile SET hashes = hashes || sha256('x')")


@pytest.mark.parametrize(
    ("template", "values", "state"),
    [
        (TILE, {}, UNIQUE),
        (TILE, {"number": 1, "hashes": "''::bytea"}, CHECKED),
        (TILE, {"number": 1, "hashes": f"substring({LEAF} FOR 31)"}, CHECKED),
        (TILE, {"number": 1, "hashes": f"{LEAF} || '\\x00'"}, CHECKED),
        (TILE, {"number": 1, "hashes": "decode(repeat('ab', 8224), 'hex')"}, CHECKED),
        (TILE, {"number": -1}, CHECKED),
        (TILE, {"level": -1}, CHECKED),
        (TILE, {"level": 7}, CHECKED),
        (CHECKPOINT, {}, UNIQUE),
        (CHECKPOINT, {"size": 2}, RESTRICTED),
        (CHECKPOINT, {"size": 0}, RESTRICTED),
        (CHECKPOINT, {"size": 4}, RESTRICTED),
        (LOG, {}, UNIQUE),
    ],
)
def test_what_does_not_go_on_is_refused(logged, template, values, state):
    with pytest.raises(psycopg.Error) as refusal:
        write(logged, template, **values)

    assert refusal.value.sqlstate == state


@pytest.mark.parametrize(
    "values",
    [
        {"size": 2},
        {"root": "sha256('x')"},
        {"root": f"substring({LEAF} FOR 31)"},
        {"note": "''"},
        {"note": f"replace({NOTE}, '3', '2')"},
    ],
)
def test_a_checkpoint_is_what_its_note_says(pen, values):
    write(pen, LOG)

    with pytest.raises(psycopg.errors.CheckViolation):
        write(pen, CHECKPOINT, **values)


@pytest.mark.parametrize("template", [TILE, CHECKPOINT])
def test_nothing_stands_without_its_log(pen, template):
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        write(pen, template)


def test_a_log_stands_on_a_book(pen):
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        pen.execute("INSERT INTO ledger_log (organisation_id, book) VALUES ('org_x', 'public')")


def test_a_log_begins_empty_for_the_application(application_pen):
    statement = (
        "INSERT INTO ledger_log (organisation_id, book, size) "
        f"VALUES ('{application_pen.organisation}', 'public', 3)"
    )

    assert application_pen.refused_statement(statement)[0] == FORBIDDEN
