"""`ledger_begin_v1`, called by a stranger: it gives no right that the caller does not have."""

import pytest

from config.postgres_home import SUPERUSER
from tests.ledger.pen import Pen

BEGIN = "SELECT * FROM ledger_begin_v1(%s, %s, %s, %s, %s)"
STRANGER = "stranger_of_the_tests"
ACCOUNTS = "SELECT count(*) FROM ledger_account WHERE organisation_id = %s AND book = %s"


def begin(pen, nonces="", currencies="", accounts="", **changes):
    key = {"organisation": pen.organisation, "book": pen.book, **changes}
    return pen.connection.execute(BEGIN, [*key.values(), nonces, currencies, accounts]).fetchone()


def accounts_of(pen):
    return pen.connection.execute(ACCOUNTS, [pen.organisation, pen.book]).fetchone()[0]


def test_it_tells_the_head_and_which_nonces_are_taken(pen):
    size, head_hash, recorded_at, known = begin(pen, "nonce-1\nnew\ngenesis\nnonce-1\n nonce-2")

    assert (size, head_hash) == pen.head()
    assert recorded_at.isoformat() == "2026-11-21T12:00:05+00:00"
    assert sorted(known) == ["genesis", "nonce-1"]


def test_nonces_of_other_books_are_not_taken(pen):
    private, stranger = pen.private(), Pen(pen.connection)
    pen.write(pen.row(nonce="ours"))

    for other in (private, stranger):
        assert begin(other, "ours") == (3, other.head_hash, begin(other)[2], [])


def test_it_opens_the_accounts_that_are_missing_at_zero(pen):
    before = accounts_of(pen)

    begin(pen, "", "EUR\nEUR\nUSD", "stripe\nfund:new\nstripe")

    assert accounts_of(pen) == before + 2
    pen.write(pen.row(credit="fund:new"))
    assert pen.sums()["fund:new"] == (0, 500)


@pytest.mark.parametrize("nothing", ["", None])
def test_it_finds_and_opens_nothing_for_nothing(pen, nothing):
    before = accounts_of(pen)

    assert begin(pen, nothing, nothing, nothing) == (*pen.head(), begin(pen)[2], [])
    assert accounts_of(pen) == before


@pytest.mark.parametrize(
    "changes", [{"book": "nowhere"}, {"organisation": "org_x"}, {"book": None}]
)
def test_an_unknown_book_has_no_head_and_gets_no_accounts(pen, changes):
    assert begin(pen, "genesis", **changes) == (None, None, None, [])

    refusal = pen.refused_call(lambda: begin(pen, "", "CREDIT", "issued", **changes))
    assert refusal[0] in ("23502", "23503")


@pytest.mark.parametrize(
    ("currencies", "accounts", "refusal"),
    [
        ("EUR", "ours", ("23502", None)),
        ("EUR", "owner:ann", ("23502", None)),
        ("CREDIT", "stripe", ("23514", "account_currency_fits_its_book")),
        ("XXX", "stripe", ("23514", "account_kind_fits_its_currency")),
        ("EUR\nEUR", "fund:new", ("23502", None)),
        ("EUR", "fund:new\nfund:other", ("23502", None)),
        ("EUR\nEUR", "fund:new\nfund:new", ("23505", "ledger_account_pkey")),
    ],
)
def test_it_opens_no_account_that_its_caller_could_not(pen, currencies, accounts, refusal):
    before = accounts_of(pen)

    assert pen.refused_call(lambda: begin(pen, "", currencies, accounts)) == refusal
    assert accounts_of(pen) == before


@pytest.mark.parametrize(
    ("granted", "missing"),
    [
        ("SELECT ON ledger_account, ledger_entry", "ledger_book"),
        ("SELECT ON ledger_account, ledger_entry, ledger_book", "ledger_book"),
        ("SELECT ON ledger_account, ledger_book", "ledger_entry"),
        ("SELECT ON ledger_book, ledger_entry", "ledger_account"),
        ("SELECT ON ledger_account, ledger_book, ledger_entry", "ledger_account"),
    ],
)
def test_who_has_fewer_rights_gets_none_from_it(connected, granted, missing):
    connection = connected(SUPERUSER)
    with connection.transaction(force_rollback=True):
        pen = Pen(connection)
        connection.execute(f"CREATE ROLE {STRANGER}")
        connection.execute(f"GRANT USAGE ON SCHEMA public TO {STRANGER}")
        connection.execute(f"GRANT {granted} TO {STRANGER}")
        if missing != "ledger_book":
            connection.execute(f"GRANT UPDATE (lock) ON ledger_book TO {STRANGER}")
        connection.execute(f"SET LOCAL SESSION AUTHORIZATION {STRANGER}")

        with pytest.raises(Exception, match=f"permission denied for table {missing}"):
            begin(pen, "", "EUR", "fund:new")


def test_only_the_projection_acts_with_the_owners_rights(application_pen):
    functions = application_pen.execute(
        "SELECT proname, prosecdef, has_function_privilege(oid, 'EXECUTE'), "
        "proconfig::text LIKE '%search_path=pg_catalog, pg_temp%' FROM pg_proc "
        "WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'ledger%'"
    ).fetchall()

    raised = [(name, callable) for name, is_raised, callable, _ in functions if is_raised]
    assert raised == [("ledger_project_v2", False)]
    # A function with a body that is parsed when it is made needs no search path.
    assert [name for name, *_, is_fixed in functions if not is_fixed] == ["ledger_hash_v1"]
    assert application_pen.refused_statement("SELECT ledger_project_v2()")[0] in ("42501", "0A000")
