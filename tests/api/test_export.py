"""The export: whole books as files, streamed."""

import csv
import hashlib
import json
import re
from io import StringIO

import pytest

from ledger import export, line
from ledger.models import Entry
from ledger.operations import MoneyOperation
from ledger.services.attestations import attest_balances
from ledger.services.corrections import correct_entry
from tests.factories import OrganisationFactory, gift_entries

URL = "/v1/public/organisations/lantern/ledger/export"


def body_of(response) -> str:
    """Return what was streamed."""
    assert response.status_code == 200
    return b"".join(response.streaming_content).decode()


@pytest.fixture
def small_batches(monkeypatch):
    """Read three entries at a time."""
    monkeypatch.setattr(export, "BATCH_SIZE", 3)


@pytest.mark.usefixtures("small_batches")
def test_ndjson_is_the_stored_lines_in_order(client, organisation):
    gift_entries(organisation, 7)
    gift_entries(OrganisationFactory(), 2)

    response = client.get(URL, {"format": "ndjson"})
    text = body_of(response)

    assert response["Content-Type"] == "application/x-ndjson"
    assert response["Content-Disposition"] == 'attachment; filename="lantern-public.ndjson"'
    stored = Entry.objects.of(organisation).order_by("sequence").values_list("line", flat=True)
    assert text == "".join(f"{each}\n" for each in stored)
    previous = None
    for sequence, each in enumerate(text.splitlines()):
        fields = line.parse(each.encode())
        assert (fields["sequence"], fields["prev_entry_hash"]) == (sequence, previous)
        previous = "sha256:" + hashlib.sha256(each.encode()).hexdigest()


def test_ndjson_is_what_comes_when_nothing_is_said(client, organisation):
    assert body_of(client.get(URL)) == body_of(client.get(URL, {"format": "ndjson"}))


@pytest.mark.usefixtures("small_batches")
def test_json_is_one_array_of_the_lines(client, organisation):
    gift_entries(organisation, 7)

    response = client.get(URL, {"format": "json"})

    assert response["Content-Type"] == "application/json"
    assert [row["sequence"] for row in json.loads(body_of(response))] == list(range(8))


def test_json_of_an_empty_book_is_an_empty_array(organisation):
    book = organisation.books.get()
    book.size = 0

    assert json.loads("".join(export.write_json(book))) == []


def test_an_export_is_the_book_as_it_was_when_it_began(client, organisation):
    gift_entries(organisation, 2)

    response = client.get(URL)
    gift_entries(organisation, 5, first=10)

    assert len(body_of(response).splitlines()) == 3


@pytest.mark.usefixtures("small_batches")
def test_csv_runs_no_formula_in_a_spreadsheet(client, organisation):
    gift_entries(organisation, 4)
    gift_entries(OrganisationFactory(), 2)
    book = organisation.books.get()
    export_rows = client.get(URL, {"format": "csv"})

    rows = list(csv.DictReader(StringIO(body_of(export_rows))))

    assert export_rows["Content-Type"] == "text/csv; charset=utf-8"
    assert len(rows) == book.size
    assert rows[1]["amount"] == "5000"
    assert rows[1]["amount_decimal"] == "50.00"
    assert rows[0]["amount_decimal"] == "0"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", rows[1]["occurred_at"])
    assert line.hash_of(rows[2]["line"]) == rows[2]["entry_hash"]
    assert rows[0]["prev_entry_hash"] == ""


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_cell_that_looks_like_a_formula_is_text(text):
    assert export._cell(text) == f"'{text}"


@pytest.mark.usefixtures("small_batches")
def test_beancount_has_places_as_assets_and_purposes_as_equity(client, db):
    organisation = OrganisationFactory(slug="lantern", name='The "Lantern" \\ Trust\nII')
    gift_entries(organisation, 2)
    external = {"operation": MoneyOperation.EXTERNAL_ACTIVITY, "credit": "external"}
    gift_entries(organisation, first=2, currency="JPY", amount=300, **external)
    gift_entries(
        organisation,
        first=3,
        operation=MoneyOperation.PAYOUT_ARRIVED,
        debit="bank:main-2",
        credit="in_transit",
    )

    text = body_of(client.get(URL, {"format": "beancount"}))

    assert text.startswith(
        'option "title" "The \\"Lantern\\" \\\\ Trust II"\noption "operating_currency" "EUR"\n'
    )
    assert "1970-01-01 open Assets:Stripe EUR,JPY\n" in text
    assert "1970-01-01 open Equity:Fund:Winter-Shelter EUR\n" in text
    assert "  Assets:Stripe  50.00 EUR\n  Equity:Fund:Winter-Shelter  -50.00 EUR\n" in text
    assert "  Assets:Stripe  300 JPY\n  Equity:External  -300 JPY\n" in text
    assert "  Assets:Bank:Main-2  50.00 EUR\n  Assets:In-Transit  -50.00 EUR\n" in text
    assert re.search(r"^; 0 GENESIS sha256:[0-9a-f]{64}$", text, re.MULTILINE)


