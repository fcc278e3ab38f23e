"""The heads log's tables only grow, whoever asks and however; by raw SQL."""

from collections.abc import Iterator

import psycopg
import pytest

from config.postgres_home import APPLICATION, OWNER, SUPERUSER

FORBIDDEN, RESTRICTED, CHECKED, UNIQUE = "42501", "23001", "23514", "23505"
ROOT = "A" * 43 + "="
HASH = f"'\\x{'ab' * 32}'::bytea"
NOTE = f"'log' || chr(10) || 2 || chr(10) || encode({HASH}, 'base64') || chr(10)"
KEY = (
    "INSERT INTO ledger_headskey (vkey, encrypted_seed, created_at) "
    "VALUES ('{vkey}', 'seed', now())"
)
LOG = "INSERT INTO ledger_headslog (is_ours) VALUES ({is_ours})"
LEAF = "INSERT INTO ledger_headsleaf (sequence, body) VALUES ({sequence}, E'{body}')"
TILE = "INSERT INTO ledger_headstile (level, number, hashes) VALUES ({level}, {number}, {hashes})"
CHECKPOINT = (
    "INSERT INTO ledger_headscheckpoint (size, root, note, sealed_at) "
    "VALUES ({size}, {root}, {note}, now())"
)
STAMP = (
    "INSERT INTO ledger_headstimestamp (size, response, stamped_at, received_at) "
    "VALUES ({size}, {response}, now(), now())"
)
COSIGNATURE = (
    "INSERT INTO ledger_headscosignature (size, witness, line, signed_at) "
    "VALUES ({size}, 'w+00+AQ', '— w AAAA', now())"
)
DEFAULTS = {
    "vkey": "ledger.example/log/heads+00+AQ", "is_ours": "true", "level": 0, "number": 0,
    "hashes": HASH, "size": 2, "root": HASH, "note": NOTE, "response": "'answer'",
}  # fmt: skip


def body_of(size=1, organisation="org_1", root=ROOT):
    return rf"ledger.example/log/{organisation}\n{size}\n{root}\n"


def write(connection, template, **values):
    connection.execute(template.format(**{**DEFAULTS, **values}).encode())


def refused(connection, statement):
    with pytest.raises(psycopg.Error) as refusal, connection.transaction():
        connection.execute(statement.encode())
    return refusal.value.sqlstate


def fill(connection):
    """Write a key, two leaves, a tile, and a checkpoint that others vouch for (nobody signed)."""
    write(connection, KEY)
    write(connection, LOG)
    for sequence in (0, 1):
        write(connection, LEAF, sequence=sequence, body=body_of(sequence + 4))
    write(connection, TILE)
    write(connection, CHECKPOINT)
    write(connection, STAMP)
    write(connection, COSIGNATURE)
    connection.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.fixture(params=[APPLICATION, OWNER])
def heads(request, connected) -> Iterator[psycopg.Connection]:
    """A heads log that nobody else sees, in the hands of either role."""
    connection = connected(request.param)
    with connection.transaction(force_rollback=True):
        fill(connection)
        yield connection


@pytest.fixture
def heads_of_superuser(connected) -> Iterator[psycopg.Connection]:
    """The same, in the hands of who replicates."""
    connection = connected(SUPERUSER)
    with connection.transaction(force_rollback=True):
        fill(connection)
        connection.execute("SET LOCAL session_replication_role = replica")
        yield connection


CHANGES = [
    "UPDATE ledger_headscosignature SET line = line",
    "UPDATE ledger_headskey SET encrypted_seed = ''",
    "UPDATE ledger_headslog SET size = -1",
    "UPDATE ledger_headsleaf SET body = body",
    "UPDATE ledger_headsleaf SET sequence = 7 WHERE sequence = 1",
    "UPDATE ledger_headstile SET hashes = substring(hashes FOR 16)",
    "UPDATE ledger_headstile SET hashes = sha256('x')",
    "UPDATE ledger_headstile SET hashes = sha256('x') || hashes",
    "UPDATE ledger_headstile SET number = 1",
    "UPDATE ledger_headstile SET level = 1",
    "UPDATE ledger_headscheckpoint SET note = note",
    "UPDATE ledger_headstimestamp SET response = response",
    *(
        f"{verb} ledger_heads{table}{more}"
        for table in ("key", "log", "leaf", "tile", "checkpoint", "cosignature", "timestamp")
        for verb, more in (("DELETE FROM", ""), ("TRUNCATE", " CASCADE"))
    ),
]


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_of_it_is_changed(heads, change):
    assert refused(heads, change) in (FORBIDDEN, RESTRICTED)


