"""Guarantee 1: no line but the canonical form of its columns, under its own hash; by raw SQL."""

import json

import pytest

from config.postgres_home import APPLICATION, SUPERUSER
from tests.ledger.pen import COLUMNS, Pen

CANONICAL = ("23514", "entry_line_is_canonical")
HASH = ("23514", "entry_hash_is_of_its_line")


def test_a_well_formed_entry_is_taken(pen):
    metadata = {
        "text": 'a "quoted" \\ back/slash é 漢 🎁 \u2028 \ufeff',
        "most": 2**53 - 1,
        "least": -(2**53) + 1,
        "yes": True,
        "inner": {"no": False, "zero": 0, "empty": ""},
        "none": {},
    }

    pen.write(pen.row(metadata=metadata, nonce="é/\\"))

    assert pen.head() == (4, pen.head_hash)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("organisation_id", "org_00000000000000000000000000"),
        ("book", "credits"),
        ("sequence", 4),
        ("entry_id", "led_00000000000000000000000000"),
        ("operation", "SPENT"),
        ("amount", 501),
        ("currency", "USD"),
        ("debit", "bank:main"),
        ("credit", "held"),
        ("nonce", "another"),
        ("metadata", {"a": 1}),
        ("occurred_at", "2026-11-21T12:00:01Z"),
        ("recorded_at", "2026-11-21T12:00:06Z"),
        ("prev_entry_hash", "sha256:" + "0" * 64),
    ],
)
def test_a_column_that_disagrees_with_the_line_is_refused(pen, column, value):
    assert pen.refused(pen.row() | {column: value}) == CANONICAL


@pytest.mark.parametrize("column", [name for name in COLUMNS if name != "prev_entry_hash"])
def test_a_column_without_a_value_is_refused(pen, column):
    assert pen.refused(pen.row() | {column: None}) == ("23502", None)


@pytest.mark.parametrize(
    "change",
    [
        {"entry_hash": "sha256:" + "0" * 64},
        {"entry_hash": ""},
        {"line": "{}"},
        {"line": ""},
    ],
)
def test_a_hash_that_is_not_of_the_line_is_refused(pen, change):
    assert pen.refused(pen.row() | change) == HASH


def test_a_hash_in_upper_case_is_refused(pen):
    row = pen.row()
    digest = row["entry_hash"].removeprefix("sha256:")

    assert pen.refused(row | {"entry_hash": "sha256:" + digest.upper()}) == HASH
    assert pen.refused(row | {"entry_hash": digest}) == HASH


REWRITES = {
    "a key twice": lambda line: line.replace('{"amount":500', '{"amount":500,"amount":500', 1),
    "a key twice, the last counts": lambda line: line.replace("{", '{"amount":1,', 1),
    "a key more": lambda line: line.replace('"version":1', '"version":1,"x":1'),
    "a key less": lambda line: line.replace(',"version":1', ""),
    "another order of keys": lambda line: '{"version":1,' + line[1:].replace(',"version":1', ""),
    "another version": lambda line: line.replace('"version":1', '"version":2'),
    "a space": lambda line: line.replace(":", ": ", 1),
    "a line feed": lambda line: line + "\n",
    "a carriage return": lambda line: line + "\r",
    "a byte order mark": lambda line: "\ufeff" + line,
    "a needless escape": lambda line: line.replace("stripe", "str\\u0069pe"),
    "an escaped slash": lambda line: line.replace("a/b", "a\\/b"),
    "a fraction": lambda line: line.replace(":500,", ":500.0,"),
    "an exponent": lambda line: line.replace(":500,", ":5e2,"),
    "a leading zero": lambda line: line.replace(":500,", ":0500,"),
    "a plus": lambda line: line.replace(":500,", ":+500,"),
    "text for a number": lambda line: line.replace(":500,", ':"500",'),
    "an offset for Z": lambda line: line.replace("12:00:00Z", "12:00:00+00:00"),
    "no seconds": lambda line: line.replace("12:00:00Z", "12:00Z"),
    "a fraction of a second": lambda line: line.replace("12:00:00Z", "12:00:00.0Z"),
    "nothing for a hash": lambda line: line.replace('"prev_entry_hash":"', '"prev_entry_hash":"x'),
}


@pytest.mark.parametrize("rewrite", REWRITES.values(), ids=REWRITES.keys())
def test_a_line_in_another_form_is_refused_under_its_right_hash(pen, rewrite):
    row = pen.row(nonce="a/b")

    assert pen.refused(pen.row(rewrite, nonce="a/b")) == CANONICAL
    assert pen.row(rewrite, **row)["line"] != row["line"]


