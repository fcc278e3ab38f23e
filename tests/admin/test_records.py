"""What is kept of decisions: lists that staff read, and pages that say it in words."""

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.utils import quote
from django.utils import timezone

from tests.factories import (
    CaseFactory,
    DecisionFactory,
    HoldFactory,
    OrganisationFactory,
    ScreeningFactory,
    UserFactory,
    found,
)

HOLDS = "/admin/reviews/hold/"
SCREENINGS = "/admin/reviews/screening/"
DECISIONS = "/admin/reviews/decision/"
TRAIL = "/admin/admin/logentry/"


def rows_of(client, url, **query):
    """Return the rows that a list shows."""
    response = client.get(url, query)
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


def test_a_screening_says_what_every_rule_found(chief):
    screening = ScreeningFactory(results=[found(), found("address_pace", "pass")])

    page = chief.get(f"{SCREENINGS}{screening.pk}/change/").content.decode()

    assert "Gifts of one donor to one organisation" in page
    assert "hit: review" in page
    assert "1 more that did not hit" in page
    assert "&quot;rule&quot;" not in page


def test_screenings_are_listed_newest_first_and_by_what_hit(chief):
    quiet = ScreeningFactory(verdict="approve", hits=[], results=[found(outcome="pass")])
    hit = ScreeningFactory(hits=["donor_pace", "email_pace"], organisation=quiet.organisation)

    page = chief.get(SCREENINGS).content.decode()

    assert rows_of(chief, SCREENINGS) == [hit, quiet]
    assert rows_of(chief, SCREENINGS, hits="some") == [hit]
    assert rows_of(chief, SCREENINGS, q=quiet.id) == [quiet]
    assert "donor pace, email pace" in page
    assert ">none<" in page


def test_a_hold_says_how_much_is_held_and_where_it_is_decided(chief):
    hold = HoldFactory(organisation=OrganisationFactory(slug="lantern"))

    page = chief.get(f"{HOLDS}{hold.pk}/change/").content.decode()

    assert rows_of(chief, HOLDS, q="lantern") == [hold]
    assert "1,200.00 EUR" in page
    assert f"/admin/reviews/case/{hold.case_id}/change/" in page


def test_decisions_are_listed_with_who_made_them(chief):
    decision, other = DecisionFactory(), DecisionFactory()

    page = chief.get(f"{DECISIONS}{decision.pk}/change/").content.decode()

    assert rows_of(chief, DECISIONS) == [other, decision]
    assert rows_of(chief, DECISIONS, q=decision.by.email) == [decision]
    assert "It is explained." in page


@pytest.fixture
def trail(db) -> list[LogEntry]:
    """What two people did, the newest first."""
    case, other = CaseFactory(), CaseFactory()
    LogEntry.objects.log_actions(UserFactory(email="ana@example.org").pk, [case], CHANGE, "taken")
    LogEntry.objects.log_actions(UserFactory().pk, [other], CHANGE, "")
    return list(LogEntry.objects.order_by("-id"))


def test_the_trail_says_who_did_what_and_when(chief, trail):
    newest, oldest = trail
    today = {"action_time__gte": f"{timezone.now():%Y-%m-%d} 00:00:00+00:00"}

    page = chief.get(TRAIL).content.decode()

    assert rows_of(chief, TRAIL) == [newest, oldest]
    assert rows_of(chief, TRAIL, q="ana@example.org") == [oldest]
    assert rows_of(chief, TRAIL, q=newest.object_id) == [newest]
    assert rows_of(chief, TRAIL, thing="case") == rows_of(chief, TRAIL, thing="?") == trail
    assert rows_of(chief, TRAIL, thing="apikey") == []
    assert rows_of(chief, TRAIL, **today) == trail
    assert "taken" in page
    assert f"/admin/reviews/case/{quote(oldest.object_id)}/change/" in page


def test_what_has_no_page_is_named(chief, superuser):
    LogEntry.objects.create(
        user=superuser, content_type=None, object_repr="A key", action_flag=CHANGE
    )

    assert b"A key" in chief.get(TRAIL).content


def test_the_trail_is_read_by_who_may_and_changed_by_nobody(chief, staff_with, trail):
    page = f"{TRAIL}{trail[0].pk}/change/"
    may, may_not = staff_with("admin.view_logentry"), staff_with("reviews.view_case")

    assert (may.get(TRAIL).status_code, may_not.get(TRAIL).status_code) == (200, 403)
    assert may.get(page).status_code == 200
    assert chief.post(page, {"change_message": "Nothing."}).status_code == 403
    assert chief.post(f"{TRAIL}{trail[0].pk}/delete/").status_code == 403
