"""What the database refuses by no fault of ours is tried again: real refusals, real wires."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from threading import Barrier, BrokenBarrierError
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from psycopg_pool import PoolTimeout

from common.logs import JsonFormatter
from config.postgres_home import SUPERUSER
from credits.operations import CreditOperation
from ledger.audit import Verdict, audit_books
from ledger.errors import DraftRefused, NonceConflict
from ledger.models import Book, Entry
from ledger.operations import MoneyOperation
from ledger.services import Draft, append
from ledger.services.corrections import correct_entry
from ledger.services.retrying import refusal_of, retried
from tests.factories import OrganisationFactory
from tests.ledger.pen import Pen
from tests.ledger.wire import cut_wire
from tests.ledger.writers import at_once, closing, connecting, patiently, who_waits_for

pytestmark = pytest.mark.django_db(transaction=True)

HEADS = "SELECT FROM ledger_book FOR UPDATE"
ALIVE = "SELECT 1 FROM pg_stat_activity WHERE pid = %s"
TAKEN = "another writer was faster: ledger_entry_pkey"
SECRET = "nonce-of-ann"


@pytest.fixture
def book():
    return OrganisationFactory().books.get()


@pytest.fixture
def retries(caplog):
    """Return which attempts failed, and why; nobody's nonce is in the logs."""

    def found() -> list[tuple[int, str]]:
        records = [record for record in caplog.records if record.name == "almoner.ledger"]
        assert {record.getMessage() for record in records} <= {"refused, trying again"}
        assert SECRET not in "".join(map(JsonFormatter().format, records))
        return [(record.attempt, record.reason) for record in records]

    return found


def gift(nonce: str = SECRET, **changes: Any) -> Draft:
    fields = {
        "operation": MoneyOperation.DONATION_RECEIVED,
        "amount": 500,
        "currency": "EUR",
        "debit": "stripe",
        "credit": "fund:general",
        "nonce": nonce,
    }
    return Draft(**fields | changes)


@contextmanager
def meanwhile() -> Iterator[Callable[..., Future[Any]]]:
    """Give what writes in another thread, over another connection."""
    with ThreadPoolExecutor(1) as pool:
        yield lambda write: pool.submit(closing(write))


@contextmanager
def holding(connection: psycopg.Connection, statement: str) -> Iterator[psycopg.Connection]:
    """Hold what a statement locks; let go in the end, whatever happens."""
    with connection.transaction(force_rollback=True):
        connection.execute(statement.encode())
        yield connection


def end(superuser: psycopg.Connection, process: int) -> None:
    ended = superuser.execute("SELECT pg_terminate_backend(%s, 10000)", [process])
    assert ended.fetchone() == (True,)


def test_a_connection_that_was_ended_before_is_replaced(book, superuser_connection, retries):
    connection.ensure_connection()
    end(superuser_connection, connection.connection.info.backend_pid)

    [entry] = append(book=book, drafts=[gift()])

    assert Entry.objects.get(sequence=1) == entry
    assert retries() == [(1, "connection ended by the server")]


def test_a_connection_that_idled_too_long_is_replaced(book, application_connection, retries):
    watcher = application_connection()
    with connecting(OPTIONS={"options": "-c idle_session_timeout=300"}):
        connection.ensure_connection()
        process = connection.connection.info.backend_pid
        for _ in patiently():
            if not watcher.execute(ALIVE, [process]).fetchone():
                break

        [entry] = append(book=book, drafts=[gift()])

    assert Entry.objects.get(sequence=1) == entry
    assert {reason for _, reason in retries()} == {"connection ended by the server"}


def test_who_is_ended_while_waiting_for_the_head_writes_in_the_end(
    book, superuser_connection, application_connection, retries
):
    with meanwhile() as start:
        with holding(application_connection(), HEADS) as holder:
            writing = start(lambda: append(book=book, drafts=[gift()]))
            end(superuser_connection, who_waits_for(holder, superuser_connection))
            who_waits_for(holder, superuser_connection)
        [entry] = writing.result(20)

    assert Entry.objects.get(sequence=1) == entry
    assert Entry.objects.count() == 2
    assert retries() == [(1, "connection ended by the server")]


def test_inside_of_a_larger_transaction_nothing_is_tried_again(
    book, superuser_connection, application_connection, retries
):
    @transaction.atomic
    def write_in_a_larger_transaction():
        return append(book=book, drafts=[gift()])

    with meanwhile() as start, holding(application_connection(), HEADS) as holder:
        writing = start(write_in_a_larger_transaction)
        end(superuser_connection, who_waits_for(holder, superuser_connection))
        refusal = writing.exception(20)

    assert isinstance(refusal, OperationalError)
    assert refusal_of(refusal) == "connection ended by the server"
    assert Entry.objects.count() == 1
    assert retries() == []


