"""Staff correct entries in the admin: with a reason that will be public, and by permission."""

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ledger.errors import ReasonRefused
from ledger.models import Entry
from ledger.services.corrections import correct_entry
from tests.admin.test_decisions import told
from tests.factories import OrganisationFactory, gift_entries

ENTRIES = "/admin/ledger/entrylisting/"


def act(client, *sequences, organisation, **fields):
    """Choose the action for entries of a public book; with a reason, answer the question."""
    ids = [f"{organisation.id}/public/{sequence}" for sequence in sequences]
    data = {"action": "correct", "_selected_action": ids, **fields}
    if "reason" not in fields:
        data["index"] = 0
    return client.post(ENTRIES, data, follow=True)


@pytest.fixture
def organisation(db):
    organisation = OrganisationFactory(slug="lantern")
    gift_entries(organisation, 3)
    return organisation


def test_a_correction_asks_for_a_reason_first(chief, organisation):
    page = act(chief, 2, organisation=organisation)

    assert page.status_code == 200
    assert page.context["title"] == "Correct"
    assert b"public/2 DONATION_RECEIVED" in page.content
    assert b"Written into the ledger for ever" in page.content
    assert Entry.objects.count() == 4


def test_entries_are_corrected_for_the_reason_given(chief, superuser, organisation):
    page = act(chief, 1, 2, organisation=organisation, reason=" Booked\r\ntwice. ")

    corrections = Entry.objects.filter(operation="CORRECTION").order_by("sequence")
    assert {entry.reverses for entry in corrections} == {1, 2}
    assert {entry.metadata["reason"] for entry in corrections} == {"Booked twice."}
    assert sorted(told(page)) == [
        f"public/{number} DONATION_RECEIVED: corrected." for number in (1, 2)
    ]
    logged = LogEntry.objects.order_by("object_id").first()
    assert (logged.object_id, logged.user) == (f"{organisation.id}/public/1", superuser)
    assert logged.change_message == "corrected: Booked twice."


def test_what_cannot_be_corrected_is_told(chief, organisation):
    correct_entry(entry=Entry.objects.get(sequence=1), reason="Mine.")

    page = act(chief, 0, 1, 3, organisation=organisation, reason="Wrong.")

    assert sorted(told(page)) == [
        "public/0 GENESIS: An entry that moves nothing cannot be corrected.",
        "public/1 DONATION_RECEIVED: Entry 1 was corrected before, by entry 4.",
        "public/3 DONATION_RECEIVED: corrected.",
    ]


REFUSED = str(ReasonRefused())


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("", "This field is required."),
        ("  ", "This field is required."),
        ("x" * 501, "at most 500 characters (it has 501)"),
        ("a\u202eb", REFUSED),
    ],
)
def test_without_a_proper_reason_it_asks_again(chief, organisation, reason, words):
    page = act(chief, 1, organisation=organisation, reason=reason)

    assert words in page.context["form"].errors["reason"].as_text()
    assert Entry.objects.count() == 4


@pytest.mark.parametrize(
    "name", ["x", "a/b", "a/public/1", "{id}/public/x", "{id}/public/\0", "\0"]
)
def test_what_is_no_entry_is_left_out(chief, organisation, name):
    data = {"action": "correct", "_selected_action": [name.format(id=organisation.id)]}

    page = chief.post(ENTRIES, {**data, "reason": "Wrong."}, follow=True)

    assert page.status_code == 200
    assert Entry.objects.count() == 4


@pytest.mark.parametrize("fields", [{}, {"reason": "Because."}])
def test_who_may_only_look_cannot_correct(staff_with, organisation, fields):
    staff = staff_with("ledger.view_entrylisting")

    page = act(staff, 1, organisation=organisation, **fields)
    shown = staff.get(ENTRIES)

    assert b'name="reason"' not in page.content
    assert b'name="action"' not in shown.content
    assert Entry.objects.count() == 4


def test_who_may_correct_does(staff_with, organisation):
    staff = staff_with("ledger.view_entrylisting", "ledger.correct_entry")

    act(staff, 1, organisation=organisation, reason="Wrong.")

    assert Entry.objects.count() == 5


def test_the_chosen_are_found_by_their_key(chief, organisation):
    with CaptureQueriesContext(connection) as queries:
        act(chief, 1, organisation=organisation)

    rows = [query["sql"] for query in queries if "public" in query["sql"]]
    assert any('"sequence" = 1' in statement for statement in rows)
    assert not any('"ledger_entrylisting"."id" IN' in statement for statement in rows)


def test_corrected_entries_are_struck_through_with_links(chief, organisation):
    correct_entry(entry=Entry.objects.get(sequence=1), reason="Wrong.")
    correct_entry(entry=Entry.objects.get(sequence=4), reason="Right.")

    page = chief.get(ENTRIES).content.decode()
    shown = chief.get(
        reverse("admin:ledger_entrylisting_change", args=[f"{organisation.id}/public/4"])
    ).content.decode()

    def link(sequence):
        name = f"{organisation.id}/public/{sequence}"
        url = reverse("admin:ledger_entrylisting_change", args=[name])
        return f'<a href="{url}">{sequence}</a>'

    assert page.count("><s>50.00 EUR</s></td>") == 2
    assert f"corrected by {link(4)}" in page
    assert f"corrected by {link(5)}, corrects {link(1)}" in page
    assert f"corrects {link(4)}" in page
    assert f"corrected by {link(5)}, corrects {link(1)}" in shown
