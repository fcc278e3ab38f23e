"""Guarantee 7: what is written stays, whoever asks and however; by raw SQL."""

import psycopg
import pytest
from psycopg import sql

from config.postgres_home import APPLICATION, OWNER, SUPERUSER
from tests.ledger.pen import Pen

FORBIDDEN = "42501"
RESTRICTED = "23001"

CHANGES = [
    "UPDATE ledger_entry SET amount = 1 WHERE {here}",
    "UPDATE ledger_entry SET line = line WHERE {here}",
    "UPDATE ONLY ledger_entry SET metadata = '{{}}' WHERE {here}",
    "UPDATE ledger_entry SET organisation_id = 'org_x' WHERE {here}",
    "DELETE FROM ledger_entry WHERE {here}",
    "DELETE FROM ledger_entry WHERE {here} AND sequence = 2",
    "WITH gone AS (DELETE FROM ledger_entry WHERE {here} RETURNING *) SELECT count(*) FROM gone",
    "WITH new AS (UPDATE ledger_entry SET nonce = 'x' WHERE {here} RETURNING *) SELECT 1 FROM new",
    "MERGE INTO ledger_entry AS entry USING (SELECT 1) AS one ON entry.{here} "
    "WHEN MATCHED THEN UPDATE SET amount = 1",
    "MERGE INTO ledger_entry AS entry USING (SELECT 1) AS one ON entry.{here} "
    "WHEN MATCHED THEN DELETE",
    "{insert} ON CONFLICT (organisation_id, book, sequence) DO UPDATE SET amount = 1",
    "{insert} ON CONFLICT (organisation_id, book, nonce) DO UPDATE SET line = EXCLUDED.line",
    "TRUNCATE ledger_entry CASCADE",
    "TRUNCATE ledger_entry, ledger_account, ledger_book RESTART IDENTITY CASCADE",
    "TRUNCATE ledger_account CASCADE",
    "TRUNCATE ledger_book CASCADE",
    "TRUNCATE organisations_organisation CASCADE",
]


def statement_of(pen, template):
    organisation = sql.quote(pen.organisation)
    insert = Pen.inserting(pen.rows[2])
    return template.format(here=f"organisation_id = {organisation}", insert=insert)


@pytest.mark.parametrize("change", CHANGES)
def test_the_application_changes_no_entry(application_pen, change):
    state, _ = application_pen.refused_statement(statement_of(application_pen, change))

    assert state == FORBIDDEN


@pytest.mark.parametrize("change", CHANGES)
def test_the_owner_changes_no_entry_either(owner_pen, change):
    assert owner_pen.refused_statement(statement_of(owner_pen, change)) == (RESTRICTED, None)


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_account", "ledger_book"])
def test_every_table_refuses_its_own_emptying(owner_pen, table):
    with pytest.raises(psycopg.errors.RestrictViolation, match=f"TRUNCATE of {table} is refused"):
        owner_pen.execute(f"TRUNCATE {table} CASCADE")


VIEWED = [
    "UPDATE {view} SET {column} = {column}",
    "DELETE FROM {view}",
    "INSERT INTO {view} (organisation_id, book) VALUES ('org_x', 'public')",
]


@pytest.mark.parametrize("change", VIEWED)
@pytest.mark.parametrize(
    ("view", "column"), [("ledger_entrylisting", "line"), ("ledger_booklisting", "size")]
)
def test_the_application_changes_nothing_through_a_view(application_pen, change, view, column):
    statement = change.format(view=view, column=column)

    assert application_pen.refused_statement(statement)[0] == FORBIDDEN


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_entrylisting SET line = ''",
        "DELETE FROM ledger_entrylisting",
        "UPDATE ledger_booklisting SET size = 0",
        "DELETE FROM ledger_booklisting",
    ],
)
def test_the_owner_changes_nothing_through_a_view_either(owner_pen, change):
    assert owner_pen.refused_statement(change)[0] == RESTRICTED


