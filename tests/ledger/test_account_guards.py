"""Guarantees 4 and 5: own accounts, and sums that follow from entries alone; by raw SQL."""

import pytest
from psycopg import sql

from config.postgres_home import APPLICATION, SUPERUSER
from tests.ledger.pen import GENESIS, Pen

NO_ACCOUNT = ("23503", "entry_moves_accounts_of_its_book")
RESTRICTED = ("23001", None)
FORBIDDEN = ("42501", None)


def test_an_account_of_another_organisation_is_refused(pen):
    stranger = Pen(pen.connection)
    stranger.open_accounts([("EUR", "bank:theirs"), ("EUR", "fund:theirs")])

    assert pen.refused(pen.row(debit="bank:theirs")) == NO_ACCOUNT
    assert pen.refused(pen.row(credit="fund:theirs")) == NO_ACCOUNT


def test_an_account_of_another_book_is_refused(pen):
    private = pen.private()

    assert private.refused(private.row(debit="stripe")) == NO_ACCOUNT
    assert pen.refused(pen.row(credit="owner:ann")) == NO_ACCOUNT


def test_an_account_of_another_currency_is_refused(pen):
    pen.open_accounts([("USD", "stripe"), ("JPY", "fund:general")])

    assert pen.refused(pen.row(currency="USD")) == NO_ACCOUNT
    assert pen.refused(pen.row(currency="JPY")) == NO_ACCOUNT


def test_an_account_that_nobody_opened_is_refused(pen):
    assert pen.refused(pen.row(debit="bank:other")) == NO_ACCOUNT
    assert pen.refused(pen.row(credit="fund:other")) == NO_ACCOUNT


NOWHERE = [
    {"debit": "bank:other"},
    {"credit": "fund:other"},
    {"debit": "bank:other", "credit": "fund:other"},
    {"debit": "bank:other", "amount": 0},
    {"credit": "fund:other", "amount": 0},
]


@pytest.mark.parametrize("changes", NOWHERE, ids=str)
def test_one_account_that_is_missing_refuses_the_whole_statement(pen, changes):
    attacks = refusals_of_a_batch(pen, changes)

    assert attacks == [NO_ACCOUNT] * 6
    assert pen.head() == (3, pen.head_hash)
    assert pen.sums() == {"stripe": (1000, 0), "fund:general": (0, 1000)}


def refusals_of_a_batch(pen, changes):
    """Return how a bad entry is refused: alone, as the first, in the middle, and by COPY."""
    bad = pen.row(**changes)
    batch = [bad, pen.following(bad)]
    good = pen.row()
    middle = pen.following(good, **changes)
    mixed = [good, middle, pen.following(middle)]
    return [
        pen.refused(bad),
        pen.refused(*batch),
        pen.refused(*mixed),
        pen.refused_call(lambda: pen.copy(bad)),
        pen.refused_call(lambda: pen.copy(*mixed)),
        pen.refused_statement(f"{Pen.inserting(pen.rows[2], *mixed)} ON CONFLICT DO NOTHING"),
    ]


def test_an_account_that_is_missing_in_one_of_two_books_refuses_both(pen):
    private = pen.private()
    good, bad = pen.row(), private.row(credit="owner:carl")

    assert pen.refused(good, bad) == NO_ACCOUNT
    assert pen.refused_call(lambda: pen.copy(bad, good)) == NO_ACCOUNT
    inserted = f"WITH other AS ({Pen.inserting(bad)}) {Pen.inserting(good)}"
    assert pen.refused_statement(inserted) == NO_ACCOUNT


def test_a_genesis_without_its_accounts_is_refused(pen):
    pen.book, pen.size, pen.head_hash = "another", 0, None
    pen.open_book("another")

    assert pen.refused(pen.row(**GENESIS)) == NO_ACCOUNT


def test_an_entry_in_a_book_that_nobody_opened_is_refused(pen):
    pen.book, pen.size, pen.head_hash = "another", 0, None

    assert pen.refused(pen.row(**GENESIS)) == NO_ACCOUNT


