"""What the database itself guarantees of payouts and disputes, to any client: by raw SQL."""

from datetime import timedelta

import psycopg
import pytest
from psycopg import sql

from tests.factories import NOON, OrganisationFactory, PayoutFactory
from treasury.models import Dispute

pytestmark = pytest.mark.django_db(transaction=True)
FORBIDDEN, WRONG, TWICE = "42501", "23514", "23505"
WAYS = ("pending", "in_transit", "paid", "failed", "canceled")
LATER, EARLIER = NOON + timedelta(minutes=1), NOON - timedelta(minutes=1)
RIGHTS = [
    ("treasury_dispute", "INSERT", None),
    ("treasury_dispute", "SELECT", None),
    ("treasury_dispute", "UPDATE", None),
    ("treasury_payout", "INSERT", None),
    ("treasury_payout", "SELECT", None),
    ("treasury_payout", "UPDATE", None),
    ("treasury_payoutcontrol", "INSERT", None),
    ("treasury_payoutcontrol", "SELECT", None),
    ("treasury_payoutcontrol", "UPDATE", None),
    ("treasury_payoutitem", "INSERT", None),
    ("treasury_payoutitem", "SELECT", None),
    ("treasury_payoutitem", "UPDATE", "is_booked"),
    ("treasury_payoutorder", "INSERT", None),
    ("treasury_payoutorder", "SELECT", None),
    ("treasury_payoutorder", "UPDATE", "payout"),
    ("treasury_payoutorder", "UPDATE", "status"),
    ("treasury_payoutorder", "UPDATE", "tried_at"),
    ("treasury_payoutorder", "UPDATE", "trouble"),
]


@pytest.fixture
def raw(application_connection):
    """The application's role, without the product."""
    return application_connection()


@pytest.fixture
def dispute():
    """A dispute that awaits an answer."""
    return Dispute.objects.create(
        organisation=OrganisationFactory(),
        stripe_id="dp_1",
        charge="ch_1",
        amount=5000,
        currency="EUR",
        reason="fraudulent",
        status="needs_response",
        opened_at=NOON,
        told_at=NOON,
    )


def change(connection, table, **fields) -> None:
    """Write fields into every row of a table."""
    values = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in fields
    )
    statement = sql.SQL("UPDATE {} SET {}").format(sql.Identifier(table), values)
    connection.execute(statement, fields)


def refused(connection, table, **fields) -> tuple[str, str | None]:
    """Return the state and the constraint by which the database refuses a change."""
    with pytest.raises(psycopg.Error) as refusal:
        change(connection, table, **fields)
    return refusal.value.sqlstate, refusal.value.diag.constraint_name


def learnt(status) -> dict[str, object]:
    """Return a status, and when we learned of it."""
    return {"status": status} | {f"{way}_at": NOON for way in ("paid", "failed") if way == status}


# Payouts

GOES_ON = (WRONG, "payout_goes_on")


@pytest.mark.parametrize("before", WAYS)
def test_a_payout_goes_on_and_never_back(raw, before):
    PayoutFactory(status=before)
    ranks = {name: min(place, 3) for place, name in enumerate(WAYS)}

    for after in WAYS:
        if ranks[after] < ranks[before]:
            assert refused(raw, "treasury_payout", **learnt(after)) == GOES_ON
        else:
            with raw.transaction(force_rollback=True):
                change(raw, "treasury_payout", **learnt(after))


def test_what_is_known_of_a_payout_only_grows(raw):
    PayoutFactory(reconciliation_status="completed", trace_id="TRACE1")

    for less in (
        {"reconciliation_status": "in_progress"},
        {"trace_id": ""},
        {"reconciliation_status": "", "read_at": LATER},
        {"trace_id": "", "read_at": LATER},
        {"read_at": EARLIER},
        {"paid_at": LATER},
        {"paid_at": None},
    ):
        assert refused(raw, "treasury_payout", **less) == GOES_ON


