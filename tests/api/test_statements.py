"""The public ledger's past over the API: balances of any moment, statements, corrections."""

from datetime import UTC, datetime, timedelta

import pytest

from ledger.api.filters import HINT
from ledger.models import Entry
from ledger.operations import MoneyOperation
from ledger.services.attestations import attest_balances
from ledger.services.corrections import correct_entry
from tests.api.test_public_ledger import BASE, walk
from tests.factories import OrganisationFactory, gift_entries
from tests.ledger.test_append import at

NOON = datetime(2999, 1, 1, 12, tzinfo=UTC)
BALANCES = f"{BASE}/lantern/balances"
PAYOUT = {"operation": MoneyOperation.PAYOUT_SENT, "debit": "in_transit", "credit": "stripe"}


def statement(account="stripe", query=""):
    return f"{BASE}/lantern/accounts/{account}/entries{query}"


def rows_of(pages):
    return [
        (row["sequence"], row["change"], row["balance"])
        for page in pages
        for row in page["results"]
    ]


def test_balances_were_what_they_are_after_an_entry(client, organisation):
    seen = {}
    for number in range(6):
        gift_entries(
            organisation, first=number, amount=100 + number, **PAYOUT if number == 3 else {}
        )
        if number == 2:
            attest_balances(book=organisation.books.get())
        size = organisation.books.get().size
        seen[size - 1] = client.get(BALANCES).json()

    for sequence, balances in seen.items():
        found = client.get(BALANCES, {"at_sequence": sequence}).json()
        entry = Entry.objects.get(sequence=sequence)
        told = {"sequence": sequence, "at": f"{entry.recorded_at:%Y-%m-%dT%H:%M:%SZ}"}
        assert found == {**balances, **told}


def test_before_any_money_both_sides_are_empty(client, organisation):
    gift_entries(organisation)

    found = client.get(BALANCES, {"at_sequence": 0}).json()

    assert (found["places"], found["purposes"], found["sequence"]) == ([], [], 0)


@pytest.mark.parametrize(
    ("moment", "sequence"),
    [
        ("2999-01-01T12:00:00Z", 1),
        ("2999-01-01T13:00:00+01:00", 1),
        ("2999-01-01T12:59:59.999999z", 1),
        ("2999-01-01T13:00:00Z", 2),
        ("2999-01-01", 2),
        ("9999-12-31", 2),
        ("2998-12-31", 0),
    ],
)
def test_balances_at_a_moment_are_those_of_what_was_recorded(
    client, organisation, moment, sequence
):
    for number in range(2):
        with at(NOON + timedelta(hours=number)):
            gift_entries(organisation, first=number)

    found = client.get(BALANCES, {"at": moment}).json()

    assert found["sequence"] == sequence
    assert [row["amount"] for row in found["places"]] == [5000 * sequence] * bool(sequence)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"at_sequence": "2"}, "not_yet_there"),
        ({"at_sequence": "9" * 16}, "not_yet_there"),
        ({"at": "2000-01-01"}, "not_yet_there"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "not_yet_there"),
        ({"at_sequence": "9" * 17}, "invalid_sequence"),
        ({"at_sequence": "-1"}, "invalid_sequence"),
        ({"at_sequence": "01"}, "invalid_sequence"),
        ({"at_sequence": "1.0"}, "invalid_sequence"),
        ({"at_sequence": "\N{SUPERSCRIPT TWO}"}, "invalid_sequence"),
        ({"at_sequence": "\0"}, "invalid_sequence"),
        ({"at_sequence": ""}, "invalid_sequence"),
        ({"at": ""}, "invalid_time"),
        ({"at": "now"}, "invalid_time"),
        ({"at": "2026-02-30"}, "invalid_time"),
        ({"at": "2026-02-01T10:00:00"}, "invalid_time"),
        ({"at": "2026-02-01", "at_sequence": "1"}, "two_moments"),
    ],
)
def test_an_odd_moment_is_refused(client, organisation, query, code):
    gift_entries(organisation)

    response = client.get(BALANCES, query)

    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert code in (problem["code"], *(error["code"] for error in problem.get("errors", [])))


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ({"at": "2026-02-30"}, HINT),
        ({"at": "now"}, HINT),
        (
            {"at_sequence": "x"},
            "Write the sequence of an entry: a whole number from 0 on.",
        ),
        (
            {"at": "2026-02-01", "at_sequence": "1"},
            "Ask by `at` or by `at_sequence`, not by both.",
        ),
    ],
)
def test_an_odd_moment_is_answered_with_how_to_write_it(client, organisation, query, hint):
    gift_entries(organisation)

    [error] = client.get(BALANCES, query).json()["errors"]

    assert (error["field"], error["detail"]) == (next(iter(query)), hint)