def test_accounts_are_asked_for_where_foreign_keys_are_switched_off(connected):
    # PostgreSQL 15 lets a superuser grant this setting away.
    connection = connected(SUPERUSER)
    with connection.transaction(force_rollback=True):
        connection.execute(f'GRANT SET ON PARAMETER session_replication_role TO "{APPLICATION}"')
        connection.execute(f'SET LOCAL SESSION AUTHORIZATION "{APPLICATION}"')
        pen = Pen(connection)
        pen.execute("SET LOCAL session_replication_role = replica")

        for changes in NOWHERE:
            assert refusals_of_a_batch(pen, changes) == [NO_ACCOUNT] * 6
        assert pen.sums() == {"stripe": (1000, 0), "fund:general": (0, 1000)}


@pytest.mark.parametrize(
    ("currency", "name", "refusal"),
    [
        ("EUR", "ours", ("23502", None)),
        ("EUR", "owner:ann", ("23502", None)),
        ("EUR", "Stripe", ("23502", None)),
        ("EUR", "stripe ", ("23502", None)),
        ("EUR", "fund:", ("23502", None)),
        ("EUR", "fund:a\n", ("23502", None)),
        ("EUR", "fund:A", ("23502", None)),
        ("EUR", "fund:a--b", ("23502", None)),
        ("EUR", "bank:a:b", ("23502", None)),
        ("eur", "stripe", ("23514", "account_currency_fits_its_book")),
        ("EURO", "stripe", ("23514", "account_currency_fits_its_book")),
        ("CREDIT", "stripe", ("23514", "account_currency_fits_its_book")),
        ("EUR", "genesis", ("23514", "account_kind_fits_its_currency")),
        ("XXX", "stripe", ("23514", "account_kind_fits_its_currency")),
        ("EUR", "fund:" + "a" * 156, ("23514", "ledger_account_name_check")),
    ],
)
def test_the_public_book_has_places_and_purposes_alone(pen, currency, name, refusal):
    assert pen.refused_call(lambda: pen.open_accounts([(currency, name)])) == refusal


@pytest.mark.parametrize(
    ("currency", "name", "constraint"),
    [
        ("EUR", "owner:ann", "account_currency_fits_its_book"),
        ("XXX", "owner:ann", "account_kind_fits_its_currency"),
        ("CREDIT", "genesis", "account_kind_fits_its_currency"),
        ("CREDIT", "", "ledger_account_name_check"),
    ],
)
def test_a_private_book_counts_credits_alone(pen, currency, name, constraint):
    private = pen.private()

    refusal = private.refused_call(lambda: private.open_accounts([(currency, name)]))

    assert refusal == ("23514", constraint)


def test_an_account_is_opened_once_and_in_a_book(pen):
    twice = pen.refused_call(lambda: pen.open_accounts([("EUR", "stripe")]))
    pen.book = "nowhere"

    assert twice == ("23505", "ledger_account_pkey")
    assert pen.refused_call(lambda: pen.open_accounts([("CREDIT", "issued")])) == (
        "23503",
        "ledger_account_organisation_id_book_fkey",
    )


def test_a_book_is_opened_once_for_an_organisation_under_a_plain_name(pen):
    assert pen.refused_call(lambda: pen.open_book("public")) == ("23505", "ledger_book_pkey")
    for name in ("", "Public", "1st", "a-b", "a\n", "a" * 33):
        refusal = pen.refused_call(lambda name=name: pen.open_book(name))
        assert refusal == ("23514", "ledger_book_book_check")
    pen.organisation = "org_00000000000000000000000000"
    assert pen.refused_call(lambda: pen.open_book("public"))[0] == "23503"