def test_an_organisation_with_a_book_stays(pen):
    here = f"WHERE id = {sql.quote(pen.organisation)}"

    assert pen.refused_statement(f"DELETE FROM organisations_organisation {here}")[0] == "23503"
    renamed = f"UPDATE organisations_organisation SET id = 'org_x' {here}"
    assert pen.refused_statement(renamed)[0] == "23503"


@pytest.mark.parametrize("setting", ["replica", "local"])
def test_no_role_switches_its_triggers_off_by_a_setting(pen, setting):
    statement = f"SET session_replication_role = {setting}"

    assert pen.refused_statement(statement)[0] == FORBIDDEN


def test_the_guards_hold_for_who_may_switch_triggers_off(connected):
    # PostgreSQL 15 lets a superuser grant this setting away.
    connection = connected(SUPERUSER)
    with connection.transaction(force_rollback=True):
        connection.execute(f'GRANT SET ON PARAMETER session_replication_role TO "{OWNER}"')
        connection.execute(f'SET LOCAL SESSION AUTHORIZATION "{OWNER}"')
        pen = Pen(connection)
        pen.execute("SET LOCAL session_replication_role = replica")

        for change in CHANGES:
            assert pen.refused_statement(statement_of(pen, change))[0] == RESTRICTED
        assert pen.refused_statement("UPDATE ledger_book SET size = 0") == (RESTRICTED, None)
        assert pen.refused_statement("UPDATE ledger_account SET debits = 0") == (RESTRICTED, None)
        for table in ("ledger_account", "ledger_book"):
            refused = f"TRUNCATE of {table} is refused"
            with pytest.raises(psycopg.Error, match=refused), connection.transaction():
                connection.execute(f"TRUNCATE {table} CASCADE")
            assert pen.refused_statement(f"DELETE FROM {table}") == (RESTRICTED, None)
        row = pen.row()
        pen.write(row)
        assert pen.head() == (4, row["entry_hash"])
        assert pen.sums() == {"stripe": (1500, 0), "fund:general": (0, 1500)}
        wrong = pen.row(
            operation="CORRECTION",
            metadata={"reverses": 1, "reason": "Wrong."},
            debit="held",
            credit="stripe",
        )
        assert pen.refused(wrong) == ("23514", "entry_mirrors_what_it_reverses")


SUMS_OF_A_BOOK = {"size": "5", "head_hash": "'sha256:'", "recorded_at": "now()"}
OPENINGS = [
    "ledger_account (organisation_id, book, currency, name, {column}) "
    "VALUES ({organisation}, 'public', 'EUR', 'bank:new', {value})",
    "ledger_book (organisation_id, book, {column}) VALUES ({organisation}, 'new', {value})",
]
OPENED = [
    *[(OPENINGS[0], column, "5") for column in ("debits", "credits")],
    *[(OPENINGS[1], column, value) for column, value in SUMS_OF_A_BOOK.items()],
]


@pytest.mark.parametrize(("opening", "column", "value"), OPENED)
def test_nothing_is_opened_with_a_sum_by_who_may_switch_triggers_off(
    connected, opening, column, value
):
    connection = connected(SUPERUSER)
    with connection.transaction(force_rollback=True):
        connection.execute(f'GRANT SET ON PARAMETER session_replication_role TO "{OWNER}"')
        connection.execute(f'SET LOCAL SESSION AUTHORIZATION "{OWNER}"')
        pen = Pen(connection)
        pen.execute("SET LOCAL session_replication_role = replica")
        names = {"organisation": sql.quote(pen.organisation), "column": column, "value": value}

        refusal = pen.refused_statement(f"INSERT INTO {opening.format(**names)}")

        assert refusal == (RESTRICTED, None)


def test_every_guard_fires_always(application_pen):
    asleep = application_pen.execute(
        "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal "
        "AND tgenabled <> 'A' AND tgrelid IN (SELECT oid FROM pg_class WHERE relname IN "
        "('ledger_entry', 'ledger_account', 'ledger_book'))"
    ).fetchall()

    assert asleep == []


