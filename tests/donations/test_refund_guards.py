"""What the database itself guarantees of refunds, to any client: by raw SQL, and many at once."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import psycopg
import pytest
from django.db import connection, transaction

from config.postgres_home import APPLICATION
from donations.errors import NotRefundable, RefundDiffers, RefundTooLarge
from donations.models import Donation, RefundRequest
from donations.services import gifts
from donations.services.refunds import take_down
from ledger.operations import MoneyOperation
from tests.donations.refunds import in_ledger, wish
from tests.factories import DonationFactory, OrganisationFactory, gift_entries
from tests.ledger.writers import at_once, connecting, who_waits_for

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 8
FORBIDDEN = "42501"
INSERT = """
    INSERT INTO donations_refundrequest (
        id, organisation_id, donation_id, amount, reason, note, key, request_hash, created_at,
        status, stripe_refund, refusal_code, refusal, failure, attempts, next_attempt_at
    ) SELECT 'rfd_' || key, %(organisation)s, %(donation)s, %(amount)s, 'duplicate', '', key, '',
        now(), %(status)s, %(stripe)s, '', '', '', 0, now()
    FROM unnest(%(keys)s::text[]) AS key
"""
RIGHTS = [
    ("INSERT", None),
    ("SELECT", None),
    *[
        ("UPDATE", column)
        for column in (
            "attempts",
            "failure",
            "next_attempt_at",
            "note",
            "refusal",
            "refusal_code",
            "status",
            "stripe_refund",
        )
    ],
]


@pytest.fixture
def gift() -> Donation:
    """A gift of 50.00 EUR in the ledger."""
    return in_ledger(OrganisationFactory())


def insert(connection, gift, amount, *keys, status="requested", stripe=""):
    """Write requests of one amount by hand."""
    connection.execute(
        INSERT,
        {
            "organisation": gift.organisation_id,
            "donation": gift.id,
            "amount": amount,
            "keys": list(keys) or ["k"],
            "status": status,
            "stripe": stripe,
        },
    )


def refused(connection, statement, *arguments, **named) -> tuple[str, str | None]:
    """Return the state and the constraint by which the database refuses something."""
    with pytest.raises(psycopg.Error) as refusal:
        if callable(statement):
            statement(connection, *arguments, **named)
        else:
            connection.execute(statement, *arguments)
    return refusal.value.sqlstate, refusal.value.diag.constraint_name


LEFT = ("23514", "refund_is_of_what_is_left")


@pytest.fixture
def raw(application_connection):
    """The application's role, without the product."""
    return application_connection()


def test_nobody_asks_for_more_than_is_left(raw, gift):
    assert refused(raw, insert, gift, 5001) == LEFT
    insert(raw, gift, 3000, "a")
    assert refused(raw, insert, gift, 2001, "b") == LEFT
    insert(raw, gift, 2000, "c")
    assert refused(raw, insert, gift, 1, "d") == LEFT


def test_nor_with_several_rows_in_one_statement(raw, gift):
    assert refused(raw, insert, gift, 2501, "a", "b") == LEFT
    assert not RefundRequest.objects.exists()
    insert(raw, gift, 2500, "a", "b")


def test_what_the_ledger_gave_back_counts_once(raw, gift):
    insert(raw, gift, 2000, "a", status="succeeded", stripe="re_1")
    returned = {"donation": gift.id, "charge": "ch_1", "source": "re_1"}
    gift_entries(
        gift.organisation,
        first=90,
        operation=MoneyOperation.DONATION_REFUNDED,
        amount=2000,
        debit="fund:general",
        credit="stripe",
        metadata=returned,
    )
    with transaction.atomic():
        gifts.add_refund(organisation=gift.organisation, donation_id=gift.id, amount=2000)

    assert refused(raw, insert, gift, 3001, "b") == LEFT
    insert(raw, gift, 3000, "b")


SETTLED = ("23514", "refund_is_of_a_settled_gift")


@pytest.mark.parametrize("status", ["pending", "paid"])
def test_a_gift_that_is_not_in_the_ledger_is_not_given_back(raw, status):
    promised = DonationFactory(status=status)

    assert refused(raw, insert, promised, 1) == SETTLED


def test_a_gift_in_dispute_is_not_given_back_until_it_is_won(raw, gift):
    dispute = {"organisation": gift.organisation, "donation_id": gift.id}
    with transaction.atomic():
        gifts.add_dispute(**dispute, amount=1)
    assert refused(raw, insert, gift, 1) == SETTLED

    with transaction.atomic():
        gifts.add_dispute(**dispute, amount=-1)

    insert(raw, gift, 1)


def test_a_refund_waits_for_a_dispute_that_is_being_booked(raw, superuser_connection, gift):
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            gifts.add_dispute(organisation=gift.organisation, donation_id=gift.id, amount=5000)
            asked = pool.submit(refused, raw, insert, gift, 1)
            who_waits_for(connection.connection, superuser_connection)

        assert asked.result() == SETTLED


@pytest.mark.parametrize("status", ["failed", "refused"])
def test_what_came_to_nothing_is_left_again_and_does_not_come_back(raw, gift, status):
    insert(raw, gift, 5000, "a")
    reason = {
        "failed": "stripe_refund = 're_1', failure = 'declined'",
        "refused": "refusal_code = 'x', refusal = 'Why.'",
    }[status]
    raw.execute(f"UPDATE donations_refundrequest SET status = '{status}', {reason}")
    insert(raw, gift, 5000, "b")

    goes_on = ("23514", "refund_goes_on")
    for other in ("requested", "sent", "pending", "succeeded"):
        attack = f"UPDATE donations_refundrequest SET status = '{other}' WHERE key = 'a'"
        assert refused(raw, attack) == goes_on


