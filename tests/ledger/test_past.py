"""What a book said at an earlier moment: when, in all accounts, in one, and line by line."""

from datetime import UTC, datetime, timedelta

import pytest

from credits.operations import CreditOperation
from ledger.models import Account, Entry
from ledger.operations import MoneyOperation
from ledger.services import Draft, append
from ledger.services.attestations import ACCOUNTS_A_PART, attest_balances
from ledger.services.books import open_book
from tests.factories import OrganisationFactory, gift_entries
from tests.ledger.test_append import at

pytestmark = pytest.mark.django_db

NOON = datetime(2999, 1, 1, 12, tzinfo=UTC)
PAYOUT = {"operation": MoneyOperation.PAYOUT_SENT, "debit": "in_transit", "credit": "stripe"}


@pytest.fixture
def organisation():
    return OrganisationFactory()


@pytest.fixture
def book(organisation):
    return organisation.books.get()


def amounts(accounts):
    return {(account.currency, account.name): account.amount for account in accounts}


def account_of(organisation, name, currency="EUR", book="public"):
    return Account.objects.of(organisation, book).get(name=name, currency=currency)


@pytest.mark.parametrize("count", range(5))
def test_a_moment_is_after_the_last_entry_recorded_by_then(organisation, count):
    for number in range(count):
        with at(NOON + timedelta(minutes=number)):
            gift_entries(organisation, 2, first=2 * number)
    book = organisation.books.get()

    found = [book.sequence_at(NOON + timedelta(minutes=number, seconds=-1)) for number in range(7)]
    exactly = [book.sequence_at(NOON + timedelta(minutes=number)) for number in range(count)]

    assert found == [min(2 * number, 2 * count) for number in range(7)]
    assert exactly == [2 * number + 2 for number in range(count)]


def test_before_the_book_began_there_is_no_entry(book):
    began = Entry.objects.get().recorded_at

    assert book.sequence_at(began) == 0
    assert book.sequence_at(began - timedelta(seconds=1)) is None
    assert book.sequence_at(datetime.min.replace(tzinfo=UTC)) is None


def test_balances_were_what_they_are_while_it_goes_on(organisation, book):
    seen = {0: amounts(Account.objects.of(organisation).money())}
    for number in range(12):
        if number in (4, 7):
            attest_balances(book=book)
        change = PAYOUT if number % 3 == 2 else {"currency": "JPY" if number % 4 == 3 else "EUR"}
        [entry] = gift_entries(organisation, first=number, amount=number * 10, **change)
        seen[entry.sequence] = amounts(Account.objects.of(organisation).money())

    for sequence in range(15):
        state = max(before for before in seen if before <= sequence)
        past = Account.objects.money_at(organisation, sequence)
        assert amounts(past) == seen[state]
        for name, currency in {("stripe", "EUR"), ("fund:winter-shelter", "JPY")}:
            found = account_of(organisation, name, currency).balance_at(sequence)
            assert found == seen[state].get((currency, name), 0)


def test_balances_go_on_from_an_attestation(organisation, book):
    gift_entries(organisation, 3)
    attest_balances(book=book)
    gift_entries(organisation, 2, first=3)

    for sequence, amount in [(3, 15000), (4, 15000), (5, 20000), (6, 25000)]:
        assert account_of(organisation, "stripe").balance_at(sequence) == amount


def test_balances_go_on_from_an_attestation_in_parts(organisation, book):
    for number in range(ACCOUNTS_A_PART):
        gift_entries(organisation, first=number, credit=f"fund:n{number:03}", amount=10 + number)
    parts = attest_balances(book=book)
    told = {"presentment": {"amount": 1, "currency": "USD"}}
    for number in range(2):
        gift_entries(organisation, first=100 + number, credit="fund:n001", metadata=told)
    last = parts[-1].sequence

    assert len(parts) == 2
    for sequence in range(parts[0].sequence, last + 3):
        assert Entry.objects.of(organisation).attestation(sequence) == parts
    fund = account_of(organisation, "fund:n001")
    assert [fund.balance_at(last + more) for more in range(3)] == [11, 5011, 10011]
    assert account_of(organisation, "fund:n059").balance_at(last + 2) == 10 + 59


