"""A false balance attestation is refused, by raw SQL, as application and owner."""

import pytest

from config.postgres_home import OWNER, SUPERUSER
from tests.ledger.pen import Pen

FALSE = ("23514", "entry_attests_what_is_so")
STRIPE = {"account": "stripe", "currency": "EUR", "debits": 1000, "credits": 0}
FUND = {"account": "fund:general", "currency": "EUR", "debits": 0, "credits": 1000}
HELD = {"account": "held", "currency": "EUR", "debits": 0, "credits": 0}


def attestation(pen, *, size=None, part=1, parts=1, rows=(FUND, STRIPE), accounts=None, **changes):
    """Return an attestation of what the pen has written: two gifts of 5.00 EUR."""
    size = pen.size if size is None else size
    counts = {"size": size, "part": part, "parts": parts}
    counts["accounts"] = len(rows) if accounts is None else accounts
    said = {f"a{place}": row for place, row in enumerate(rows)}
    entry = {
        "operation": "BALANCE_ATTESTATION", "amount": 0, "currency": "XXX", "debit": "genesis",
        "credit": "genesis:end", "nonce": f"attestation:{size}:{part}",
        "metadata": {**counts, **said},
    }  # fmt: skip
    return pen.row(**{**entry, **changes})


def test_what_is_so_can_be_attested(pen):
    pen.write(attestation(pen))
    pen.write(pen.row())
    more = [{**FUND, "credits": 1500}, {**STRIPE, "debits": 1500}]
    pen.copy(attestation(pen, rows=more))

    assert pen.head()[0] == 6
    assert pen.sums() == {"stripe": (1500, 0), "fund:general": (0, 1500)}


@pytest.mark.parametrize(
    "rows",
    [
        (),
        (STRIPE,),
        (STRIPE, FUND),
        (FUND, STRIPE, STRIPE),
        (FUND, HELD, STRIPE),
        (FUND, {**STRIPE, "debits": 999}),
        (FUND, {**STRIPE, "credits": 1}),
        (FUND, {**STRIPE, "debits": 1001, "credits": 1}),
        (FUND, {**STRIPE, "currency": "USD"}),
        (FUND, {**STRIPE, "account": "bank:main"}),
        (FUND, {**STRIPE, "more": 1}),
        (FUND, {"account": "stripe", "currency": "EUR", "debits": 1000}),
        (FUND, {**STRIPE, "debits": "1000"}),
        (FUND, {**STRIPE, "credits": False}),
    ],
    ids=str,
)
def test_other_accounts_and_sums_are_refused(pen, rows):
    row = attestation(pen, rows=rows)

    assert pen.refused(row) == FALSE
    assert pen.refused_call(lambda: pen.copy(row)) == FALSE


@pytest.mark.parametrize(
    "counts",
    [
        {"accounts": 1},
        {"accounts": 3},
        {"parts": 2},
        {"parts": 0},
        {"part": 0},
        {"part": 2},
        {"part": 2, "parts": 2},
        {"part": 2, "size": 2},
        {"part": 2, "parts": 2, "size": 2},
        {"size": 2},
        {"size": 4},
        {"size": 0},
        {"nonce": "attestation:3"},
        {"nonce": "attestation:3:01"},
        {"nonce": "another"},
        {"debit": "genesis:end", "credit": "genesis"},
        {"currency": "EUR", "debit": "stripe", "credit": "held"},
    ],
    ids=str,
)
def test_another_place_or_form_is_refused(pen, counts):
    assert pen.refused(attestation(pen, **counts)) == FALSE


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said | {"more": 1},
        lambda said: said | {"a2": "x"},
        lambda said: {name: said[name] for name in said if name != "size"},
        lambda said: {name: said[name] for name in said if name != "part"},
        lambda said: {name: said[name] for name in said if name != "parts"},
        lambda said: {name: said[name] for name in said if name != "accounts"},
        lambda said: {("b0" if name == "a0" else name): said[name] for name in said},
        lambda said: {},
    ],
)
def test_nothing_more_and_nothing_less_is_said(pen, change):
    row = attestation(pen)

    assert pen.refused(attestation(pen, metadata=change(row["metadata"]))) == FALSE


@pytest.mark.parametrize("value", ["3", True, {}])
@pytest.mark.parametrize("name", ["size", "part", "parts"])
def test_counts_are_numbers(pen, name, value):
    row = attestation(pen)

    assert pen.refused(attestation(pen, metadata={**row["metadata"], name: value}))[0] == "22023"


def test_an_account_that_nothing_named_is_not_attested(pen):
    pen.write(pen.row(amount=0, debit="bank:main", credit="held"))
    named = [FUND, HELD, STRIPE]

    assert pen.refused(attestation(pen)) == FALSE
    assert pen.refused(attestation(pen, rows=named)) == FALSE
    pen.write(attestation(pen, rows=[{**HELD, "account": "bank:main"}, *named]))