WRITES = [
    "UPDATE ledger_account SET debits = debits + 1 WHERE {here}",
    "UPDATE ledger_account SET credits = 7 WHERE {here}",
    "UPDATE ledger_account SET (debits, credits) = (0, 0) WHERE {here}",
    "UPDATE ledger_account SET name = 'bank:other' WHERE {here} AND name = 'bank:main'",
    "UPDATE ledger_account SET currency = 'USD' WHERE {here} AND name = 'bank:main'",
    "UPDATE ledger_account SET book = 'other' WHERE {here} AND name = 'bank:main'",
    "UPDATE ledger_book SET size = 9 WHERE {here}",
    "UPDATE ledger_book SET head_hash = 'sha256:' WHERE {here}",
    "UPDATE ledger_book SET head_hash = NULL WHERE {here}",
    "UPDATE ledger_book SET book = 'other' WHERE {here}",
    "UPDATE ledger_book SET organisation_id = 'org_x' WHERE {here}",
    "UPDATE ledger_book SET recorded_at = '1970-01-01' WHERE {here}",
    "UPDATE ledger_book SET recorded_at = NULL WHERE {here}",
    "UPDATE ledger_book SET recorded_at = 'infinity', lock = NOT lock WHERE {here}",
    "UPDATE ledger_account SET debits = debits WHERE {here}",
    "UPDATE ledger_account SET organisation_id = 'org_x' WHERE {here}",
    "INSERT INTO ledger_book (organisation_id, book, recorded_at) "
    "VALUES ({organisation}, 'new', '2999-01-01')",
    "INSERT INTO ledger_book (organisation_id, book) VALUES ({organisation}, 'public') "
    "ON CONFLICT (organisation_id, book) DO UPDATE SET recorded_at = NULL",
    "MERGE INTO ledger_book AS book USING (SELECT 1) AS one ON book.{here} "
    "WHEN MATCHED THEN UPDATE SET recorded_at = NULL",
    "INSERT INTO ledger_account (organisation_id, book, currency, name, debits) "
    "VALUES ({organisation}, 'public', 'EUR', 'bank:new', 5)",
    "INSERT INTO ledger_account (organisation_id, book, currency, name, credits) "
    "VALUES ({organisation}, 'public', 'EUR', 'bank:new', 5)",
    "INSERT INTO ledger_account (organisation_id, book, currency, name) "
    "VALUES ({organisation}, 'public', 'EUR', 'stripe') "
    "ON CONFLICT (organisation_id, book, currency, name) DO UPDATE SET debits = 9",
    "INSERT INTO ledger_book (organisation_id, book, size) VALUES ({organisation}, 'new', 5)",
    "INSERT INTO ledger_book (organisation_id, book, head_hash) "
    "VALUES ({organisation}, 'new', 'sha256:')",
    "INSERT INTO ledger_book (organisation_id, book) VALUES ({organisation}, 'public') "
    "ON CONFLICT (organisation_id, book) DO UPDATE SET size = 0",
    "MERGE INTO ledger_account AS account USING (SELECT 1) AS one ON account.{here} "
    "WHEN MATCHED THEN UPDATE SET credits = 1",
    "WITH changed AS (UPDATE ledger_account SET debits = 1 WHERE {here} RETURNING *) "
    "SELECT count(*) FROM changed",
    "DELETE FROM ledger_account WHERE {here} AND name = 'bank:main'",
    "DELETE FROM ledger_book WHERE {here}",
    "MERGE INTO ledger_account AS account USING (SELECT 1) AS one ON account.{here} "
    "AND name = 'bank:main' WHEN MATCHED THEN DELETE",
]


def statement_of(pen, template):
    organisation = sql.quote(pen.organisation)
    return template.format(organisation=organisation, here=f"organisation_id = {organisation}")


@pytest.mark.parametrize("write", WRITES)
def test_the_application_writes_no_sums_and_no_heads(application_pen, write):
    assert application_pen.refused_statement(statement_of(application_pen, write)) == FORBIDDEN


@pytest.mark.parametrize("write", WRITES)
def test_the_owner_writes_no_sums_and_no_heads_either(owner_pen, write):
    assert owner_pen.refused_statement(statement_of(owner_pen, write)) == RESTRICTED


@pytest.mark.parametrize("column", ["organisation_id", "book", "currency", "name"])
def test_no_trigger_gives_an_account_another_identity(owner_pen, column):
    assert refused_in_a_trigger(owner_pen, "ledger_account", column) == RESTRICTED


@pytest.mark.parametrize("column", ["organisation_id", "book"])
def test_no_trigger_gives_a_book_another_identity(owner_pen, column):
    owner_pen.open_book("empty")

    assert refused_in_a_trigger(owner_pen, "ledger_book", column) == RESTRICTED


