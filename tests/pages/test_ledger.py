"""The public book as a page: pages of entries, filters, names, one entry."""

import html
import re
from hashlib import sha256
from subprocess import run

import pytest
from django.core.cache import cache

from ledger.models import Entry
from ledger.operations import MoneyOperation
from ledger.services.sealing import seal
from ledger.templatetags.entries import KINDS, account_words, operation_words, read_entry
from organisations.models import Organisation
from tests.factories import (
    NOON,
    ApplicantFactory,
    DonationFactory,
    FundFactory,
    OrganisationFactory,
)
from tests.pages.conftest import text_of, write

URL = "/o/lantern-house/ledger"
OFFLINE = MoneyOperation.OFFLINE_DONATION


def rows_of(response) -> list[int]:
    """Return the sequences of the entries shown."""
    return [int(row) for row in re.findall(r'data-sequence="(\d+)"', response.content.decode())]


def link_of(response, words: str) -> str:
    """Return where the button with these words leads."""
    page = response.content.decode()
    links = re.findall(r'<a class="button button--quiet" href="([^"]+)">(.*?)</a>', page, re.DOTALL)
    [link] = [link for link, inside in links if words in inside]
    return URL + html.unescape(link).partition("#")[0]


def test_a_new_book_shows_its_genesis(client, organisation):
    response = client.get(URL)

    assert rows_of(response) == [0]
    assert "The book begins" in response.content.decode()
    assert "Moves no money" in response.content.decode()


def test_entries_come_newest_first_fifty_a_page_and_back(client, organisation):
    write(organisation, *[{}] * 120)

    first = client.get(URL)
    second = client.get(link_of(first, "Older"))
    third = client.get(link_of(second, "Older"))
    back = client.get(link_of(third, "Newer"))
    front = client.get(link_of(back, "Newer"))

    assert rows_of(first) == rows_of(front) == list(range(120, 70, -1))
    assert rows_of(second) == rows_of(back) == list(range(70, 20, -1))
    assert rows_of(third) == list(range(20, -1, -1))
    assert "This is the newest page" in front.content.decode()
    assert "This is the oldest page" in third.content.decode()


def test_filters_narrow_and_stay_while_paging(client, organisation):
    spent = {
        "operation": MoneyOperation.SPENT,
        "debit": "fund:winter-shelter",
        "credit": "bank:main",
        "amount": 5,
    }
    write(organisation, *[{"operation": OFFLINE, "debit": "bank:main"}, spent] * 60)

    first = client.get(f"{URL}?operation=SPENT&account=bank%3Amain")
    second = client.get(link_of(first, "Older"))

    assert rows_of(first) == list(range(120, 20, -2))
    assert rows_of(second) == list(range(20, 0, -2))
    assert "10 matching entries" in second.content.decode()


def test_days_are_whole_and_in_utc(client, organisation):
    days = [NOON.replace(day=day, hour=hour) for day, hour in [(1, 23), (2, 0), (3, 23), (4, 0)]]
    write(organisation, *[{"occurred_at": day} for day in days])

    response = client.get(f"{URL}?since=2026-11-02&until=2026-11-03")

    assert rows_of(response) == [3, 2]


def test_every_filter_counts(client, organisation):
    early, late = NOON.replace(day=1), NOON.replace(day=20)
    fee = {"operation": MoneyOperation.PROCESSING_FEE, "debit": "fund:winter-shelter", "amount": 1}
    write(
        organisation,
        *[{"occurred_at": day} for day in (early, late)],
        *[{**fee, "credit": "stripe", "occurred_at": day} for day in (early, late)],
        *[
            {"operation": OFFLINE, "debit": "bank:main", "occurred_at": day}
            for day in (early, late)
        ],
    )
    asked = {"operation": "PROCESSING_FEE", "account": "stripe", "since": "2026-11-10"}

    assert rows_of(client.get(URL, asked)) == [4]
    assert rows_of(client.get(URL, {**asked, "since": ""})) == [4, 3]
    assert rows_of(client.get(URL, {**asked, "operation": ""})) == [4, 2]
    assert rows_of(client.get(URL, {**asked, "account": ""})) == [4]
    assert rows_of(client.get(URL, {"account": "bank:main", "since": "2026-11-10"})) == [6]
    assert rows_of(client.get(URL, {**asked, "since": "", "until": "2026-11-10"})) == [3]


@pytest.mark.parametrize(
    "path", ["", "/ledger", "/ledger/1", "/ledger?account=stripe", "/ledger/accounts/EUR/stripe"]
)
def test_what_others_do_changes_no_page(client, organisation, path):
    write(organisation, {}, {"amount": 70})
    path = URL.removesuffix("/ledger") + path
    before = client.get(path)

    other = OrganisationFactory()
    FundFactory(organisation=other, slug="winter-shelter")
    write(other, {"amount": 1}, {"currency": "USD"}, {})
    cache.clear()

    assert before.status_code == 200
    assert client.get(path).content == before.content