def test_a_book_that_ends_before_says_where(client, organisation):
    gift_entries(organisation)

    problem = client.get(BALANCES, {"at_sequence": "2"}).json()

    assert problem["detail"] == "The book does not reach that far: its last entry is 1."
    earlier = client.get(BALANCES, {"at": "2000-01-01"}).json()
    assert earlier["detail"] == "The book had not begun by then."


def test_a_statement_is_paged_both_ways_with_the_balance_after_each_entry(client, organisation):
    gift_entries(organisation, 3)
    gift_entries(organisation, first=3, amount=12000, **PAYOUT)
    attest_balances(book=organisation.books.get())
    gift_entries(organisation, first=4, currency="JPY")
    gift_entries(organisation, first=5, credit="fund:general")

    pages = walk(client, statement(query="?page_size=2"))
    backwards = walk(client, pages[-1]["previous"], "previous")

    assert rows_of(pages) == [
        (7, 5000, 8000), (4, -12000, 3000), (3, 5000, 15000), (2, 5000, 10000), (1, 5000, 5000),
    ]  # fmt: skip
    assert [page["results"] for page in backwards] == [pages[1]["results"], pages[0]["results"]]
    for account, query, expected in [
        ("stripe", "?currency=JPY", [(6, 5000, 5000)]),
        ("in_transit", "?currency=EUR", [(4, 12000, 12000)]),
        ("fund:general", "", [(7, 5000, 5000)]),
    ]:
        assert rows_of(walk(client, statement(account, query))) == expected


def test_a_line_of_a_statement_has_all_of_its_entry(client, organisation):
    gift_entries(organisation)

    [row] = client.get(statement("fund:winter-shelter")).json()["results"]
    entry = client.get(f"{BASE}/lantern/ledger/entries/1").json()

    assert row == {**entry, "change": 5000, "balance": 5000}


def test_the_currency_is_the_organisations_unless_it_is_said(client, db):
    organisation = OrganisationFactory(slug="lantern", currency="JPY")
    gift_entries(organisation)
    gift_entries(organisation, first=1, currency="JPY")

    assert rows_of([client.get(statement()).json()]) == [(2, 5000, 5000)]


@pytest.mark.parametrize(
    "account", ["bank:main", "genesis", "%00", "stripe%00", "held", "x" * 5000, "owner:ann", "%2F"]
)
def test_an_account_that_is_not_there_is_a_404(client, organisation, account):
    gift_entries(organisation)

    response = client.get(statement(account))

    assert response.status_code == 404
    assert response.json()["code"] == "not_found"
    assert client.get(statement("stripe", "?currency=USD")).status_code == 404


@pytest.mark.parametrize(
    "currency", ["", "eur", "EURO", "\N{LATIN CAPITAL LETTER A WITH RING ABOVE}UD", "%00"]
)
def test_an_odd_currency_is_refused(client, organisation, currency):
    gift_entries(organisation)

    response = client.get(statement(query=f"?currency={currency}"))

    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert (error["field"], error["code"]) == ("currency", "invalid_currency")
    assert error["detail"] == "Write three capitals, such as EUR."


def test_a_page_of_a_statement_takes_as_many_queries_as_the_shortest(
    client, organisation, django_assert_num_queries
):
    gift_entries(organisation, 20)

    with django_assert_num_queries(5):
        client.get(statement())


def test_a_correction_and_what_it_corrects_name_each_other(client, organisation):
    first, _ = gift_entries(organisation, 2)
    correct_entry(entry=first, reason="Booked twice.")

    listed = client.get(f"{BASE}/lantern/ledger").json()["results"]
    one = client.get(f"{BASE}/lantern/ledger/entries/1").json()
    row = client.get(statement()).json()["results"][-1]

    names = [(entry["sequence"], entry["reverses"], entry["corrected_by"]) for entry in listed]
    assert names == [(3, 1, None), (2, None, None), (1, None, 3), (0, None, None)]
    assert one["corrected_by"] == row["corrected_by"] == 3
    assert listed[0]["metadata"] == {"reverses": 1, "reason": "Booked twice."}


def test_corrections_cost_a_list_no_queries(client, organisation, django_assert_num_queries):
    for entry in gift_entries(organisation, 5):
        correct_entry(entry=entry, reason="All wrong.")

    with django_assert_num_queries(2):
        client.get(f"{BASE}/lantern/ledger")