def test_a_step_forward_may_come_without_what_was_known_of_the_step_before(raw):
    PayoutFactory(reconciliation_status="completed", trace_id="TRACE1")

    change(
        raw,
        "treasury_payout",
        **learnt("failed"),
        reconciliation_status="",
        trace_id="",
        read_at=EARLIER,
    )

    assert refused(raw, "treasury_payout", failed_at=LATER) == GOES_ON


def test_a_payout_stays_what_it_is(raw):
    PayoutFactory(status="pending")

    for other in ({"amount": 1}, {"currency": "USD"}, {"stripe_id": "po_x"}):
        assert refused(raw, "treasury_payout", **other) == (WRONG, "payout_stays_what_it_is")


@pytest.mark.parametrize(
    ("before", "fields", "constraint"),
    [
        ("pending", {"status": "paid"}, "payout_is_paid_at_some_time"),
        ("in_transit", {"paid_at": NOON}, "payout_is_paid_at_some_time"),
        ("paid", {"status": "failed"}, "payout_failed_at_some_time"),
        ("paid", {"failed_at": NOON}, "payout_failed_at_some_time"),
        ("paid", {"status": "odd"}, "payout_failed_at_some_time"),
    ],
)
def test_a_payout_arrived_and_failed_at_some_time(raw, before, fields, constraint):
    PayoutFactory(status=before)

    assert refused(raw, "treasury_payout", **fields) == (WRONG, constraint)


# Disputes


def test_what_was_told_of_a_dispute_is_not_taken_back(raw, dispute):
    for less in ({"told_at": EARLIER}, {"stripe_id": "dp_x"}):
        assert refused(raw, "treasury_dispute", **less) == (WRONG, "dispute_goes_on")

    change(raw, "treasury_dispute", status="lost", told_at=LATER)
    assert refused(raw, "treasury_dispute", told_at=NOON) == (WRONG, "dispute_goes_on")


def test_a_dispute_is_told_of_once_in_each_organisation(raw, dispute):
    columns = "organisation_id, stripe_id, charge, amount, currency, reason, status, asked_as"
    again = (
        f"INSERT INTO treasury_dispute ({columns}, opened_at, told_at) "
        f"SELECT {columns}, opened_at, told_at FROM treasury_dispute"
    )

    with pytest.raises(psycopg.errors.UniqueViolation) as refusal:
        raw.execute(again)

    assert refusal.value.diag.constraint_name == "dispute_is_told_once"


# Both


@pytest.mark.parametrize("table", ["treasury_payout", "treasury_dispute"])
def test_the_application_takes_none_away_and_guards_always_fire(raw, table):
    for attack in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(psycopg.Error) as refusal:
            raw.execute(attack)
        assert refusal.value.sqlstate == FORBIDDEN

    key = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s"
    assert raw.execute(key, [f"{table}_pkey"]).fetchall() == [
        ("PRIMARY KEY (organisation_id, id)",)
    ]
    guard = "SELECT tgenabled::text FROM pg_trigger WHERE tgname = %s"
    assert raw.execute(guard, [f"{table}_goes_on"]).fetchall() == [("A",)]


def test_the_application_has_these_rights_and_no_more(raw):
    names = list({table for table, *_ in RIGHTS})

    rights = raw.execute(
        "SELECT c.relname, p.privilege_type, NULL FROM pg_class AS c, aclexplode(c.relacl) AS p "
        "WHERE c.relname = ANY(%(names)s) AND p.grantee = current_user::regrole "
        "UNION ALL SELECT c.relname, p.privilege_type, a.attname FROM pg_class AS c "
        "JOIN pg_attribute AS a ON a.attrelid = c.oid, aclexplode(a.attacl) AS p "
        "WHERE c.relname = ANY(%(names)s) ORDER BY 1, 2, 3",
        {"names": names},
    ).fetchall()

    assert rights == RIGHTS