DEFINITIONS = [
    "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "ALTER TABLE {table} DISABLE TRIGGER USER",
    "ALTER TABLE {table} DISABLE TRIGGER ledger_refuse",
    "ALTER TABLE {table} ENABLE REPLICA TRIGGER ledger_refuse",
    "DROP TRIGGER ledger_refuse ON {table}",
    "ALTER TABLE {table} DROP CONSTRAINT {table}_pkey CASCADE",
    "ALTER TABLE {table} ADD COLUMN more int",
    "ALTER TABLE {table} RENAME TO other",
    "ALTER TABLE {table} OWNER TO {application}",
    "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
    "DROP TABLE {table} CASCADE",
    "CREATE RULE nothing AS ON INSERT TO {table} DO INSTEAD NOTHING",
    "CREATE TRIGGER nothing BEFORE INSERT ON {table} "
    "FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE INDEX ON {table} (book)",
    "CREATE TABLE child () INHERITS ({table})",
    "CREATE POLICY nothing ON {table} USING (true)",
    "COMMENT ON TABLE {table} IS 'mine'",
    "LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE",
]


@pytest.mark.parametrize("definition", DEFINITIONS)
@pytest.mark.parametrize("table", ["ledger_entry", "ledger_account", "ledger_book"])
def test_the_application_defines_nothing_anew(application_pen, table, definition):
    statement = definition.format(table=table, application=APPLICATION)

    assert application_pen.refused_statement(statement)[0] == FORBIDDEN


@pytest.mark.parametrize(
    "statement",
    [
        f'SET ROLE "{OWNER}"',
        f'SET SESSION AUTHORIZATION "{OWNER}"',
        f'SET ROLE "{SUPERUSER}"',
        f'ALTER ROLE "{APPLICATION}" SUPERUSER',
        f'ALTER ROLE "{APPLICATION}" SET session_replication_role = replica',
        f'GRANT "{OWNER}" TO "{APPLICATION}"',
        "CREATE TABLE public.mine (a int)",
        "CREATE SCHEMA mine",
        "CREATE TEMPORARY TABLE mine (a int)",
        "CREATE FUNCTION public.mine() RETURNS int RETURN 1",
        "CREATE OR REPLACE FUNCTION public.ledger_hash_v1(line text) RETURNS text RETURN ''",
        "ALTER FUNCTION ledger_line_v2 OWNER TO CURRENT_USER",
        "DROP FUNCTION ledger_refuse_v1 CASCADE",
        "ALTER FUNCTION ledger_project_v2 SET search_path = public",
        "COPY ledger_entry TO PROGRAM 'true'",
    ],
)
def test_the_application_takes_no_other_role_and_makes_nothing(application_pen, statement):
    assert application_pen.refused_statement(statement)[0] == FORBIDDEN


def test_the_application_cannot_borrow_the_trigger_that_writes_sums(connected):
    # Where an operator's database lets everybody make temporary tables, as PostgreSQL does.
    connection = connected(SUPERUSER)
    with connection.transaction(force_rollback=True):
        database = connection.info.dbname
        connection.execute(f'GRANT TEMPORARY ON DATABASE "{database}" TO "{APPLICATION}"')
        connection.execute(f'SET LOCAL SESSION AUTHORIZATION "{APPLICATION}"')
        pen = Pen(connection)
        pen.execute("CREATE TEMPORARY TABLE forged (LIKE ledger_entry)")

        borrowed = pen.refused_statement(
            "CREATE TRIGGER forged AFTER INSERT ON forged REFERENCING NEW TABLE AS inserted "
            "FOR EACH STATEMENT EXECUTE FUNCTION ledger_project_v2()"
        )
        pen.execute(
            "CREATE FUNCTION pg_temp.write() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN UPDATE public.ledger_account SET debits = 1; RETURN NULL; END'"
        )
        pen.execute(
            "CREATE TRIGGER forged AFTER DELETE ON forged "
            "FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.write()"
        )

        assert borrowed[0] == FORBIDDEN
        assert pen.refused_statement("DELETE FROM forged")[0] == FORBIDDEN