@pytest.mark.parametrize("before", [False, True], ids=["committed", "not committed"])
def test_a_commit_that_nobody_heard_of_is_written_once(book, retries, before):
    with cut_wire(before=before) as wire:
        [entry] = append(book=book, drafts=[gift()])

    stored = Entry.objects.get(sequence=1)
    assert (stored.entry_hash, stored.entry_id) == (entry.entry_hash, entry.entry_id)
    assert Entry.objects.count() == 2
    assert wire.cuts == 1
    assert retries() == [(1, "connection lost")]
    assert [report.verdict for report in audit_books()] == [Verdict.VALID]


@pytest.mark.parametrize("before", [False, True], ids=["committed", "not committed"])
def test_a_correction_that_nobody_heard_of_is_written_once(book, retries, before):
    [wrong] = append(book=book, drafts=[gift()])

    with cut_wire(before=before) as wire:
        correction = correct_entry(entry=wrong, reason="Booked twice.")

    assert Entry.objects.get(sequence=2).entry_hash == correction.entry_hash
    assert Entry.objects.count() == 3
    assert wire.cuts == 1
    assert retries() == [(1, "connection lost")]


@pytest.mark.parametrize("before", [False, True], ids=["committed", "not committed"])
def test_after_six_attempts_it_is_given_up(book, retries, before):
    with cut_wire(before=before, cuts=99) as wire, pytest.raises(OperationalError):
        append(book=book, drafts=[gift()])

    assert wire.cuts == 6
    assert retries() == [(attempt, "connection lost") for attempt in range(1, 6)]
    assert Entry.objects.count() == (1 if before else 2)


def test_a_commit_of_a_larger_transaction_is_its_own_affair(book, retries):
    with cut_wire(before=False) as wire, pytest.raises(OperationalError), transaction.atomic():
        append(book=book, drafts=[gift()])

    assert wire.cuts == 1
    assert retries() == []
    assert append(book=book, drafts=[gift()])[0].sequence == 1


def test_who_crosses_another_on_two_heads_tries_again(retries):
    books = [OrganisationFactory().books.get(), OrganisationFactory().books.get()]
    met = Barrier(2)

    @retried
    @transaction.atomic
    def write_both(first: Book, second: Book) -> None:
        append(book=first, drafts=[gift(f"{SECRET}:{first.pk}{second.pk}")])
        with suppress(BrokenBarrierError):  # nobody comes to the second attempt
            met.wait(5)
        met.abort()
        append(book=second, drafts=[gift(f"{SECRET}:{first.pk}{second.pk}")])

    answers = at_once(partial(write_both, *books), partial(write_both, *reversed(books)))

    assert answers == [None, None]
    assert {reason for _, reason in retries()} == {"deadlock"}
    assert {book.size for book in Book.objects.all()} == {3}
    assert {report.verdict for report in audit_books()} == {Verdict.VALID}


def test_who_crosses_raw_sql_on_an_account_tries_again(book, connect, retries):
    append(book=book, drafts=[gift("first")])
    gate, rival, watcher = connect(SUPERUSER), connect(SUPERUSER), connect(SUPERUSER)
    rival.execute("SET deadlock_timeout = '1min'")  # so that not this one gives way
    with meanwhile() as start, meanwhile() as start_rival:
        with holding(rival, "SELECT FROM ledger_account WHERE name = 'stripe' FOR UPDATE"):
            with holding(gate, "LOCK TABLE ledger_entry IN SHARE MODE"):
                writing = start(lambda: append(book=book, drafts=[gift()]))
                process = who_waits_for(gate, watcher)
                crossing = start_rival(partial(rival.execute, HEADS))
                assert who_waits_for(process, watcher) == rival.info.backend_pid
            crossing.result(20)
        [entry] = writing.result(20)

    assert entry.sequence == 2
    assert {reason for _, reason in retries()} == {"deadlock"}


@pytest.fixture
def pen(application_connection):
    return Pen(application_connection())


def book_of(pen: Pen) -> Book:
    return Book.objects.get(organisation_id=pen.organisation, book=pen.book)


def test_of_two_who_read_an_old_state_the_slower_tries_again(pen, application_connection, retries):
    options = {"options": r"-c default_transaction_isolation=repeatable\ read"}
    with connecting(OPTIONS=options), meanwhile() as start:
        with pen.connection.transaction():
            pen.write(pen.row())
            writing = start(lambda: append(book=book_of(pen), drafts=[gift()]))
            who_waits_for(pen.connection, application_connection())
        [entry] = writing.result(20)

    assert entry.sequence == 4
    assert retries() == [(1, "serialization failure")]


# A writer who takes no lock of the head and leaves it behind, as no client of ours can: the
# projection is off. What then keeps the chain whole are its keys.
OFF = "ALTER TABLE ledger_entry DISABLE TRIGGER ledger_project"
ON = "ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_project"
MENDED = """
    ALTER TABLE ledger_book DISABLE TRIGGER ledger_guard_sums;
    UPDATE ledger_book SET size = 4, head_hash = '{entry_hash}';
    ALTER TABLE ledger_book ENABLE ALWAYS TRIGGER ledger_guard_sums
"""


