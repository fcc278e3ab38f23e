"""Entries are recorded in their order, each at the end of its book; by raw SQL."""

import pytest
from psycopg import sql

from config.postgres_home import APPLICATION, OWNER, SUPERUSER
from tests.ledger.pen import GENESIS, NAMES, Pen, plain

BACKDATED = ("23514", "entry_is_recorded_in_order")


def at(second):
    """Return a moment; the pen's books were last written at 5."""
    return {"recorded_at": f"2026-11-21T12:00:{second:02}Z"}


def batch(pen, *seconds):
    """Return the next entries, recorded at these moments."""
    rows = [pen.row(**at(seconds[0]))]
    for second in seconds[1:]:
        rows.append(pen.following(rows[-1], **at(second)))
    return rows


def last_recorded(pen):
    statement = "SELECT recorded_at FROM ledger_book WHERE organisation_id = %s AND book = %s"
    [moment] = pen.connection.execute(statement, [pen.organisation, pen.book]).fetchone()
    return moment.second


def refusals(pen, rows):
    """Return how rows are refused by INSERT, by INSERT in another order, and by COPY."""
    return [
        pen.refused(*rows),
        pen.refused(*rows[::-1]),
        pen.refused_call(lambda: pen.copy(*rows)),
        pen.refused_call(lambda: pen.copy(*rows[::-1])),
    ]


@pytest.mark.parametrize(
    "seconds", [(4,), (4, 6), (4, 4), (6, 5), (6, 4), (5, 7, 6, 8), (5, 6, 7, 6), (9, 8, 7, 6)]
)
def test_an_entry_recorded_before_its_predecessor_is_refused(pen, seconds):
    assert refusals(pen, batch(pen, *seconds)) == [BACKDATED] * 4
    assert pen.head() == (3, pen.head_hash)
    assert pen.sums() == {"stripe": (1000, 0), "fund:general": (0, 1000)}
    assert last_recorded(pen) == 5


@pytest.mark.parametrize("seconds", [(5,), (6,), (5, 5), (5, 6, 6, 9)])
@pytest.mark.parametrize("order", [1, -1])
def test_entries_recorded_in_their_order_are_taken(pen, seconds, order):
    rows = batch(pen, *seconds)

    pen.write(*rows[::order])

    assert pen.head() == (3 + len(seconds), rows[-1]["entry_hash"])
    assert last_recorded(pen) == seconds[-1]


def test_what_was_recorded_last_counts_not_what_was_written_last(pen):
    first, second = batch(pen, 6, 8)
    pen.write(second, first)
    pen.size, pen.head_hash = 5, second["entry_hash"]

    assert refusals(pen, batch(pen, 7)) == [BACKDATED] * 4
    pen.write(pen.row(**at(8)))
    assert last_recorded(pen) == 8


def test_of_two_books_in_one_batch_each_has_its_own_order(pen):
    private = pen.private()
    pen.write(*batch(pen, 9))

    assert refusals(pen, [*batch(pen, 9), *batch(private, 4)]) == [BACKDATED] * 4
    assert refusals(pen, [*batch(pen, 8), *batch(private, 6)]) == [BACKDATED] * 4
    assert refusals(pen, [*batch(pen, 9), *batch(private, 7, 6)]) == [BACKDATED] * 4
    pen.copy(*batch(pen, 10), *batch(private, 6, 7))
    assert (last_recorded(pen), last_recorded(private)) == (10, 7)


def test_another_organisations_book_has_an_order_of_its_own(pen):
    later = Pen(pen.connection)
    later.write(*batch(later, 9))

    pen.write(*batch(pen, 6))
    pen.execute(Pen.inserting(*batch(later, 10, 11), *batch(pen, 7, 8)))

    assert (last_recorded(pen), last_recorded(later)) == (8, 11)


def test_a_book_begins_whenever_it_begins(pen):
    pen.book, pen.size, pen.head_hash = "another", 0, None
    pen.open_book("another")
    pen.open_accounts([("XXX", "genesis"), ("XXX", "genesis:end")])

    pen.write(pen.row(**GENESIS, recorded_at="1970-01-01T00:00:00Z"))

    assert last_recorded(pen) == 0


def written_within(pen, outer, inner):
    """Insert a row by a statement that calls a function which inserts another, before it ends."""
    types = {"sequence": "bigint", "amount": "bigint", "metadata": "jsonb"}
    types |= dict.fromkeys(["occurred_at", "recorded_at"], "timestamptz")
    columns = [
        f"{sql.quote(value)}::{types.get(name, 'text')}" for name, value in plain(outer).items()
    ]
    pen.execute(
        "CREATE FUNCTION pg_temp.write() RETURNS boolean LANGUAGE plpgsql AS "
        f"$$ BEGIN {Pen.inserting(inner)}; RETURN false; END $$"
    )
    pen.execute(
        f"INSERT INTO ledger_entry ({NAMES}) SELECT {', '.join(columns)} "
        "FROM generate_series(1, 2) AS step WHERE step = 1 OR pg_temp.write()"
    )


@pytest.fixture(params=[APPLICATION, OWNER])
def free_pen(request, connected):
    """The pen of a role that may make temporary functions, as PostgreSQL lets everybody."""
    connection = connected(SUPERUSER)
    with connection.transaction(force_rollback=True):
        database = connection.info.dbname
        connection.execute(f'GRANT TEMPORARY ON DATABASE "{database}" TO "{request.param}"')
        connection.execute(f'SET LOCAL SESSION AUTHORIZATION "{request.param}"')
        yield Pen(connection)


def test_an_entry_that_is_written_within_its_predecessors_statement_is_refused(free_pen):
    first, second = batch(free_pen, 9, 9)

    refusal = free_pen.refused_call(lambda: written_within(free_pen, first, second))

    assert refusal == BACKDATED
    assert free_pen.head() == (3, free_pen.head_hash)


def test_an_entry_that_is_written_within_its_successors_statement_leaves_the_right_head(free_pen):
    first, second = batch(free_pen, 9, 9)

    written_within(free_pen, second, first)

    assert free_pen.head() == (5, second["entry_hash"])
    assert free_pen.sums() == {"stripe": (2000, 0), "fund:general": (0, 2000)}


def test_nothing_is_spent_before_it_is_there_by_a_statement_within(free_pen):
    private = free_pen.private()
    spent = private.row(operation="CREDIT_SPEND", debit="owner:ann", credit="issued", amount=11)
    added = private.following(spent, amount=5)

    refusal = private.refused_call(lambda: written_within(private, spent, added))

    assert refusal == BACKDATED
