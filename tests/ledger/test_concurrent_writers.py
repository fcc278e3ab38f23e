"""Many writers at once: one chain, no fork, no lost sum, no overdraft."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import connection

from ledger.audit import Verdict, audit_books
from ledger.models import PUBLIC, Account, Book, Entry
from ledger.operations import MoneyOperation
from ledger.services import Draft, append
from ledger.services.books import open_book
from tests.factories import ApplicantFactory, OrganisationFactory
from tests.ledger.pen import Pen

TAKEN = "ledger_entry_pkey"


@pytest.fixture
def pen(application_connection):
    return Pen(application_connection())


def run_waiting(first, second, write, *, commit):
    """Write by the second connection while the first is not done; then let the first end."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(write)
        while not is_waiting(first, second.info.backend_pid):
            assert not waiting.done()
        if commit:
            first.commit()
        else:
            first.rollback()
        return waiting.result(20)


def is_waiting(watcher, process):
    statement = "SELECT cardinality(pg_blocking_pids(%s)) > 0"
    return watcher.execute(statement, [process]).fetchone()[0]


def started(application_connection):
    connection = application_connection()
    connection.autocommit = False
    return connection


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_rivals_the_first_to_commit_wins(pen, application_connection, order):
    rivals = [pen.row(nonce="a"), pen.row(nonce="b")][::order]
    first, second = started(application_connection), application_connection()
    first.execute(Pen.inserting(rivals[0]).encode())

    def write():
        with pytest.raises(psycopg.errors.UniqueViolation) as refusal:
            second.execute(Pen.inserting(rivals[1]).encode())
        return refusal.value.diag.constraint_name

    assert run_waiting(first, second, write, commit=True) == TAKEN
    assert pen.head() == (4, rivals[0]["entry_hash"])


@pytest.mark.parametrize("order", [1, -1])
def test_when_a_rival_gives_up_the_other_is_written(pen, application_connection, order):
    rivals = [pen.row(nonce="a"), pen.row(nonce="b")][::order]
    first, second = started(application_connection), application_connection()
    first.execute(Pen.inserting(rivals[0]).encode())

    def write():
        return second.execute(Pen.inserting(rivals[1]).encode()).rowcount

    assert run_waiting(first, second, write, commit=False) == 1
    assert pen.head() == (4, rivals[1]["entry_hash"])
    assert pen.sums()["stripe"] == (1500, 0)


def test_nothing_stands_on_an_entry_that_is_not_committed(pen, application_connection):
    row = pen.row()
    first, second = started(application_connection), application_connection()
    first.execute(Pen.inserting(row).encode())

    with pytest.raises(psycopg.errors.ForeignKeyViolation) as refusal:
        second.execute(Pen.inserting(pen.following(row)).encode())

    assert refusal.value.diag.constraint_name == "entry_follows_its_predecessor"
    first.rollback()


def test_an_old_snapshot_forks_nothing(pen, application_connection):
    first, second = application_connection(), started(application_connection)
    second.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    second.execute("SELECT FROM ledger_book")
    row = pen.row()
    first.execute(Pen.inserting(row).encode())

    with pytest.raises(psycopg.Error) as refusal:
        second.execute(Pen.inserting(pen.row(nonce="rival")).encode())
    second.rollback()

    assert refusal.value.sqlstate in ("23505", "40001")
    assert pen.head() == (4, row["entry_hash"])


def test_the_last_credit_is_spent_once(pen, application_connection):
    private = pen.private()
    spent = {
        "operation": "CREDIT_SPEND",
        "debit": "owner:ann",
        "credit": "issued",
        "amount": 10,
    }
    first, second = started(application_connection), application_connection()
    row = private.row(**spent)
    first.execute(Pen.inserting(row).encode())
    first.commit()

    with pytest.raises(psycopg.errors.CheckViolation) as refusal:
        second.execute(Pen.inserting(private.following(row, **spent)).encode())

    assert refusal.value.diag.constraint_name == "account_is_not_overdrawn"
    assert private.sums()["owner:ann"] == (10, 10)


def gifts(writer):
    for number in range(10):
        yield Draft(
            operation=MoneyOperation.DONATION_RECEIVED,
            amount=1 + number,
            currency="EUR",
            debit="stripe",
            credit=f"fund:writer-{number % 3}",
            nonce=f"{writer}:{number}",
        )


def closing(function):
    def run(*values):
        try:
            return function(*values)
        finally:
            connection.close()

    return run


@pytest.mark.django_db(transaction=True)
def test_eight_writers_make_one_chain():
    book = OrganisationFactory().books.get()

    def write(writer):
        for draft in gifts(writer % 6):  # two pairs write the same
            append(book=book, drafts=[draft])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(closing(write), range(8)))

    assert [entry.sequence for entry in Entry.objects.order_by("sequence")] == list(range(61))
    assert Account.objects.get(name="stripe").debits == 6 * 55
    assert sum(Account.objects.values_list("credits", flat=True)) == 6 * 55
    [report] = audit_books()
    assert report.verdict == Verdict.VALID


@pytest.mark.django_db(transaction=True)
def test_a_book_that_grows_meanwhile_is_valid():
    book = OrganisationFactory().books.get()

    def write(writer):
        for draft in gifts(writer):
            append(book=book, drafts=[draft])

    with ThreadPoolExecutor(2) as pool:
        writing = [pool.submit(closing(write), writer) for writer in range(6)]
        reports = []
        while not all(each.done() for each in writing):
            reports += audit_books()
    reports += audit_books()

    assert {report.verdict for report in reports} == {Verdict.VALID}
    assert reports[-1].entries == 61
    assert len({report.entries for report in reports}) > 1


@pytest.mark.django_db(transaction=True)
def test_batches_that_share_nonces_are_written_once():
    book = OrganisationFactory().books.get()

    def write(_writer):
        return [entry.sequence for entry in append(book=book, drafts=list(gifts(0)))]

    with ThreadPoolExecutor(8) as pool:
        answers = Counter(map(tuple, pool.map(closing(write), range(8))))

    assert answers == {tuple(range(1, 11)): 8}


@pytest.mark.django_db(transaction=True)
def test_a_book_that_many_open_has_one_genesis():
    organisation = ApplicantFactory()

    def write(_writer):
        return open_book(organisation=organisation, name=PUBLIC).pk

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(closing(write), range(4)))) == 1
    assert (Book.objects.get().size, Entry.objects.count()) == (1, 1)
