"""What staff decide in the admin: organisations, cases, keys, events."""

import pytest
from django.test import Client

from organisations.errors import KeyRevoked
from organisations.models import ApiKey, Organisation
from reviews.errors import CaseClosed
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


def test_an_organisation_is_decided_in_its_case_alone(chief, applicant):
    page = act(chief, ORGANISATIONS, "approve", applicant, reason="Checked.")

    applicant.refresh_from_db()
    assert applicant.status == "applied"
    assert b'name="action"' not in page.content
    shown = chief.get(f"{ORGANISATIONS}{applicant.id}/change/").content.decode()
    assert f'<a href="{CASES}?q={applicant.id}">' in shown


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