@pytest.mark.parametrize(
    ("canonical", "written"),
    [
        ('{"a":1}', '{"a":1.0}'),
        ('{"a":100}', '{"a":1e2}'),
        ('{"a":0}', '{"a":-0}'),
        ('{"a":1}', '{"a":1,"a":1}'),
        ('{"a":2}', '{"a":1,"a":2}'),
        ('{"a":1,"b":2}', '{"b":2,"a":1}'),
        ('{"a_b":2,"b":1}', '{"b":1,"a_b":2}'),  # jsonb's own order: by length
        ('{"a":{"b":1,"c":2}}', '{"a":{"c":2,"b":1}}'),
        ('{"a":"b"}', '{"a":"\\u0062"}'),
        ('{"a":"\\\\"}', '{"a":"\\u005c"}'),
        ('{"a":"é"}', '{"a":"\\u00e9"}'),
        ('{"a":"🎁"}', '{"a":"\\ud83c\\udf81"}'),
        ('{"a":1}', '{ "a":1}'),
    ],
)
def test_metadata_in_another_form_is_refused_under_its_right_hash(pen, canonical, written):
    row = pen.row(lambda line: line.replace(canonical, written), metadata=json.loads(canonical))
    assert written in row["line"]

    assert pen.refused(row) == CANONICAL
    assert pen.refused(row | {"metadata": written}) == CANONICAL
    pen.write(pen.row(metadata=json.loads(canonical)))


@pytest.mark.parametrize(
    "metadata",
    [
        {"a": {"b": {}}},
        {"a": {"b": {"c": {"d": 1}}}},
        {"a": []},
        {"a": [1]},
        {"a": {"b": []}},
        {"a": None},
        {"a": 1.5},
        {"a": 2**53},
        {"a": -(2**53)},
        {"a": 10**40},
        {"a": {"b": 2**53}},
        {"A": 1},
        {"": 1},
        {"é": 1},
        {"a b": 1},
        {"a\n": 1},
        {"a": {"B": 1}},
        {"a": "e\u0301"},
        {"a": {"b": "e\u0301"}},
        {"a": "\u212b"},  # the sign of Ångström: NFC has the letter
        {"a": "\n"},
        {"a": "\u0001"},
        {"a": "\u007f"},
        {"a": "\u0085"},
        {"a": {"b": "\t"}},
        [],
        [{}],
        [{"a": "b"}],
        [{"a": "b", "c": "d"}],
        [{"a": "b"}, {"c": "d"}],
        [[{"a": "b"}]],
        ["a"],
        "text",
        "{}",
        1,
        True,
        None,
    ],
    ids=str,
)
def test_metadata_outside_the_profile_is_refused(pen, metadata):
    assert pen.refused(pen.row(metadata=metadata) | {"metadata": json.dumps(metadata)}) == CANONICAL


@pytest.mark.parametrize(
    ("written", "state"),
    [('{"a":"\\u0000"}', "22P05"), ('{"a":"\\ud800"}', "22P02"), ('{"a":NaN}', "22P02")],
)
def test_metadata_that_no_database_can_store_is_refused(pen, written, state):
    row = pen.row(lambda line: line.replace("{}", written), metadata={})

    assert pen.refused(row | {"metadata": written})[0] == state
    assert pen.refused(row) == CANONICAL


@pytest.mark.parametrize("text", ["e\u0301", "\u212b", "a\nb", "\u0001", "\u007f", "\u009f", "\t"])
@pytest.mark.parametrize("column", ["nonce", "operation", "entry_id", "debit", "credit"])
def test_text_outside_the_profile_is_refused(pen, column, text):
    state, constraint = pen.refused(pen.row(**{column: text}))

    assert state == "23514"
    assert constraint in ("entry_line_is_canonical", "entry_accounts_differ")


@pytest.mark.parametrize(
    "moment",
    [
        "infinity",
        "-infinity",
        "0044-03-15T12:00:00Z",
        "1969-12-31T23:59:59Z",
        "2026-11-21T12:00:00.5Z",
        "2026-11-21 12:00:00+00",
        "2026-11-21t12:00:00z",
    ],
)
@pytest.mark.parametrize("column", ["occurred_at", "recorded_at"])
def test_a_moment_outside_the_profile_is_refused(pen, column, moment):
    assert pen.refused(pen.row(**{column: moment})) == CANONICAL


