"""What staff decide in the admin: organisations, cases, keys, events."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from ledger.models import Book
from organisations.errors import AlreadyDecided, KeyRevoked
from organisations.models import ApiKey, Organisation
from reviews.errors import CaseClosed
from reviews.models import Case
from tests.factories import (
    ApplicantFactory,
    BackfillFactory,
    CaseFactory,
    OrganisationFactory,
    StripeEventFactory,
    StripeReadingFactory,
    key_of,
)
from webhooks.errors import NotAgain
from webhooks.models import StripeEvent

ORGANISATIONS = "/admin/organisations/organisation/"
KEYS = "/admin/organisations/apikey/"
CASES = "/admin/reviews/case/"
EVENTS = "/admin/webhooks/stripeevent/"


def act(client: Client, url: str, action: str, *rows, **fields):
    """Choose an action for rows of a list; with a reason, answer the question that follows."""
    data = {"action": action, "_selected_action": [row.pk for row in rows], **fields}
    if "reason" not in fields:
        data["index"] = 0
    return client.post(url, data, follow=True)


def told(response) -> list[str]:
    """Return what staff are told."""
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def applicant(db) -> Organisation:
    """An organisation that waits."""
    return ApplicantFactory(name="Lantern", slug="lantern")


def test_a_decision_asks_for_a_reason_first(chief, applicant):
    page = act(chief, ORGANISATIONS, "approve", applicant)

    assert page.status_code == 200
    assert page.context["title"] == "Approve"
    assert b"Lantern" in page.content
    assert b'name="reason"' in page.content
    applicant.refresh_from_db()
    assert applicant.status == "applied"


def test_an_approved_organisation_is_public_and_has_a_book(chief, superuser, applicant):
    page = act(chief, ORGANISATIONS, "approve", applicant, reason=" Papers checked. ")

    applicant.refresh_from_db()
    assert applicant.is_public
    assert applicant.decided_by == superuser
    assert applicant.decision_reason == "Papers checked."
    assert Book.objects.get(organisation=applicant).size == 1
    assert told(page) == ["Lantern: approved."]
    logged = LogEntry.objects.get()
    assert (logged.object_id, logged.user, logged.change_message) == (
        applicant.id, superuser, "approved: Papers checked.",
    )  # fmt: skip


def test_a_rejected_organisation_is_not_public(chief, applicant):
    page = act(chief, ORGANISATIONS, "reject", applicant, reason="No charity.")

    applicant.refresh_from_db()
    assert (applicant.status, applicant.decision_reason) == ("rejected", "No charity.")
    assert told(page) == ["Lantern: rejected."]


def test_a_decision_is_made_once(chief, applicant):
    act(chief, ORGANISATIONS, "reject", applicant, reason="No charity.")

    page = act(chief, ORGANISATIONS, "approve", applicant, reason="After all.")

    applicant.refresh_from_db()
    assert applicant.status == "rejected"
    assert told(page) == [f"Lantern: {AlreadyDecided()}"]
    assert LogEntry.objects.count() == 1


def test_several_are_decided_each_by_itself(chief, applicant):
    other, decided = ApplicantFactory(), OrganisationFactory()

    page = act(chief, ORGANISATIONS, "approve", applicant, other, decided, reason="Checked.")

    assert len(told(page)) == 3
    assert Organisation.objects.public().count() == 3


@pytest.mark.parametrize("reason", ["", "  ", "\x00", "x" * 2001])
def test_without_a_proper_reason_it_asks_again(chief, applicant, reason):
    page = act(chief, ORGANISATIONS, "approve", applicant, reason=reason)

    assert page.status_code == 200
    assert b"errorlist" in page.content
    applicant.refresh_from_db()
    assert not applicant.is_public


@pytest.mark.parametrize("reason", [None, "Because."])
def test_who_may_only_look_cannot_decide(staff_with, applicant, reason):
    staff = staff_with("organisations.view_organisation")
    fields = {} if reason is None else {"reason": reason}

    page = act(staff, ORGANISATIONS, "approve", applicant, **fields)
    shown = staff.get(ORGANISATIONS)

    applicant.refresh_from_db()
    assert not applicant.is_public
    assert b'name="reason"' not in page.content
    assert b'name="action"' not in shown.content


def test_who_may_review_decides(staff_with, applicant):
    staff = staff_with("organisations.view_organisation", "organisations.review_organisation")

    act(staff, ORGANISATIONS, "approve", applicant, reason="Checked.")

    applicant.refresh_from_db()
    assert applicant.is_public


def test_no_form_makes_an_organisation_public(chief, applicant):
    response = chief.post(f"{ORGANISATIONS}{applicant.id}/change/", {"status": "approved"})

    applicant.refresh_from_db()
    assert response.status_code == 403
    assert applicant.status == "applied"


def test_a_key_is_revoked_once(chief, staff_with, db):
    key_of(OrganisationFactory())
    key = ApiKey.objects.get()
    act(staff_with("organisations.view_apikey"), KEYS, "revoke", key)
    key.refresh_from_db()
    assert key.revoked_at is None

    first = act(chief, KEYS, "revoke", key)
    second = act(chief, KEYS, "revoke", key)

    key.refresh_from_db()
    assert key.revoked_at
    assert told(first) == [f"{key}: revoked."]
    assert told(second) == [f"{key}: {KeyRevoked()}"]


def test_a_key_shows_its_beginning_only(chief, db):
    secret = key_of(OrganisationFactory())
    key = ApiKey.objects.get()

    shown = chief.get(KEYS).content + chief.get(f"{KEYS}{key.id}/change/").content

    assert key.prefix.encode() in shown
    assert secret.encode() not in shown
    assert key.secret_hash.encode() not in shown


def test_a_case_is_closed_once_with_a_reason(chief, superuser, staff_with):
    case = CaseFactory()
    act(staff_with("reviews.view_case"), CASES, "close", case, reason="Mine.")
    case.refresh_from_db()
    assert case.closed_at is None

    act(chief, CASES, "close", case, reason="A fee of the bank.")
    again = act(chief, CASES, "close", case, reason="Again.")

    case.refresh_from_db()
    assert (case.closed_by, case.reason) == (superuser, "A fee of the bank.")
    assert told(again) == [f"{case}: {CaseClosed()}"]


def test_open_cases_come_first_the_oldest_on_top(chief):
    cases = CaseFactory.create_batch(3)
    act(chief, CASES, "close", cases[0], reason="Done.")

    rows = chief.get(CASES).context["cl"].result_list

    assert list(rows) == [cases[1], cases[2], Case.objects.get(pk=cases[0].pk)]


def test_an_event_is_put_back_in_the_queue(chief, staff_with):
    event = StripeEventFactory(status=StripeEvent.Status.PARKED, note="It failed.")
    act(staff_with("webhooks.view_stripeevent"), EVENTS, "process_again", event)
    event.refresh_from_db()
    assert event.status == "parked"

    page = act(chief, EVENTS, "process_again", event)
    again = act(chief, EVENTS, "process_again", event)

    event.refresh_from_db()
    assert event.status == "pending"
    assert told(page) == [f"{event}: in the queue."]
    assert told(again) == [f"{event}: {NotAgain()}"]


def test_an_event_shows_no_payload(chief):
    event = StripeEventFactory()

    shown = chief.get(EVENTS).content + chief.get(f"{EVENTS}{event.id}/change/").content

    assert event.id.encode() in shown
    assert b"donor@example.org" not in shown


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("url", "action", "factory"),
    [
        ("/admin/treasury/stripereading/", "sweep", StripeReadingFactory),
        ("/admin/webhooks/backfill/", "backfill", BackfillFactory),
    ],
)
def test_staff_have_accounts_read_again(chief, superuser_connection, url, action, factory):
    row = factory()

    page = act(chief, url, action, row)

    jobs = "SELECT task_name, args->>'organisation_id' FROM procrastinate_jobs"
    [(name, organisation)] = superuser_connection.execute(jobs).fetchall()
    assert (name.rpartition(".")[2], organisation) == (
        f"{action}_account",
        row.organisation_id,
    )
    assert told(page)[0].startswith(f"{row.organisation_id}: will be ")
