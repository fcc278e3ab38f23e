"""The public ledger over the API: lists, one entry, the head, the balances."""

import json
from datetime import UTC, datetime

import pytest

from ledger import line
from ledger.models import Entry
from ledger.operations import MoneyOperation
from tests.factories import ApplicantFactory, OrganisationFactory, gift_entries

BASE = "/v1/public/organisations"


def walk(client, url, way="next"):
    """Return the pages from `url` on."""
    pages = []
    while url:
        response = client.get(url)
        assert response.status_code == 200, response.content
        pages.append(response.json())
        url = pages[-1][way]
    return pages


def test_approved_organisations_are_public_in_the_order_of_their_slugs(client, db):
    OrganisationFactory(slug="zebra")
    OrganisationFactory(slug="ant", website="https://ant.example")
    ApplicantFactory(slug="mole")

    found = client.get(BASE).json()

    assert [row["slug"] for row in found["results"]] == ["ant", "zebra"]
    assert found["results"][0]["page_url"] == "http://localhost:8000/o/ant"
    assert found["next"] is found["previous"] is None
    assert "stripe_account" not in found["results"][0]


def test_an_organisation_is_found_by_id_and_by_slug(client, organisation):
    by_id = client.get(f"{BASE}/{organisation.id}")
    by_slug = client.get(f"{BASE}/lantern")

    assert by_id.json() == by_slug.json()
    assert by_id.json()["id"] == organisation.id
    assert by_id.json()["approved_at"].endswith("Z")


@pytest.mark.parametrize(
    "path",
    [
        "", "/ledger", "/ledger/head", "/ledger/export", "/ledger/entries/0", "/balances",
    ],
)  # fmt: skip
def test_what_staff_have_not_approved_is_not_there(client, db, path):
    ApplicantFactory(slug="mole")

    for name in ("mole", "nobody", "%00", "no%20body", "org_01jf", "%F0%9F%98%80"):
        response = client.get(f"{BASE}/{name}{path}")

        assert response.status_code == 404
        assert response["Content-Type"] == "application/problem+json"
        assert response.json()["code"] == "not_found"


def test_entries_are_listed_newest_first_and_paged_both_ways(client, organisation):
    gift_entries(organisation, 6)
    url = f"{BASE}/lantern/ledger?page_size=3"

    pages = walk(client, url)
    backwards = walk(client, pages[-1]["previous"], "previous")

    assert [[row["sequence"] for row in page["results"]] for page in pages] == [
        [6, 5, 4], [3, 2, 1], [0],
    ]  # fmt: skip
    assert pages[0]["previous"] is None
    assert [page["results"] for page in backwards] == [pages[1]["results"], pages[0]["results"]]


def test_a_page_of_a_growing_list_repeats_nothing(client, organisation):
    gift_entries(organisation, 4)
    first = client.get(f"{BASE}/lantern/ledger?page_size=2").json()
    gift_entries(organisation, 3, first=10)

    second = client.get(first["next"]).json()

    assert [row["sequence"] for row in second["results"]] == [2, 1]


def test_other_organisations_entries_are_not_listed(client, organisation):
    gift_entries(OrganisationFactory(), 3)

    found = client.get(f"{BASE}/{organisation.id}/ledger").json()

    assert [row["operation"] for row in found["results"]] == ["GENESIS"]


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "%00", "W10:abc", "WzEsMl0:xx", "é", "%ff", "a" * 5000, "eyJhIjoxfQ", ":", "%2B%2B"],
)
def test_a_garbled_cursor_is_refused(client, organisation, cursor):
    response = client.get(f"{BASE}/lantern/ledger?cursor={cursor}")

    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "invalid_cursor"


def test_a_cursor_serves_one_list_and_unchanged_only(client, organisation):
    gift_entries(organisation, 3)
    other = OrganisationFactory()
    url = client.get(f"{BASE}/lantern/ledger?page_size=2").json()["next"]

    elsewhere = client.get(url.replace("lantern", other.slug))
    changed = client.get(url.replace("cursor=W", "cursor=X"))

    assert elsewhere.status_code == changed.status_code == 400


@pytest.mark.parametrize("size", ["0", "-1", "201", "x", "", "1.0", "\u0663", "1" * 400])
def test_an_odd_page_size_is_refused(client, organisation, size):
    response = client.get(f"{BASE}/lantern/ledger", {"page_size": size})

    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "page_size"


def test_a_page_that_has_become_empty_leads_nowhere(client, organisation):
    gift_entries(organisation, 2)
    url = f"{BASE}/lantern/ledger?page_size=1"
    pages = walk(client, url)

    last = client.get(pages[-1]["previous"]).json()
    nothing = client.get(pages[0]["next"] + "&operation=PAYOUT_SENT").json()

    assert [row["sequence"] for row in last["results"]] == [1]
    assert nothing == {"next": None, "previous": None, "results": []}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"operation": "PAYOUT_SENT"}, [3]),
        ({"operation": "DISPUTE_WON"}, []),
        ({"since": "2026-03-02"}, [3, 2, 0]),
        ({"until": "2026-03-02"}, [2, 1]),
        ({"since": "2026-03-02", "until": "2026-03-02"}, [2]),
        ({"since": "2026-03-02T10:00:00Z", "until": "2026-03-02T10:00:00Z"}, [2]),
        ({"since": "2026-03-02T12:00:01+02:00", "until": "2026-03-04"}, [3]),
        ({"until": "2026-03-02t09:59:59.999z"}, [1]),
        ({"since": "0001-01-01T00:00:00+14:00", "until": "9999-12-31"}, [3, 2, 1, 0]),
    ],
)
def test_entries_are_filtered(client, organisation, query, expected):
    gift_entries(organisation, occurred_at=datetime(2026, 3, 1, tzinfo=UTC))
    gift_entries(organisation, first=1, occurred_at=datetime(2026, 3, 2, 10, tzinfo=UTC))
    gift_entries(
        organisation,
        first=2,
        operation=MoneyOperation.PAYOUT_SENT,
        debit="in_transit",
        credit="stripe",
        occurred_at=datetime(2026, 3, 3, tzinfo=UTC),
    )

    found = client.get(f"{BASE}/lantern/ledger", query).json()

    assert [row["sequence"] for row in found["results"]] == expected