@pytest.mark.parametrize(("nonce", "size"), [(SECRET, 4), ("another", 5)], ids=["same", "other"])
def test_who_finds_the_place_taken_tries_again(pen, connect, retries, nonce, size):
    rival, mender, watcher = connect(SUPERUSER), connect(SUPERUSER), connect(SUPERUSER)
    row = pen.row(nonce=nonce)
    with meanwhile() as start, meanwhile() as start_mending:
        with rival.transaction():
            rival.execute(f"{OFF}; {Pen.inserting(row)}; {ON}".encode())
            writing = start(lambda: append(book=book_of(pen), drafts=[gift()]))
            process = who_waits_for(rival, watcher)
            mending = start_mending(lambda: mender.execute(MENDED.format(**row).encode()))
            who_waits_for(process, watcher)
        mending.result(20)
        [entry] = writing.result(20)

    assert entry.sequence == size - 1
    assert pen.head() == (size, entry.entry_hash)
    assert {reason for _, reason in retries()} == {TAKEN}


def test_who_finds_the_place_taken_for_ever_gives_up(pen, superuser_connection, retries):
    row = pen.row()
    superuser_connection.execute(f"BEGIN; {OFF}; {Pen.inserting(row)}; {ON}; COMMIT".encode())

    with pytest.raises(IntegrityError, match="ledger_entry_pkey"):
        append(book=book_of(pen), drafts=[gift()])

    assert retries() == [(attempt, TAKEN) for attempt in range(1, 6)]
    assert Entry.objects.count() == 4


def test_a_pool_that_has_no_connection_left_is_asked_once(book, retries):
    with connecting(pool={"max_size": 1, "timeout": 3}), meanwhile() as start:
        connection.ensure_connection()
        refusal = start(lambda: append(book=book, drafts=[gift()])).exception(20)

    assert isinstance(refusal, OperationalError)
    assert isinstance(refusal.__cause__, PoolTimeout)
    assert retries() == []


CORRECTION = {"operation": MoneyOperation.CORRECTION, "debit": "fund:general", "credit": "stripe"}


@pytest.mark.parametrize(
    ("draft", "refusal"),
    [
        (gift(debit="fund:general", credit="stripe"), DraftRefused),
        (gift("first", amount=1), NonceConflict),
        (gift(amount=2**53 - 1), IntegrityError),
        (gift(amount=9, metadata={"reverses": 1, "reason": "No."}, **CORRECTION), IntegrityError),
    ],
    ids=["accounts", "nonce", "sum", "mirror"],
)
def test_what_the_caller_does_wrong_is_refused_once(book, retries, draft, refusal):
    append(book=book, drafts=[gift("first")])

    with pytest.raises(refusal):
        append(book=book, drafts=[draft])

    assert retries() == []
    assert Entry.objects.count() == 2


def test_an_overdraft_is_refused_once(pen, retries):
    private = pen.private()
    spent = Draft(CreditOperation.CREDIT_SPEND, 11, "CREDIT", "owner:ann", "issued", SECRET)

    with pytest.raises(IntegrityError, match="account_is_not_overdrawn"):
        append(book=book_of(private), drafts=[spent])

    assert retries() == []
    assert private.sums()["owner:ann"] == (0, 10)


RAW = [
    ("same", {"sequence": 2}, TAKEN),
    ("nonce-2", {}, "another writer was faster: entry_nonce_is_new"),
    ("same", {"entry_id": "led_00000000000000000000000000"}, None),
]


@pytest.mark.parametrize(("nonce", "changes", "reason"), RAW)
def test_a_key_of_the_chain_is_taken_by_who_was_faster(pen, nonce, changes, reason):
    pen.write(pen.row(entry_id="led_00000000000000000000000000"))
    row = pen.row(nonce=nonce, **changes)

    with pytest.raises(IntegrityError) as refusal, connection.cursor() as cursor:
        cursor.execute(Pen.inserting(row))

    assert refusal_of(refusal.value) == reason


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("40001", "serialization failure"),
        ("40P01", "deadlock"),
        ("08000", "connection lost"),
        ("08003", "connection lost"),
        ("08006", "connection lost"),
        ("57P01", "connection ended by the server"),
        ("57P02", "connection ended by the server"),
        ("57P03", "server starting or stopping"),
        ("57P05", "connection ended by the server"),
        ("57014", None),
        ("55P03", None),
        ("53300", None),
        ("23514", None),
        ("23505", None),
        ("42501", None),
    ],
)
def test_the_state_tells_whether_the_same_again_may_succeed(state, reason):
    refusal = OperationalError()
    refusal.__cause__ = psycopg.errors.lookup(state)()

    assert refusal_of(refusal) == reason


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (psycopg.OperationalError(), "connection lost"),
        (PoolTimeout(), None),
        (psycopg.InterfaceError(), None),
        (ValueError(), None),
        (None, None),
    ],
    ids=repr,
)
def test_what_has_no_state_is_a_lost_connection_or_nothing_of_the_databases(cause, reason):
    refusal = OperationalError()
    refusal.__cause__ = cause

    assert refusal_of(refusal) == reason