@pytest.mark.usefixtures("small_batches")
def test_beancount_has_every_entry_of_the_book_and_no_other(client, organisation):
    gift_entries(OrganisationFactory(), 2, currency="USD")
    gift_entries(organisation, 2)
    gift, other = Entry.objects.of(organisation).filter(sequence__gt=0).order_by("sequence")
    taken_back = correct_entry(entry=gift, reason="Booked twice.")
    [attested] = attest_balances(book=organisation.books.get())
    [dollars] = gift_entries(organisation, first=2, currency="USD")

    text = body_of(client.get(URL, {"format": "beancount"}))

    def booked(entry):
        return (
            f'\n{entry.occurred_at:%Y-%m-%d} * "{entry.operation}"\n'
            f"  sequence: {entry.sequence}\n"
            f'  nonce: "{entry.nonce}"\n'
            f'  entry_hash: "{entry.entry_hash}"\n'
            + (
                "  Equity:Fund:Winter-Shelter  50.00 EUR\n  Assets:Stripe  -50.00 EUR\n"
                if entry.reverses
                else f"  Assets:Stripe  50.00 {entry.currency}\n"
                f"  Equity:Fund:Winter-Shelter  -50.00 {entry.currency}\n"
            )
        )

    genesis = Entry.objects.of(organisation).get(sequence=0)
    assert text == (
        'option "title" "Lantern"\noption "operating_currency" "EUR"\n\n'
        "1970-01-01 open Equity:Fund:Winter-Shelter EUR,USD\n"
        "1970-01-01 open Assets:Stripe EUR,USD\n"
        f"\n; 0 GENESIS {genesis.entry_hash}\n"
        + "".join(booked(entry) for entry in (gift, other, taken_back))
        + f"\n; 4 BALANCE_ATTESTATION {attested.entry_hash}\n"
        + booked(dollars)
    )


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("start", range(9))
def test_whoever_has_the_beginning_asks_for_the_rest(client, organisation, start):
    gift_entries(organisation, 7)
    lines = body_of(client.get(URL)).splitlines(keepends=True)

    rest = {
        name: body_of(client.get(URL, {"format": name, "from_sequence": start}))
        for name in ("ndjson", "json", "csv", "beancount")
    }

    assert rest["ndjson"] == "".join(lines[start:])
    assert [row["sequence"] for row in json.loads(rest["json"])] == list(range(start, 8))
    table = csv.DictReader(StringIO(rest["csv"]))
    assert [int(row["sequence"]) for row in table] == list(range(start, 8))
    booked = re.findall(r"^(?:; |  sequence: )(\d+)", rest["beancount"], re.MULTILINE)
    assert booked == [str(sequence) for sequence in range(start, 8)]


@pytest.mark.parametrize("sequence", ["", "-1", "01", "1.0", "x", "9" * 17])
def test_a_beginning_that_is_no_sequence_is_refused(client, organisation, sequence):
    response = client.get(URL, {"from_sequence": sequence})

    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    [error] = response.json()["errors"]
    assert (error["field"], error["code"]) == ("from_sequence", "invalid_sequence")
    assert error["detail"] == "Write the sequence of an entry: a whole number from 0 on."


def test_nobody_has_more_of_a_book_than_there_is(client, organisation):
    gift_entries(organisation, 7)

    response = client.get(URL, {"from_sequence": 9})

    assert response.status_code == 400
    assert response.json()["code"] == "not_yet_there"
    assert response.json()["detail"] == "The book does not reach that far: it has 8 entries."


@pytest.mark.parametrize("name", ["", "xml", "NDJSON", "ndjson ", "\x00"])
def test_an_unknown_format_is_refused(client, organisation, name):
    response = client.get(URL, {"format": name})

    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    [error] = response.json()["errors"]
    assert (error["field"], error["code"]) == ("format", "unknown_format")
    assert error["detail"] == "Choose one of ndjson, json, csv, beancount."


def test_whoever_has_the_book_is_not_sent_it_again(client, organisation):
    first = client.get(URL)

    assert client.get(URL, headers={"If-None-Match": first["ETag"]}).status_code == 304
    assert (
        client.get(f"{URL}?format=csv", headers={"If-None-Match": first["ETag"]}).status_code == 200
    )
    rest = client.get(f"{URL}?from_sequence=1", headers={"If-None-Match": first["ETag"]})
    assert rest.status_code == 200


@pytest.mark.parametrize("accepted", ["text/csv", "application/x-ndjson", "nonsense", "\xff"])
def test_what_is_accepted_changes_nothing(client, organisation, accepted):
    assert client.get(URL, headers={"Accept": accepted}).status_code == 200


@pytest.mark.usefixtures("small_batches", "transactional_db")
def test_a_reader_who_goes_away_leaves_nothing_behind(client, superuser_connection):
    organisation = OrganisationFactory(slug="lantern")
    gift_entries(organisation, 9)
    response = client.get(URL)
    chunks = iter(response.streaming_content)
    next(chunks)
    query = (
        "SELECT state FROM pg_stat_activity "
        "WHERE usename = 'almoner' AND datname = current_database()"
    )

    half_read = superuser_connection.execute(query).fetchall()
    response.close()

    assert set(half_read) == {("idle",)}
    assert client.get("/v1/public/organisations").status_code == 200