def test_the_order_is_that_of_the_bytes(pen):
    pen.open_accounts([("AUD", "stripe"), ("AUD", "unclassified"), ("EUR", "fund:a-b")])
    pen.write(pen.row(currency="AUD", amount=0, credit="unclassified"))
    pen.write(pen.row(amount=0, credit="fund:a-b"))
    nothing = {"currency": "AUD", "debits": 0, "credits": 0}
    aud = [{**nothing, "account": name} for name in ("stripe", "unclassified")]
    added = {**FUND, "account": "fund:a-b", "credits": 0}

    assert pen.refused(attestation(pen, rows=[*aud, FUND, added, STRIPE])) == FALSE
    pen.write(attestation(pen, rows=[*aud, added, FUND, STRIPE]))


def test_a_private_book_cannot_be_attested(pen):
    private = pen.private()
    issued = {"account": "issued", "currency": "CREDIT", "debits": 10, "credits": 0}
    ann = {"account": "owner:ann", "currency": "CREDIT", "debits": 0, "credits": 10}

    assert private.refused(attestation(private, rows=[issued, ann])) == FALSE
    assert private.refused(attestation(private, rows=[])) == FALSE


def test_it_comes_first_in_its_batch(pen):
    gift = pen.row()
    sums = [{**FUND, "credits": 1500}, {**STRIPE, "debits": 1500}]
    after = {"sequence": 4, "prev_entry_hash": gift["entry_hash"]}

    for rows in ((FUND, STRIPE), sums):
        late = attestation(pen, size=4, rows=rows, **after)
        assert pen.refused(gift, late) == FALSE
    first = attestation(pen)
    assert pen.refused(attestation(pen, rows=sums), pen.following(first)) == FALSE
    pen.write(first, pen.following(first))
    assert pen.sums() == {"stripe": (1500, 0), "fund:general": (0, 1500)}


def test_it_is_compared_with_what_one_statement_wrote_before(pen):
    gift = pen.row()
    late = attestation(pen, size=4, sequence=4, prev_entry_hash=gift["entry_hash"])
    both = f"WITH one AS ({Pen.inserting(gift)}) {Pen.inserting(late)}"

    assert pen.refused_statement(both) == FALSE


def many(pen):
    """Name seventy accounts, which makes two parts; return the rows that attest them."""
    names = [f"fund:n{number:02}" for number in range(68)]
    pen.open_accounts([("EUR", name) for name in names])
    for name in names:
        pen.write(pen.row(amount=1, credit=name))
    rows = [{**FUND, "account": name, "credits": 1} for name in names]
    return [FUND, *rows, {**STRIPE, "debits": 1068}]


def parts_of(pen, rows, cut=60, **second):
    one = attestation(pen, parts=2, rows=rows[:cut], accounts=70)
    place = {"sequence": pen.size + 1, "prev_entry_hash": one["entry_hash"], "size": pen.size}
    return one, attestation(
        pen, **{**place, "part": 2, "parts": 2, "rows": rows[cut:], "accounts": 70, **second}
    )


def test_parts_come_together_and_whole(pen):
    rows = many(pen)
    one, two = parts_of(pen, rows)

    assert pen.refused(one) == FALSE
    assert pen.refused(two)[0] in ("23503", "23514")
    assert pen.refused(*parts_of(pen, rows, cut=59)) == FALSE
    assert pen.refused(*parts_of(pen, rows, cut=61)) == FALSE
    assert pen.refused(*parts_of(pen, [*rows[:60], *rows[61:]], accounts=70)) == FALSE
    assert pen.refused(*parts_of(pen, rows, parts=3)) == FALSE
    assert pen.refused(one, pen.following(one)) == FALSE
    assert pen.refused(attestation(pen, rows=rows)) == FALSE
    pen.write(two, one)
    assert pen.head()[0] == 73


def test_it_is_compared_for_who_may_switch_triggers_off(connected):
    connection = connected(SUPERUSER)
    with connection.transaction(force_rollback=True):
        connection.execute(f'GRANT SET ON PARAMETER session_replication_role TO "{OWNER}"')
        connection.execute(f'SET LOCAL SESSION AUTHORIZATION "{OWNER}"')
        pen = Pen(connection)
        pen.execute("SET LOCAL session_replication_role = replica")

        assert pen.refused(attestation(pen, rows=(STRIPE,))) == FALSE


def test_no_search_path_changes_the_answer(owner_pen):
    pen = owner_pen
    pen.execute("CREATE TEMP TABLE ledger_account AS SELECT * FROM ledger_account")
    pen.execute(
        "CREATE FUNCTION pg_temp.ledger_attestation_v1(text, bigint, bigint) RETURNS jsonb "
        "LANGUAGE sql AS $$ SELECT '{}'::jsonb $$"
    )
    false = Pen.inserting(attestation(pen, rows=(STRIPE,)))
    pen.execute("SET search_path = pg_temp, public")

    assert pen.refused_statement(false) == FALSE
    pen.write(attestation(pen))