def refused_in_a_trigger(pen, table, column):
    """Return what refuses a change that the owner makes from within a trigger of its own."""
    last = {"ledger_account": "name = 'bank:main'", "ledger_book": "book = 'empty'"}[table]
    pen.execute("CREATE TABLE mine ()")
    pen.execute(
        "CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"UPDATE {table} SET {column} = 'bank' WHERE {last}; RETURN NULL; END $$"
    )
    pen.execute("CREATE TRIGGER change AFTER INSERT ON mine EXECUTE FUNCTION change()")
    return pen.refused_statement("INSERT INTO mine DEFAULT VALUES")


def test_a_kind_cannot_be_chosen(pen):
    statement = "UPDATE ledger_account SET kind = 'other'"

    assert pen.refused_statement(statement)[0] in ("42501", "428C9")


def test_the_lock_of_a_book_means_nothing(pen):
    pen.execute("UPDATE ledger_book SET lock = NOT lock")
    pen.execute("SELECT FROM ledger_book FOR UPDATE")

    assert pen.head() == (3, pen.head_hash)


def test_sums_and_heads_follow_from_entries(pen):
    first = pen.row(amount=70, debit="bank:main", credit="stripe")
    second = pen.following(first, amount=9, debit="fund:general", credit="bank:main")
    third = pen.following(second, amount=0, credit="held")

    pen.write(first, second, third)

    assert pen.head() == (6, third["entry_hash"])
    assert pen.sums() == {
        "stripe": (1000, 70),
        "bank:main": (70, 9),
        "fund:general": (9, 1000),
    }


def test_several_inserts_in_one_statement_all_count(pen):
    private = pen.private()
    first = pen.row()
    second = pen.following(first)

    later, other = Pen.inserting(second), Pen.inserting(private.row())
    pen.execute(f"WITH later AS ({later}), other AS ({other}) {Pen.inserting(first)}")

    assert pen.head() == (5, second["entry_hash"])
    assert private.head()[0] == 4
    assert pen.sums() == {"stripe": (2000, 0), "fund:general": (0, 2000)}
    assert private.sums() == {"issued": (15, 0), "owner:ann": (0, 15)}


def test_an_insert_that_does_nothing_counts_nothing(pen):
    pen.execute(f"{Pen.inserting(pen.rows[2], pen.row())} ON CONFLICT DO NOTHING")

    assert pen.head()[0] == 4
    assert pen.sums() == {"stripe": (1500, 0), "fund:general": (0, 1500)}


def test_merge_keeps_the_same_books(pen):
    row = pen.row()
    merge = Pen.inserting(row).replace("INSERT INTO ledger_entry", "INSERT")

    pen.execute(
        "MERGE INTO ledger_entry AS entry USING (SELECT 3 AS sequence) AS new "
        f"ON entry.organisation_id = '{pen.organisation}' AND entry.sequence = new.sequence "
        f"WHEN NOT MATCHED THEN {merge}"
    )

    assert pen.head() == (4, row["entry_hash"])
    assert pen.sums() == {"stripe": (1500, 0), "fund:general": (0, 1500)}


def test_a_sum_beyond_2_53_is_refused(pen):
    pen.write(pen.row(amount=2**53 - 1 - 1000))

    too_much = pen.refused(pen.row(amount=1, credit="held"))
    assert too_much == ("23514", "ledger_account_debits_check")
    too_much = pen.refused(pen.row(amount=1, debit="bank:main"))
    assert too_much == ("23514", "ledger_account_credits_check")


@pytest.mark.parametrize(
    "insert",
    [
        "ledger_account (organisation_id, book, currency, name, debits) "
        "VALUES ({organisation}, 'public', 'EUR', 'bank:new', NULL)",
        "ledger_account (organisation_id, book, currency, name, credits) "
        "VALUES ({organisation}, 'public', 'EUR', 'bank:new', NULL)",
        "ledger_book (organisation_id, book, size) VALUES ({organisation}, 'new', NULL)",
    ],
)
def test_no_sum_is_unknown(owner_pen, insert):
    statement = statement_of(owner_pen, f"INSERT INTO {insert}")

    assert owner_pen.refused_statement(statement) == ("23502", None)