@pytest.mark.parametrize("name", ["since", "until"])
@pytest.mark.parametrize(
    "value",
    [
        "", "yesterday", "2026-02-30", "2026-3-1", "2026-03-01T10:00:00", "2026-03-01 10:00:00Z",
        "\u0662\u0660\u0662\u0666-03-01", "2026-03-01T25:00:00Z", "2026-03-01T10:00:00 02:00",
        "\x00", "0000-01-01",
        "2026-03-01T10:00:00+25:00", "2026-03-01T10:00:60Z", "20260301", "2026-W09-7",
    ],
)  # fmt: skip
def test_an_odd_time_is_refused(client, organisation, name, value):
    response = client.get(f"{BASE}/lantern/ledger", {name: value})

    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == name


@pytest.mark.parametrize("value", ["", "genesis", "NO_SUCH_THING", "\x00"])
def test_an_unknown_operation_is_refused(client, organisation, value):
    response = client.get(f"{BASE}/lantern/ledger", {"operation": value})

    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert (error["field"], error["code"]) == ("operation", "unknown_operation")
    assert error["detail"] == f"Choose one of {', '.join(MoneyOperation)}."


def test_an_entry_has_all_columns_and_the_exact_line(client, organisation):
    [entry] = gift_entries(organisation, metadata={"note": 'Zoë "quoted" \u2028'})

    found = client.get(f"{BASE}/lantern/ledger/entries/1").json()

    assert line.hash_of(found["line"]) == found["entry_hash"] == entry.entry_hash
    parts = json.loads(found.pop("line"))
    assert parts.pop("version") == 1
    assert found.pop("entry_hash")
    assert found.pop("reverses") is found.pop("corrected_by") is None
    assert found == parts
    assert set(found) | {"line", "entry_hash"} == {
        field.attname for field in Entry._meta.get_fields() if field.concrete and field.name != "pk"
    }


@pytest.mark.parametrize(
    "sequence", ["1", "9223372036854775807", "9223372036854775808", "9" * 5000, "-1", "x", "%00"]
)
def test_an_entry_that_is_not_there_is_a_404(client, organisation, sequence):
    response = client.get(f"{BASE}/lantern/ledger/entries/{sequence}")

    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


def test_the_head_says_where_the_book_ends(client, organisation):
    [entry] = gift_entries(organisation)
    gift_entries(OrganisationFactory(), 4)
    url = f"{BASE}/lantern/ledger/head"

    response = client.get(url)
    again = client.get(url, headers={"If-None-Match": response["ETag"]})
    gift_entries(organisation, first=1)
    later = client.get(url, headers={"If-None-Match": response["ETag"]})

    assert response.json() == {"size": 2, "head_hash": entry.entry_hash, "checkpoint": None}
    assert (again.status_code, again.content) == (304, b"")
    assert later.json()["size"] == 3


@pytest.mark.parametrize(
    "path",
    [
        "", "/ledger", "/ledger/head", "/ledger/entries/1", "/balances", "/balances?at_sequence=1",
        "/balances?at=2999-01-01", "/accounts/stripe/entries",
    ],
)  # fmt: skip
def test_what_others_do_changes_no_answer(client, organisation, path):
    gift_entries(organisation, 2)
    before = client.get(f"{BASE}/lantern{path}")

    gift_entries(OrganisationFactory(), 3, amount=1)

    assert before.status_code == 200
    assert client.get(f"{BASE}/lantern{path}").json() == before.json()


def test_balances_show_both_sides_with_money_positive(client, organisation):
    gift_entries(OrganisationFactory(), 3, currency="USD")
    gift_entries(organisation, 2)
    gift_entries(organisation, first=2, currency="JPY", amount=300)
    gift_entries(
        organisation,
        first=3,
        operation=MoneyOperation.PAYOUT_SENT,
        amount=4000,
        debit="in_transit",
        credit="stripe",
    )

    response = client.get(f"{BASE}/lantern/balances")

    assert response["Cache-Control"] == "no-cache"
    assert response.json() == {
        "places": [
            {"account": "in_transit", "currency": "EUR", "amount": 4000},
            {"account": "stripe", "currency": "EUR", "amount": 6000},
            {"account": "stripe", "currency": "JPY", "amount": 300},
        ],
        "purposes": [
            {"account": "fund:winter-shelter", "currency": "EUR", "amount": 10000},
            {"account": "fund:winter-shelter", "currency": "JPY", "amount": 300},
        ],
    }


def test_a_wrong_key_does_not_shut_what_is_public(client, organisation):
    response = client.get(f"{BASE}/lantern/balances", headers={"Authorization": "Bearer é"})

    assert response.status_code == 200