def test_the_application_keeps_signing_keys_and_never_loses_them(application_pen):
    key = sql.quote(application_pen.organisation)
    application_pen.execute(
        "INSERT INTO ledger_signingkey (organisation_id, vkey, algorithm, encrypted_seed, "
        f"created_at) VALUES ({key}, 'vkey', 'ed25519', '', now())"
    )

    for attack in (
        "UPDATE ledger_signingkey SET vkey = ''",
        "DELETE FROM ledger_signingkey",
        "TRUNCATE ledger_signingkey",
    ):
        assert application_pen.refused_statement(attack)[0] == FORBIDDEN


RIGHTS = [
    ("ledger_account", "SELECT"),
    ("ledger_book", "SELECT"),
    ("ledger_booklisting", "SELECT"),
    ("ledger_checkpoint", "INSERT"),
    ("ledger_checkpoint", "SELECT"),
    ("ledger_correction", "SELECT"),
    ("ledger_cosignature", "INSERT"),
    ("ledger_cosignature", "SELECT"),
    ("ledger_entry", "SELECT"),
    ("ledger_entrylisting", "SELECT"),
    ("ledger_headscheckpoint", "INSERT"),
    ("ledger_headscheckpoint", "SELECT"),
    ("ledger_headscosignature", "INSERT"),
    ("ledger_headscosignature", "SELECT"),
    ("ledger_headskey", "INSERT"),
    ("ledger_headskey", "SELECT"),
    ("ledger_headsleaf", "SELECT"),
    ("ledger_headslog", "SELECT"),
    ("ledger_headstile", "INSERT"),
    ("ledger_headstile", "SELECT"),
    ("ledger_headstimestamp", "INSERT"),
    ("ledger_headstimestamp", "SELECT"),
    ("ledger_leg", "SELECT"),
    ("ledger_log", "SELECT"),
    ("ledger_opening", "DELETE"),
    ("ledger_opening", "INSERT"),
    ("ledger_opening", "SELECT"),
    ("ledger_signingkey", "INSERT"),
    ("ledger_signingkey", "SELECT"),
    ("ledger_tile", "INSERT"),
    ("ledger_tile", "SELECT"),
    ("ledger_witnessanswer", "INSERT"),
    ("ledger_witnessanswer", "SELECT"),
    ("ledger_witnessanswer", "UPDATE"),
]
COLUMN_RIGHTS = [
    ("ledger_book", "INSERT", "organisation_id"),
    ("ledger_book", "INSERT", "book"),
    ("ledger_book", "UPDATE", "lock"),
    ("ledger_account", "INSERT", "organisation_id"),
    ("ledger_account", "INSERT", "book"),
    ("ledger_account", "INSERT", "currency"),
    ("ledger_account", "INSERT", "name"),
    ("ledger_log", "INSERT", "organisation_id"),
    ("ledger_log", "INSERT", "book"),
    ("ledger_log", "UPDATE", "size"),
    ("ledger_tile", "UPDATE", "hashes"),
    ("ledger_headslog", "INSERT", "is_ours"),
    ("ledger_headslog", "UPDATE", "size"),
    ("ledger_headsleaf", "INSERT", "sequence"),
    ("ledger_headsleaf", "INSERT", "body"),
    ("ledger_headstile", "UPDATE", "hashes"),
]


def test_the_application_has_these_rights_and_no_more(application_pen):
    rights = application_pen.execute(
        "SELECT c.relname, p.privilege_type FROM pg_class AS c, aclexplode(c.relacl) AS p "
        "WHERE c.relname LIKE 'ledger%' AND p.grantee = current_user::regrole ORDER BY 1, 2"
    ).fetchall()
    columns = application_pen.execute(
        "SELECT c.relname, p.privilege_type, a.attname FROM pg_class AS c "
        "JOIN pg_attribute AS a ON a.attrelid = c.oid, aclexplode(a.attacl) AS p "
        "WHERE c.relname LIKE 'ledger%' AND c.relname <> 'ledger_entry' "
        "ORDER BY a.attrelid, a.attnum"
    ).fetchall()

    assert rights == RIGHTS
    assert columns == COLUMN_RIGHTS