@pytest.mark.parametrize(
    "change", ["status = 'sent'", "status = 'pending'", "stripe_refund = 're_2'"]
)
def test_what_became_of_a_refund_is_not_taken_back(raw, gift, change):
    insert(raw, gift, 5000, status="succeeded", stripe="re_1")

    attack = f"UPDATE donations_refundrequest SET {change}"

    assert refused(raw, attack) == ("23514", "refund_goes_on")


def test_a_refund_is_of_a_gift_of_its_organisation(raw, gift):
    elsewhere = in_ledger(OrganisationFactory())
    mixed = Donation(id=elsewhere.id, organisation=gift.organisation)

    assert refused(raw, insert, mixed, 1) == ("23503", "refund_is_of_a_gift_of_its_organisation")


@pytest.mark.parametrize(
    ("row", "constraint"),
    [
        ({"amount": 0}, "refund_is_positive"),
        ({"amount": -1}, "refund_is_positive"),
        ({"status": "succeeded"}, "refund_status_fits_what_stripe_has"),
        ({"stripe": "re_1"}, "refund_status_fits_what_stripe_has"),
        ({"status": "refused"}, "refund_refusal_has_words"),
        ({"status": "failed", "stripe": "re_1"}, "refund_failure_has_a_reason"),
        ({"status": "odd"}, "refund_status_fits_what_stripe_has"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused(raw, gift, row, constraint):
    named = {"amount": 1, **row}

    assert refused(raw, insert, gift, named.pop("amount"), **named) == ("23514", constraint)


def test_a_key_and_a_refund_at_stripe_stand_once(raw, gift):
    insert(raw, gift, 1, "a", status="succeeded", stripe="re_1")

    again = refused(raw, insert, gift, 1, "a")
    twice = refused(raw, insert, gift, 1, "b", status="pending", stripe="re_1")

    assert again[0] == twice[0] == "23505"
    assert twice[1] == "refund_at_stripe_is_of_one_request"


@pytest.mark.parametrize("isolation", ["REPEATABLE READ", "SERIALIZABLE"])
def test_who_does_not_see_what_was_committed_requests_nothing(raw, gift, isolation):
    raw.execute(f"SET default_transaction_isolation = '{isolation.lower()}'")

    assert refused(raw, insert, gift, 1)[0] == "25000"


@pytest.mark.parametrize(
    "attack",
    [
        "DELETE FROM donations_refundrequest",
        "TRUNCATE donations_refundrequest",
        "UPDATE donations_refundrequest SET amount = 1",
        "UPDATE donations_refundrequest SET donation_id = 'don_x'",
        "UPDATE donations_refundrequest SET key = 'x'",
        "ALTER TABLE donations_refundrequest DISABLE TRIGGER ALL",
        "DROP TRIGGER donations_refund_is_left ON donations_refundrequest",
        "SET session_replication_role = replica",
    ],
)
def test_what_was_asked_for_stays(raw, gift, attack):
    insert(raw, gift, 1)

    assert refused(raw, attack)[0] == FORBIDDEN


def test_the_application_has_these_rights_and_no_more(raw):
    table = raw.execute(
        "SELECT p.privilege_type, NULL FROM pg_class AS c, aclexplode(c.relacl) AS p "
        "WHERE c.relname = 'donations_refundrequest' AND p.grantee = current_user::regrole "
        "UNION ALL SELECT p.privilege_type, a.attname FROM pg_class AS c "
        "JOIN pg_attribute AS a ON a.attrelid = c.oid, aclexplode(a.attacl) AS p "
        "WHERE c.relname = 'donations_refundrequest' ORDER BY 1, 2"
    ).fetchall()

    assert table == RIGHTS


# Many at once


def eight(work):
    """Let eight threads do something at the same moment; return what came of each."""
    with connecting(pool={"max_size": THREADS + 1}):
        return at_once(*(partial(work, number) for number in range(THREADS)))


def test_eight_clients_at_once_give_back_no_more_than_there_is(connect, gift):
    connections = [connect(APPLICATION) for _ in range(THREADS)]

    def work(number):
        try:
            insert(connections[number], gift, 2000, f"k{number}")
        except psycopg.errors.CheckViolation as error:
            return error.diag.constraint_name
        return "written"

    outcomes = eight(work)

    assert sorted(outcomes) == ["refund_is_of_what_is_left"] * 6 + ["written"] * 2


def test_eight_members_at_once_give_back_no_more_than_there_is(gift):
    def work(number):
        wanted = {"organisation": gift.organisation, "donation_id": gift.id}
        return take_down(**wanted, wish=wish(amount=2000))

    outcomes = eight(work)

    assert RefundRequest.objects.count() == 2
    assert sum(isinstance(outcome, RefundTooLarge | NotRefundable) for outcome in outcomes) == 6


def test_one_form_eight_times_at_once_is_one_refund(gift):
    def work(_):
        wanted = {"organisation": gift.organisation, "donation_id": gift.id}
        refund, is_new = take_down(**wanted, wish=wish(key="form:once"))
        return refund.id, is_new

    outcomes = eight(work)

    assert len({name for name, _ in outcomes}) == 1
    assert sorted(is_new for _, is_new in outcomes) == [False] * 7 + [True]


def test_one_key_for_two_gifts_at_once_is_one_refund(gift):
    organisation = gift.organisation
    both = [gift, in_ledger(organisation)]

    def work(number):
        wanted = {"organisation": organisation, "donation_id": both[number % 2].id}
        return take_down(**wanted, wish=wish(key="form:once"))[0].donation_id

    outcomes = eight(work)

    winner = RefundRequest.objects.get().donation_id
    assert outcomes.count(winner) == 4
    assert sum(isinstance(outcome, RefundDiffers) for outcome in outcomes) == 4
