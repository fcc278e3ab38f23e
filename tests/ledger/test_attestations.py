"""What a public book attests of itself: when, in how many parts, and how anyone goes on from it."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from common.money import AMOUNT_MAX
from ledger import tasks
from ledger.audit import Verdict, audit_books
from ledger.line import BYTES_MAX
from ledger.models import Account, Entry
from ledger.operations import MoneyOperation
from ledger.services.attestations import ACCOUNTS_A_PART, attest_balances
from ledger.services.books import open_book
from tests.factories import OrganisationFactory, gift_entries
from tests.ledger.test_append import at
from tests.ledger.writers import closing
from verifier.almoner_verify import Verification

pytestmark = pytest.mark.django_db


@pytest.fixture
def organisation():
    return OrganisationFactory(slug="lantern")


@pytest.fixture
def book(organisation):
    return organisation.books.get()


def attested(entries):
    """Return the accounts that an attestation lists, in its order."""
    return [
        (row["currency"], row["account"], row["debits"], row["credits"])
        for entry in entries
        for row in (entry.metadata.get(f"a{place}") for place in range(100))
        if row
    ]


def sums():
    accounts = Account.objects.exclude(kind="genesis").order_by("currency", "name")
    return list(accounts.values_list("currency", "name", "debits", "credits"))


def verdict():
    """Return what the stand-alone verifier says of the one book."""
    lines = Entry.objects.order_by("sequence").values_list("line", flat=True)
    return Verification().run(f"{line}\n".encode() for line in lines).verdict


def test_it_says_the_sums_of_every_account(organisation, book):
    gift_entries(organisation, 2)
    gift_entries(organisation, first=2, currency="JPY", amount=0, credit="fund:a")

    [entry] = attest_balances(book=book)

    assert (entry.sequence, entry.operation, entry.amount) == (4, "BALANCE_ATTESTATION", 0)
    assert (entry.currency, entry.debit, entry.credit) == ("XXX", "genesis", "genesis:end")
    assert entry.nonce == "attestation:4:1"
    assert entry.metadata == {
        "size": 4, "part": 1, "parts": 1, "accounts": 4,
        "a0": {"account": "fund:winter-shelter", "currency": "EUR", "debits": 0, "credits": 10000},
        "a1": {"account": "stripe", "currency": "EUR", "debits": 10000, "credits": 0},
        "a2": {"account": "fund:a", "currency": "JPY", "debits": 0, "credits": 0},
        "a3": {"account": "stripe", "currency": "JPY", "debits": 0, "credits": 0},
    }  # fmt: skip
    assert verdict() == "VALID"


def test_a_book_without_money_attests_that(book):
    [entry] = attest_balances(book=book)

    assert entry.metadata == {"size": 1, "part": 1, "parts": 1, "accounts": 0}
    assert verdict() == "VALID"


def test_nothing_new_is_attested_once(organisation, book):
    gift_entries(organisation)
    first = attest_balances(book=book)

    assert attest_balances(book=book) == first
    gift_entries(organisation, first=1)
    [second] = attest_balances(book=book)
    assert (second.sequence, second.metadata["size"]) == (4, 4)
    assert Entry.objects.count() == 5


@pytest.mark.parametrize(
    ("funds", "parts"), [(ACCOUNTS_A_PART - 1, 1), (ACCOUNTS_A_PART, 2), (2 * ACCOUNTS_A_PART, 3)]
)
def test_many_accounts_are_attested_in_parts(organisation, book, funds, parts):
    for number in range(funds):
        gift_entries(organisation, first=number, credit=f"fund:n{number}")

    entries = attest_balances(book=book)

    size = funds + 1
    assert [entry.sequence for entry in entries] == [size + part for part in range(parts)]
    assert {entry.metadata["parts"] for entry in entries} == {parts}
    assert {entry.metadata["accounts"] for entry in entries} == {funds + 1}
    assert attested(entries) == sums()
    assert attest_balances(book=book) == entries
    assert verdict() == "VALID"


def test_the_longest_names_and_sums_fit_in_a_line(organisation, book):
    for number in range(ACCOUNTS_A_PART // 2):
        bank, fund = (f"{kind}:{number:03}".ljust(160, "x") for kind in ("bank", "fund"))
        given = {"operation": MoneyOperation.OFFLINE_DONATION, "debit": bank, "credit": fund}
        spent = {"operation": MoneyOperation.SPENT, "debit": fund, "credit": bank}
        for first, move in enumerate((given, spent)):
            gift_entries(organisation, first=2 * number + first, amount=AMOUNT_MAX, **move)

    [entry] = attest_balances(book=book)

    assert attested([entry]) == sums()
    room = BYTES_MAX - len(entry.line)
    # The book's counts may grow to sixteen digits: in sequence, nonce and size.
    assert 3 * 14 < room < 1000


def test_a_private_book_attests_nothing(organisation):
    private = open_book(organisation=organisation, name="credits")

    with pytest.raises(AssertionError, match="private books attest nothing"):
        attest_balances(book=private)


def test_anyone_goes_on_from_the_last_one_with_plain_python(organisation, book):
    gift_entries(organisation, 5)
    attest_balances(book=book)
    gift_entries(organisation, 3, first=5, amount=700, credit="fund:general")
    attest_balances(book=book)
    payout = {"debit": "in_transit", "credit": "stripe", "operation": MoneyOperation.PAYOUT_SENT}
    gift_entries(organisation, 2, first=8, amount=100, **payout)
    gift_entries(organisation, first=10, currency="JPY")
    client = Client()
    url = f"/v1/public/organisations/{organisation.slug}"
    export = client.get(f"{url}/ledger/export").getvalue().decode()

    balances = {}
    for line in map(json.loads, export.splitlines()):
        if line["operation"] == "BALANCE_ATTESTATION":
            if line["metadata"]["part"] == 1:
                balances = {}
            for row in (row for row in line["metadata"].values() if isinstance(row, dict)):
                balances[row["account"], row["currency"]] = row["debits"] - row["credits"]
        elif line["currency"] != "XXX":
            for account, moved in [
                (line["debit"], line["amount"]),
                (line["credit"], -line["amount"]),
            ]:
                key = account, line["currency"]
                balances[key] = balances.get(key, 0) + moved

    sides = client.get(f"{url}/balances").json()
    served = {(row["account"], row["currency"]): row["amount"] for row in sides["places"]}
    served |= {(row["account"], row["currency"]): -row["amount"] for row in sides["purposes"]}
    assert balances == served
    assert len(balances) == 6


def due_at(moment, monkeypatch):
    """Run the task at a moment; return how many attestations there are then."""
    monkeypatch.setattr(tasks.timezone, "now", lambda: moment)
    tasks.attest_due(0)
    return Entry.objects.filter(operation="BALANCE_ATTESTATION").count()


def test_it_is_due_after_so_many_entries(organisation, monkeypatch):
    monkeypatch.setattr(tasks, "ENTRIES_BETWEEN", 3)
    now = datetime.now(UTC)

    gift_entries(organisation, 2)
    assert due_at(now, monkeypatch) == 0
    gift_entries(organisation, first=2)
    assert due_at(now, monkeypatch) == 1
    assert due_at(now, monkeypatch) == 1
    gift_entries(organisation, 3, first=3)
    assert due_at(now, monkeypatch) == 2
    assert due_at(now, monkeypatch) == 2


def test_it_is_due_a_day_after_the_last_if_anything_came(organisation, monkeypatch):
    day, now = timedelta(days=1), datetime(2999, 1, 1, tzinfo=UTC)

    assert due_at(now, monkeypatch) == 0
    with at(now):
        gift_entries(organisation)
        assert due_at(now, monkeypatch) == 1
    assert due_at(now + day, monkeypatch) == 1
    assert due_at(now + 2 * day, monkeypatch) == 1
    with at(now + 2 * day):
        gift_entries(organisation, first=1)
        assert due_at(now + day, monkeypatch) == 1
        assert due_at(now + day + timedelta(seconds=1), monkeypatch) == 2


def test_it_is_never_due_in_a_private_book(organisation, monkeypatch):
    open_book(organisation=organisation, name="credits")

    assert due_at(datetime(2999, 1, 1, tzinfo=UTC), monkeypatch) == 0


def test_a_book_that_fails_does_not_hold_up_the_others(monkeypatch, caplog):
    organisations = OrganisationFactory.create_batch(3)
    for organisation in organisations:
        gift_entries(organisation)
    attest = tasks.attest_balances

    def fail_once(*, book):
        if book.organisation_id == organisations[1].id:
            raise RuntimeError("no")
        return attest(book=book)

    monkeypatch.setattr(tasks, "attest_balances", fail_once)

    assert due_at(datetime(2999, 1, 1, tzinfo=UTC), monkeypatch) == 2
    [record] = caplog.records
    assert record.message == "attestation postponed"
    assert record.organisation == organisations[1].id
    assert record.reason == "RuntimeError: no"


@pytest.mark.django_db(transaction=True)
def test_the_audit_finds_books_with_attestations_valid():
    organisation = OrganisationFactory()
    for number in range(3):
        gift_entries(organisation, first=number)
        attest_balances(book=organisation.books.get())

    [report] = audit_books()
    assert report.verdict == Verdict.VALID


@pytest.mark.django_db(transaction=True)
def test_many_who_attest_and_write_at_once_attest_what_is_so():
    organisation = OrganisationFactory()
    book = organisation.books.get()

    def work(writer):
        for number in range(5):
            if writer % 2:
                attest_balances(book=book)
            else:
                gift_entries(organisation, first=writer * 5 + number)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(closing(work), range(6)))

    assert verdict() == "VALID"
    assert Entry.objects.filter(operation="DONATION_RECEIVED").count() == 15