@pytest.mark.parametrize("column", ["occurred_at", "recorded_at"])
def test_a_moment_before_christ_or_after_9999_is_refused(pen, column):
    row = pen.row(**{column: "0044-03-15T12:00:00Z"})

    assert pen.refused(row | {column: "0044-03-15 12:00:00+00 BC"}) == CANONICAL
    assert pen.refused(pen.row(**{column: "10000-01-01T00:00:00Z"})) == CANONICAL


def test_the_first_and_the_last_moment_are_taken(pen):
    pen.write(pen.row(occurred_at="1970-01-01T00:00:00Z"))
    pen.write(pen.row(occurred_at="9999-12-31T23:59:59Z"))

    assert pen.size == 5


@pytest.mark.parametrize("filler", ["x", "é", "漢", "🎁", '"'])
def test_a_line_has_16384_bytes_and_not_one_more(pen, filler):
    def row_of(size):
        room = size - len(pen.row(metadata={"a": "", "b": ""})["line"].encode())
        count, rest = divmod(room, len(filler.encode()) + (filler == '"'))
        row = pen.row(metadata={"a": filler * count, "b": "y" * rest})
        assert len(row["line"].encode()) == size
        return row

    assert pen.refused(row_of(16_385)) == ("23514", "entry_fits_16384_bytes")
    pen.write(row_of(16_384))


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"amount": -1}, "ledger_entry_amount_check"),
        ({"amount": 2**53}, "ledger_entry_amount_check"),
        ({"entry_id": "led_01"}, "ledger_entry_entry_id_check"),
        ({"entry_id": "led_8" + "0" * 25}, "ledger_entry_entry_id_check"),
        ({"operation": "spent"}, "ledger_entry_operation_check"),
        ({"operation": "A" * 49}, "ledger_entry_operation_check"),
        ({"nonce": ""}, "ledger_entry_nonce_check"),
        ({"nonce": "x" * 256}, "ledger_entry_nonce_check"),
        ({"debit": "stripe", "credit": "stripe"}, "entry_accounts_differ"),
        (
            {"currency": "XXX", "debit": "genesis", "credit": "genesis:end"},
            "entry_moves_nothing_without_a_currency",
        ),
    ],
)
def test_a_value_out_of_range_is_refused(pen, changes, constraint):
    assert pen.refused(pen.row(**changes)) == ("23514", constraint)


@pytest.mark.parametrize("zone", ["UTC5", "<utc>5", "<Z>5", "Europe/Brussels"])
def test_no_time_zone_of_the_session_moves_the_times_of_a_line(pen, zone):
    shifted = pen.row() | {"occurred_at": "2026-11-21 17:00:00+00:00"}
    pen.execute(f"SET LOCAL TimeZone = '{zone}'")

    assert pen.refused(shifted) == CANONICAL
    assert pen.refused(pen.row() | {"occurred_at": "2026-11-21 13:00:00+00:00"}) == CANONICAL
    pen.write(pen.row(occurred_at="1970-01-01T00:00:00Z"))


def test_no_temporary_type_changes_what_a_line_must_be(connected):
    # Where an operator's database lets everybody make temporary things, as PostgreSQL does.
    connection = connected(SUPERUSER)
    with connection.transaction(force_rollback=True):
        database = connection.info.dbname
        connection.execute(f'GRANT TEMPORARY ON DATABASE "{database}" TO "{APPLICATION}"')
        connection.execute(f'SET LOCAL SESSION AUTHORIZATION "{APPLICATION}"')
        pen = Pen(connection)
        pen.execute("CREATE DOMAIN pg_temp.text AS varchar(2)")
        pen.execute("CREATE DOMAIN pg_temp.jsonb AS pg_catalog.text")

        cut = pen.row(lambda line: line.replace('"kept"', '"k'), metadata={"a": "kept"})

        assert pen.refused(cut) == CANONICAL
        pen.write(pen.row(metadata={"a": "kept"}))