def test_an_account_means_both_ends(client, organisation):
    payout = {
        "operation": MoneyOperation.PAYOUT_SENT,
        "debit": "in_transit",
        "credit": "stripe",
        "amount": 1,
    }
    write(organisation, {}, payout, {"operation": OFFLINE, "debit": "bank:main"})

    assert rows_of(client.get(f"{URL}?account=stripe")) == [2, 1]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("operation=ROBBERY", "Choose what happened"),
        ("account=stripe%00", "Choose a place or a purpose"),
        ("since=yesterday", "Write the first day"),
        ("until=2026-02-30", "Write the last day"),
        ("since=2026-11-02&until=2026-11-01", "must not be before the first"),
        ("before=x", "whole number"),
        ("before=-1", "greater than or equal to 0"),
        (f"after={10**30}", "less than or equal to"),
        ("before=3&after=1", "not both"),
    ],
)
def test_a_bad_filter_is_said_and_shows_no_entries(client, organisation, query, words):
    response = client.get(f"{URL}?{query}")

    page = response.content.decode()
    assert response.status_code == 400
    assert "<title>Error: " in page
    assert words in page
    assert rows_of(response) == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("operation=SPENT", "Nothing in this ledger fits"),
        ("before=0", "no entry beyond this one"),
        ("after=0", "no entry beyond this one"),
        ("until=9999-12-31&since=9999-12-31", "Nothing in this ledger fits"),
        ("until=0001-01-01", "Nothing in this ledger fits"),
    ],
)
def test_nothing_found_is_said(client, organisation, query, words):
    response = client.get(f"{URL}?{query}")

    assert response.status_code == 200
    assert words in response.content.decode()


def test_a_name_is_shown_where_the_donor_chose_one(client, organisation):
    named, _ = write(organisation, {}, {})
    DonationFactory(
        organisation=organisation,
        status="settled",
        sequence=named.sequence,
        settled_at=NOON,
        settled_amount=5000,
        settled_currency="EUR",
        public_name="Mira <Kessler>",
        donor_email="mira@example.org",
        donor_name="Mira Elisabeth Kessler",
    )

    page = client.get(URL).content.decode()

    assert page.count("Mira &lt;Kessler&gt;") == 1
    assert page.count("A donor") == 1
    assert "mira@example.org" not in page
    assert "Elisabeth" not in page


def test_amounts_say_their_direction_and_their_currency(client, organisation):
    write(
        organisation,
        {},
        {
            "operation": MoneyOperation.PROCESSING_FEE,
            "amount": 170,
            "debit": "fund:winter-shelter",
            "credit": "stripe",
        },
        {
            "operation": MoneyOperation.PAYOUT_SENT,
            "amount": 1000,
            "debit": "in_transit",
            "credit": "stripe",
        },
        {"currency": "JPY", "amount": 3000},
    )

    page = client.get(URL).content.decode()

    assert '<span class="amount amount--in">+50.00 <abbr>EUR</abbr>' in page
    assert '<span class="amount amount--out">−1.70 <abbr>EUR</abbr>' in page
    assert '<span class="amount amount--moved">10.00 <abbr>EUR</abbr>' in page
    assert "+3,000 <abbr>JPY</abbr>" in page


def test_every_operation_has_words():
    assert set(KINDS) == {operation.value for operation in MoneyOperation}
    assert operation_words("SOMETHING_NEW") == "SOMETHING_NEW"


def test_accounts_have_words():
    names = {"fund:winter-shelter": "Winter shelter"}

    words = [
        account_words(account, names)
        for account in [
            "stripe",
            "fund:winter-shelter",
            "fund:general",
            "fund:old-roof",
            "bank:main",
            "bank:savings-two",
            "reserve:vault",
            "onchain:hot",
            "owner:ann",
        ]
    ]

    assert words == [
        "Stripe balance",
        "Winter shelter",
        "Fund",
        "Fund: old roof",
        "Bank",
        "Bank: savings two",
        "Reserve: vault",
        "On-chain: hot",
        "owner:ann: ann",
    ]


@pytest.mark.parametrize(
    ("debit", "credit", "words"),
    [
        ("stripe", "fund:general", ("A donor", "Stripe balance", "in", "for", "General")),
        ("fund:general", "stripe", ("Stripe balance", "A donor", "out", "out of", "General")),
        (
            "in_transit",
            "stripe",
            ("Stripe balance", "In transit to the bank", "moved", "for the same purposes", None),
        ),
        (
            "fund:general",
            "held",
            ("General", "Held for review", "moved", "stays where it is", None),
        ),
    ],
)
def test_a_movement_reads_from_where_to_where(debit, credit, words):
    entry = Entry(
        operation="DONATION_RECEIVED",
        amount=1,
        currency="EUR",
        debit=debit,
        credit=credit,
        metadata={},
    )

    move = read_entry(entry, {"fund:general": "General"}).move

    other = move.other_side and move.other_side.words
    assert (move.source.words, move.target.words, move.direction, move.link, other) == words