@pytest.mark.parametrize("change", CHANGES)
def test_not_even_by_a_replica(heads_of_superuser, change):
    assert refused(heads_of_superuser, change) == RESTRICTED


GAPS = [
    (LEAF, {"sequence": 3, "body": body_of(9)}, RESTRICTED),
    (LEAF, {"sequence": 2, "body": body_of(3)}, RESTRICTED),
    (CHECKPOINT, {"size": 1}, RESTRICTED),
    (CHECKPOINT, {"size": 3}, RESTRICTED),
]


@pytest.mark.parametrize(
    ("template", "values", "state"),
    [
        *GAPS,
        (LEAF, {"sequence": 1, "body": body_of(9)}, UNIQUE),
        (LEAF, {"sequence": -1, "body": body_of(9)}, CHECKED),
        (LEAF, {"sequence": 2, "body": body_of(5)}, UNIQUE),
        (LEAF, {"sequence": 2, "body": body_of(5, root="B" * 43 + "=")}, UNIQUE),
        (LEAF, {"sequence": 2, "body": body_of(9) + "more"}, CHECKED),
        (LEAF, {"sequence": 2, "body": body_of(9, root=ROOT[1:])}, CHECKED),
        (LEAF, {"sequence": 2, "body": body_of("09")}, CHECKED),
        (LEAF, {"sequence": 2, "body": body_of(9, organisation="org_1/credits")}, CHECKED),
        (LEAF, {"sequence": 2, "body": body_of(9).replace("/log/", "/")}, CHECKED),
        (TILE, {}, UNIQUE),
        (TILE, {"number": 1, "hashes": "''::bytea"}, CHECKED),
        (TILE, {"number": 1, "hashes": f"substring({HASH} FOR 31)"}, CHECKED),
        (TILE, {"number": 1, "hashes": "decode(repeat('ab', 8224), 'hex')"}, CHECKED),
        (TILE, {"number": -1}, CHECKED),
        (TILE, {"level": 7}, CHECKED),
        (CHECKPOINT, {}, UNIQUE),
        (CHECKPOINT, {"size": 0}, RESTRICTED),
        (STAMP, {}, UNIQUE),
        (STAMP, {"size": 1}, "23503"),
        (STAMP, {"size": 1, "response": "''"}, CHECKED),
        (KEY, {"vkey": "ledger.example/log/heads+01+AQ"}, UNIQUE),
        (KEY, {"vkey": "ledger.example/log/org_1+00+AQ"}, CHECKED),
        (LOG, {}, UNIQUE),
        (LOG, {"is_ours": "false"}, CHECKED),
    ],
)
def test_what_does_not_go_on_is_refused(heads, template, values, state):
    statement = template.format(**{**DEFAULTS, **values})

    assert refused(heads, statement) == state


@pytest.mark.parametrize(("template", "values", "state"), GAPS)
def test_nor_from_a_replica(heads_of_superuser, template, values, state):
    statement = template.format(**{**DEFAULTS, **values})

    assert refused(heads_of_superuser, statement) == state


@pytest.mark.parametrize("values", [{"root": "sha256('x')"}, {"note": "''"}])
def test_a_checkpoint_is_what_its_note_says(heads, values):
    write(heads, LEAF, sequence=2, body=body_of(9))
    note = {"note": NOTE.replace("|| 2 ||", "|| 3 ||")}

    statement = CHECKPOINT.format(**{**DEFAULTS, **note, "size": 3, **values})

    assert refused(heads, statement) == CHECKED


def test_it_grows(heads):
    write(heads, LEAF, sequence=2, body=body_of(2, organisation="org_2"))
    heads.execute("UPDATE ledger_headstile SET hashes = hashes || sha256('x')")
    heads.execute("UPDATE ledger_headslog SET size = 3")

    found = heads.execute("SELECT organisation_id, size FROM ledger_headsleaf ORDER BY sequence")

    assert found.fetchall() == [("org_1", 4), ("org_1", 5), ("org_2", 2)]


def test_the_log_begins_empty_for_the_application(connected):
    connection = connected(APPLICATION)

    assert refused(connection, "INSERT INTO ledger_headslog (size) VALUES (3)") == FORBIDDEN


def test_every_guard_fires_always(connected):
    asleep = connected(APPLICATION).execute(
        "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal "
        "AND tgenabled <> 'A' AND tgrelid::regclass::text LIKE 'ledger_heads%'"
    )

    assert asleep.fetchall() == []