# One line for each way of writing it: the fast one, the slow one, and the genesis' without a hash.
WAYS = [
    {"metadata": {}},
    {"metadata": {"a": "b c", "bb": "c"}},
    {"metadata": {"a": 1, "b": {"c": True}}},
    {"nonce": 'quoted " and \\ back'},
    {"metadata": {"a": "é\u2028漢"}, "nonce": "é"},
]
BENT = [
    lambda line: line.replace("stripe", "str\\u0069pe"),
    lambda line: line.replace('"version":1', '"version":2'),
    lambda line: line.replace('"version"', ' "version"'),
    lambda line: line.replace("2026-11-21T12:00:00Z", "2026-11-21T17:00:00Z"),
    lambda line: line.replace("2026-11-21T12:00:00Z", "21.11.2026 12:00:00"),
    lambda line: line.replace('"amount":500', '"amount":500.0'),
    lambda line: line.replace('"sequence":', '"sequence":1'),
    lambda line: line.replace("stripe", "STRIPE"),
    lambda line: "",
]
SETTINGS = [
    "standard_conforming_strings = off",
    "backslash_quote = on",
    "bytea_output = 'escape'",
    "DateStyle = 'German, DMY'",
    "DateStyle = 'SQL, MDY'",
    "IntervalStyle = 'sql_standard'",
    "TimeZone = 'UTC5'",
    "timezone_abbreviations = 'India'",
    "extra_float_digits = -15",
    "transform_null_equals = on",
    "array_nulls = off",
    "quote_all_identifiers = on",
    "lc_numeric = 'C'",
    "xmloption = 'document'",
    "enable_seqscan = off",
    "plan_cache_mode = 'force_generic_plan'",
    "jit_above_cost = 0",
    "plpgsql.extra_warnings = 'all'",
    "search_path = pg_temp, public",
    "default_transaction_isolation = 'serializable'",
]


def only_the_right_lines_are_taken(pen):
    for changes in WAYS:
        for rewrite in BENT:
            assert pen.refused(pen.row(rewrite, **changes)) == CANONICAL
        pen.write(pen.row(**changes, sequence=pen.size))


@pytest.mark.parametrize("setting", SETTINGS)
def test_no_setting_of_a_session_lets_a_wrong_line_in(pen, setting):
    pen.execute(f"SET LOCAL {setting}")

    only_the_right_lines_are_taken(pen)


SHADOWS = """
    CREATE SCHEMA mine;
    CREATE DOMAIN mine.text AS varchar(2);
    CREATE DOMAIN mine.jsonb AS pg_catalog.text;
    CREATE DOMAIN mine.timestamptz AS pg_catalog.text;
    CREATE FUNCTION mine.replace(pg_catalog.text, pg_catalog.text, pg_catalog.text)
        RETURNS pg_catalog.text LANGUAGE sql AS 'SELECT ''{}''::pg_catalog.text';
    CREATE FUNCTION mine.strpos(pg_catalog.text, pg_catalog.text)
        RETURNS integer LANGUAGE sql AS 'SELECT 0';
    CREATE FUNCTION mine.length(pg_catalog.text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION mine.octet_length(pg_catalog.text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION mine.to_json(pg_catalog.text)
        RETURNS pg_catalog.json LANGUAGE sql AS 'SELECT ''1''::pg_catalog.json';
    CREATE FUNCTION mine.sha256(pg_catalog.bytea)
        RETURNS pg_catalog.bytea LANGUAGE sql AS 'SELECT ''''::pg_catalog.bytea';
    CREATE FUNCTION mine.joined(pg_catalog.text, pg_catalog.text)
        RETURNS pg_catalog.text LANGUAGE sql AS 'SELECT $1';
    CREATE OPERATOR mine.|| (
        LEFTARG = pg_catalog.text, RIGHTARG = pg_catalog.text, FUNCTION = mine.joined
    );
    CREATE FUNCTION mine.same(pg_catalog.text, pg_catalog.text)
        RETURNS boolean LANGUAGE sql AS 'SELECT true';
    CREATE OPERATOR mine.= (
        LEFTARG = pg_catalog.text, RIGHTARG = pg_catalog.text, FUNCTION = mine.same
    );
    GRANT USAGE ON SCHEMA mine TO PUBLIC
"""


@pytest.mark.parametrize("path", ["mine, pg_catalog, public", "mine, pg_temp, pg_catalog, public"])
def test_no_function_or_operator_of_that_name_lets_a_wrong_line_in(connected, path):
    # Where somebody with more rights made a schema for the application.
    connection = connected(SUPERUSER)
    with connection.transaction(force_rollback=True):
        connection.execute(SHADOWS)
        connection.execute(f'SET LOCAL SESSION AUTHORIZATION "{APPLICATION}"')
        connection.execute("SET LOCAL search_path = public")
        pen = Pen(connection)
        pen.execute(f"SET LOCAL search_path = {path}")

        only_the_right_lines_are_taken(pen)
        assert pen.refused(pen.row() | {"entry_hash": "sha256:" + "0" * 64}) == HASH
        assert pen.refused(pen.row() | {"nonce": "another"}) == CANONICAL