def test_an_entry_is_read_by_its_operation():
    known, unknown = (
        Entry(operation=name, amount=0, currency="EUR", metadata={})
        for name in ("DONATION_RECEIVED", "INVENTED")
    )

    assert read_entry(known, {}).kind == KINDS["DONATION_RECEIVED"]
    assert read_entry(unknown, {}).kind[:2] == ("INVENTED", "info")


def test_notes_tell_the_amount_given():
    given = {"presentment": {"amount": 5500, "currency": "USD"}}
    gift = Entry(operation="DONATION_RECEIVED", amount=0, currency="EUR", metadata=given)
    fee = Entry(operation="PROCESSING_FEE", amount=0, currency="EUR", metadata=given)

    notes = [read_entry(entry, {}).notes for entry in (gift, fee)]

    assert notes == [["55.00 USD before exchange"], []]


def test_an_entry_shows_its_line_and_a_command_that_prints_its_hash(client, organisation):
    metadata = {"note": "l'été", "presentment": {"amount": 5500, "currency": "USD"}, "part": True}
    [entry] = write(organisation, {"metadata": metadata})

    page = client.get(f"{URL}/{entry.sequence}").content.decode()

    blocks = [html.unescape(code) for code in re.findall(r"<code>([^<]*)</code></pre>", page)]
    assert blocks[0] == entry.line
    printed = run(["sh", "-c", blocks[1]], capture_output=True, text=True, check=True).stdout
    assert f"sha256:{printed.split()[0]}" == entry.entry_hash
    assert entry.entry_hash == f"sha256:{sha256(entry.line.encode()).hexdigest()}"
    assert entry.prev_entry_hash in page
    assert "before exchange" in page


def test_an_entry_offers_its_receipt_when_it_is_sealed(client, organisation):
    before = client.get(f"{URL}/0").content.decode()
    seal(book=organisation.books.get())
    write(organisation, {})
    seal(book=organisation.books.get())

    first, second = (text_of(client.get(f"{URL}/{sequence}")) for sequence in (0, 1))

    receipt = f"/v1/public/organisations/{organisation.id}/ledger/entries/1/proof"
    vkey = Entry.objects.get(sequence=0).metadata["vkey"]
    assert "Within seconds" in before
    assert "/proof" not in before
    assert "In the checkpoint of 1 entry," in first
    assert "In the checkpoint of 2 entries," in second
    assert f"receipt lantern-house-1.tlog-proof --key {vkey}" in second
    assert f'href="{receipt}"' in client.get(f"{URL}/1").content.decode()


def test_texts_of_the_metadata_stand_without_quotes(client, organisation):
    write(organisation, {"metadata": {"charge": "ch_1"}})

    assert '<code class="hash--full">ch_1</code>' in client.get(f"{URL}/1").content.decode()


def test_an_organisation_that_is_no_longer_approved_has_no_public_book(client, organisation):
    Organisation.objects.update(status=Organisation.Status.REJECTED)

    for path in (URL, f"{URL}/0", "/o/lantern-house"):
        assert client.get(path).status_code == 404


def test_an_entry_leads_to_its_neighbours(client, organisation):
    write(organisation, {}, {})

    first, middle, last = (client.get(f"{URL}/{n}").content.decode() for n in (0, 1, 2))

    assert "the book begins here" in first
    assert "This is the first entry" in first
    assert f'href="{URL}/0"' in middle
    assert f'href="{URL}/2"' in middle
    assert "This is the newest entry" in last


@pytest.mark.parametrize("sequence", [2, 10**30])
def test_an_entry_that_is_not_there_is_said(client, organisation, sequence):
    response = client.get(f"{URL}/{sequence}")

    assert response.status_code == 404
    assert "counted from 0" in response.content.decode()


@pytest.mark.parametrize("path", ["/ledger", "/ledger/0"])
def test_a_charity_that_is_not_approved_has_no_public_book(client, db, path):
    ApplicantFactory(slug="applicant")

    assert client.get(f"/o/applicant{path}").status_code == 404


def test_a_stranger_charitys_entries_stay_out(client, organisation):
    other = OrganisationFactory(slug="other")
    write(other, {}, {}, {})

    assert rows_of(client.get(URL)) == [0]


def test_only_reading_is_possible(client, organisation):
    assert client.post(URL).status_code == 405
