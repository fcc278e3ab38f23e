"""Many writers at once: one chain, no fork, no lost sum, no overdraft."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import chain

import psycopg
import pytest

from ledger.audit import Verdict, audit_books
from ledger.errors import NonceConflict
from ledger.models import PUBLIC, Account, Book, Entry
from ledger.operations import MoneyOperation
from ledger.services import Draft, append
from ledger.services.books import open_book
from tests.factories import ApplicantFactory, OrganisationFactory
from tests.ledger.pen import Pen
from tests.ledger.writers import at_once, closing, connecting, who_waits_for

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


def gift(nonce, amount=500):
    return Draft(
        operation=MoneyOperation.DONATION_RECEIVED,
        amount=amount,
        currency="EUR",
        debit="stripe",
        credit="fund:general",
        nonce=nonce,
    )


@pytest.fixture
def many_connections(transactional_db):
    with connecting(pool={"max_size": 20}):
        yield


def test_sixteen_who_write_the_same_get_one_answer(many_connections):
    book = OrganisationFactory().books.get()

    answers = at_once(*[partial(append, book=book, drafts=[gift("same")])] * 16)

    [stored] = Entry.objects.filter(sequence__gt=0)
    assert [[entry.line for entry in answer] for answer in answers] == [[stored.line]] * 16
    assert Account.objects.get(name="stripe").debits == 500


def test_of_two_contents_under_one_nonce_one_wins_everywhere(many_connections):
    book = OrganisationFactory().books.get()
    writes = [partial(append, book=book, drafts=[gift("same", 1 + n % 2)]) for n in range(16)]

    answers = at_once(*writes)

    [stored] = Entry.objects.filter(sequence__gt=0)
    winners, losers = answers[stored.amount - 1 :: 2], answers[2 - stored.amount :: 2]
    assert [[entry.line for entry in answer] for answer in winners] == [[stored.line]] * 8
    assert [type(answer) for answer in losers] == [NonceConflict] * 8
    assert Account.objects.get(name="stripe").debits == stored.amount


def test_batches_that_overlap_in_any_order_write_each_nonce_once(many_connections):
    book = OrganisationFactory().books.get()
    batches = [[gift(f"{n % 12}") for n in range(first, first + 6)] for first in range(8)]
    batches = [batch[:: 1 if number % 2 else -1] for number, batch in enumerate(batches)]

    answers = at_once(*[partial(append, book=book, drafts=batch) for batch in batches])

    stored = {entry.nonce: entry.sequence for entry in Entry.objects.filter(sequence__gt=0)}
    assert sorted(stored.values()) == list(range(1, 13))
    for batch, answer in zip(batches, answers, strict=True):
        assert [entry.sequence for entry in answer] == [stored[draft.nonce] for draft in batch]
    assert Account.objects.get(name="stripe").debits == 12 * 500


def test_writers_of_many_organisations_leave_every_book_whole(many_connections):
    books = [OrganisationFactory().books.get() for _ in range(4)]

    def write(book, writer):
        return [append(book=book, drafts=[gift(f"{writer}:{n}")])[0].sequence for n in range(8)]

    answers = at_once(*[partial(write, book, writer) for book in books for writer in range(4)])

    for place in range(4):
        written = chain(*answers[4 * place : 4 * place + 4])
        assert sorted(written) == list(range(1, 33))
    reports = list(audit_books())
    assert [(report.verdict, report.entries) for report in reports] == [(Verdict.VALID, 33)] * 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("commit", [True, False])
def test_an_account_that_another_opens_meanwhile_is_moved(pen, application_connection, commit):
    rival, watcher = started(application_connection), application_connection()
    rival.execute(
        "INSERT INTO ledger_account (organisation_id, book, currency, name) "
        "VALUES (%s, 'public', 'EUR', 'fund:new')",
        [pen.organisation],
    )
    book = Book.objects.get(organisation_id=pen.organisation)
    draft = replace(gift("first"), credit="fund:new")

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(closing(append), book=book, drafts=[draft])
        who_waits_for(rival, watcher)
        rival.commit() if commit else rival.rollback()
        [entry] = writing.result(20)

    assert pen.head() == (4, entry.entry_hash)
    assert pen.sums()["fund:new"] == (0, 500)