def test_an_owners_credits_were_what_came_before(organisation):
    book = open_book(organisation=organisation, name="credits")
    for number, (operation, amount) in enumerate(
        [("CREDIT_ADD", 10), ("CREDIT_SPEND", 4), ("CREDIT_ADD", 1), ("CONTENT_ACCESS", 0)]
    ):
        names = ["issued", "owner:ann"]
        debit, credit = names[::-1] if operation == "CREDIT_SPEND" else names
        draft = Draft(
            operation=CreditOperation(operation),
            amount=amount,
            currency="CREDIT",
            debit=debit,
            credit=credit,
            nonce=str(number),
        )
        append(book=book, drafts=[draft])
    ann = account_of(organisation, "owner:ann", "CREDIT", "credits")
    issued = account_of(organisation, "issued", "CREDIT", "credits")

    assert [ann.balance_at(sequence) for sequence in range(6)] == [0, 10, 6, 7, 7, 7]
    assert [issued.balance_at(sequence) for sequence in range(6)] == [0, 10, 6, 7, 7, 7]


def test_a_statement_has_the_balance_after_each_entry(organisation):
    gift_entries(organisation, 2)
    gift_entries(organisation, first=2, amount=4000, **PAYOUT)
    gift_entries(organisation, first=3, currency="JPY")
    gift_entries(organisation, first=4, debit="fund:winter-shelter", credit="held", amount=1,
                 operation=MoneyOperation.DONATION_HELD)  # fmt: skip

    for name, expected in {
        "stripe": [(3, -4000, 6000), (2, 5000, 10000), (1, 5000, 5000)],
        "in_transit": [(3, 4000, 4000)],
        "fund:winter-shelter": [(5, -1, 9999), (2, 5000, 10000), (1, 5000, 5000)],
        "held": [(5, 1, 1)],
    }.items():
        account = account_of(organisation, name)
        legs = account.with_balances(account.legs().newest(10))
        assert [(leg.sequence, leg.change, leg.balance) for leg in legs] == expected
        older = account.with_balances(account.legs().newest(10, before=2))
        assert [(leg.sequence, leg.change, leg.balance) for leg in older] == [
            row for row in expected if row[0] < 2
        ]


def test_a_statement_is_of_its_own_book_alone(organisation):
    gift_entries(OrganisationFactory())
    gift_entries(organisation)

    for name in ("stripe", "fund:winter-shelter"):
        [leg] = account_of(organisation, name).legs()
        assert leg.organisation_id == organisation.id


def test_views_have_names(organisation, book):
    [entry] = gift_entries(organisation)
    [leg] = account_of(organisation, "fund:winter-shelter").legs()

    assert str(leg) == str(entry) == "public/1 DONATION_RECEIVED"


def test_a_private_book_has_its_own_past(organisation, book):
    private = open_book(organisation=organisation, name="credits")
    issue = {"currency": "CREDIT", "debit": "issued", "credit": "owner:ann", "amount": 2}
    drafts = [Draft(CreditOperation.CREDIT_ADD, **issue, nonce=f"n{n}") for n in range(4)]
    append(book=private, drafts=drafts)
    gift_entries(organisation, 2)
    attest_balances(book=book)

    account = account_of(organisation, "owner:ann", "CREDIT", "credits")

    assert [account.balance_at(sequence) for sequence in range(5)] == [0, 2, 4, 6, 8]


def test_amounts_of_the_past_are_whole_numbers(organisation):
    gift_entries(organisation)

    accounts = Account.objects.money_at(organisation, 1)

    assert {type(account.amount) for account in accounts} == {int}


def test_only_corrections_reverse():
    said = {"metadata": {"reverses": 1}}

    assert Entry(operation="CORRECTION", **said).reverses == 1
    assert Entry(operation="SPENT", **said).reverses is None
