"""The queue: what waits for whom, in which order, and what is done with many cases at once."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from organisations.models import User
from reviews import choices
from reviews.admin import queue
from reviews.errors import CaseClosed
from reviews.models import Case
from reviews.services.cases import snooze, take
from reviews.services.deciding import decide
from tests.admin.test_decisions import act, told
from tests.factories import CaseFactory, MembershipFactory, OrganisationFactory, UserFactory
from tests.reviews.deciding import close_case

CASES = "/admin/reviews/case/"
HOUR = timedelta(hours=1)
TWO_PEOPLE = '<span class="tag">two people</span>'
LARGE = {"kind": "fraud_warning", "gift": "don_1", "amount": 100_000, "currency": "EUR"}


def shown(client: Client, **query) -> list[Case]:
    """Return the cases that the queue shows."""
    response = client.get(CASES, query)
    assert response.status_code == 200
    return [row.case for row in response.context["rows"]]


@pytest.fixture
def colleague(db) -> User:
    """Somebody else who decides."""
    return UserFactory(is_staff=True, is_superuser=True)


def test_what_is_due_first_stands_on_top_then_what_is_oldest(chief):
    now = timezone.now()
    late = CaseFactory(due_at=now - HOUR)
    first, second = CaseFactory.create_batch(2)
    soon = CaseFactory(due_at=now + HOUR)

    assert shown(chief) == [late, soon, first, second]


@pytest.mark.parametrize(
    ("due", "words", "press"),
    [
        (-timedelta(hours=3, minutes=1), "overdue by 3\N{NO-BREAK SPACE}hours", "late"),
        (timedelta(hours=5, minutes=30), "due in 5\N{NO-BREAK SPACE}hours", "soon"),
        (timedelta(days=3, minutes=30), "due in 3\N{NO-BREAK SPACE}days", "later"),
    ],
)
def test_when_a_case_is_due_is_said_in_words(chief, due, words, press):
    CaseFactory(due_at=timezone.now() + due)

    page = chief.get(CASES).content.decode()

    assert f'<span class="due due--{press}">{words}</span>' in page


def test_what_others_have_taken_waits_for_them(chief, superuser, colleague):
    mine, theirs, nobodys = CaseFactory.create_batch(3)
    take(case=mine, by=superuser)
    take(case=theirs, by=colleague)

    assert shown(chief) == [mine, nobodys]
    assert shown(chief, tab="open") == [mine, theirs, nobodys]


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}])
def test_what_somebody_had_who_left_waits_for_everybody(chief, colleague, change):
    case = take(case=CaseFactory(), by=colleague)
    assert shown(chief) == []

    User.objects.filter(pk=colleague.pk).update(**change)

    assert shown(chief) == [case]


def test_what_somebody_proposed_waits_for_a_second_person(chief, superuser, colleague):
    theirs, ours = CaseFactory.create_batch(2, **LARGE)
    for case, proposer in ((theirs, colleague), (ours, superuser)):
        take(case=case, by=colleague)
        decide(case=case, by=proposer, choice="refuse", reason="Stolen.")

    assert shown(chief) == [theirs]


def test_a_persons_own_organisation_does_not_wait_for_them(chief, superuser):
    own = CaseFactory(organisation=MembershipFactory(user=superuser).organisation)

    assert shown(chief) == []
    assert shown(chief, tab="open") == [own]


def test_what_is_put_off_comes_back_by_itself(chief, superuser):
    case = CaseFactory()
    snooze(case=case, by=superuser, until=timezone.now() + HOUR)
    assert (shown(chief), shown(chief, tab="put_off")) == ([], [case])

    Case.objects.filter(pk=case.pk).update(snoozed_until=timezone.now() - HOUR)

    assert (shown(chief), shown(chief, tab="put_off")) == ([case], [])


def test_what_was_decided_last_stands_on_top(chief, superuser):
    first, second, _ = CaseFactory.create_batch(3)
    close_case(case=second, closed_by=superuser, reason="Explained.")
    close_case(case=first, closed_by=superuser, reason="Explained.")

    assert shown(chief, tab="decided") == [first, second]


def test_an_unknown_tab_is_what_waits(chief):
    case = CaseFactory()

    assert shown(chief, tab="'; --", kind="nothing", assigned="x", due="y") == [case]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"kind": "dispute"}, ["warned"]),
        ({"organisation": "lantern"}, ["here"]),
        ({"organisation": "nowhere"}, []),
        ({"assigned": "me"}, ["mine"]),
        ({"assigned": "nobody"}, ["warned", "here"]),
        ({"assigned": "others"}, ["theirs"]),
        ({"due": "late"}, ["warned"]),
        ({"due": "day"}, ["warned", "mine"]),
        ({"due": "week"}, ["warned", "mine", "theirs"]),
        ({"due": "never"}, ["here"]),
    ],
)
def test_the_queue_is_narrowed(chief, superuser, colleague, query, expected):
    now = timezone.now()
    CaseFactory(subject="warned", kind="dispute", due_at=now - HOUR)
    CaseFactory(subject="here", organisation=OrganisationFactory(slug="lantern"))
    mine = CaseFactory(subject="mine", due_at=now + HOUR)
    theirs = CaseFactory(subject="theirs", due_at=now + 50 * HOUR)
    take(case=mine, by=superuser)
    take(case=theirs, by=colleague)

    assert [case.subject for case in shown(chief, tab="open", **query)] == expected


def test_a_search_finds_what_is_exactly_that_wherever_it_is(chief, superuser):
    organisation = OrganisationFactory(slug="lantern")
    case = CaseFactory(subject="txn_9", gift="don_9", organisation=organisation)
    CaseFactory(subject="txn_99")
    closed = close_case(case=case, closed_by=superuser, reason="Explained.")

    for term in ("txn_9", "don_9", "lantern", case.id):
        assert shown(chief, q=term) == [closed]
    assert shown(chief, q="txn") == []


def test_the_kinds_are_counted(chief, superuser):
    CaseFactory.create_batch(2, kind="dispute")
    closed = CaseFactory(kind="payout")
    close_case(case=closed, closed_by=superuser, reason="Explained.")

    response = chief.get(CASES)
    decided = chief.get(CASES, {"tab": "decided"})

    assert response.context["kinds"] == [("Dispute to be answered", 2, "?kind=dispute")]
    assert decided.context["kinds"] == []


def test_the_queue_counts_no_further_than_anybody_would_page(chief, monkeypatch):
    monkeypatch.setattr(queue, "QUEUE_MAX", 2)
    CaseFactory.create_batch(3)

    response = chief.get(CASES)

    assert response.context["cl"].result_count == 2
    assert response.context["total"] == 2


def test_more_cases_ask_the_database_no_more(chief):
    def asked() -> list[str]:
        with CaptureQueriesContext(connection) as queries:
            chief.get(CASES)
        return [query["sql"] for query in queries.captured_queries]

    CaseFactory(kind="dispute")
    asked()  # the first visit renews the session
    few = asked()
    CaseFactory.create_batch(5)
    many = asked()

    assert len(many) == len(few) == 7
    assert all("LIMIT" in sql for sql in many if '"reviews_case"' in sql)


def test_an_empty_queue_says_so(chief):
    assert b"Nothing waits for you." in chief.get(CASES).content
    assert b"There is nothing here." in chief.get(CASES, {"tab": "decided"}).content
    assert b"No case is like that." in chief.get(CASES, {"kind": "dispute"}).content


def test_who_may_only_look_is_offered_no_acts(staff_with):
    CaseFactory()

    page = staff_with("reviews.view_case").get(CASES).content

    assert b'name="action"' not in page
    assert b'type="checkbox"' not in page


def test_the_first_page_of_staff_begins_with_what_waits(chief, staff_with):
    CaseFactory.create_batch(12, kind="dispute")

    page = chief.get("/admin/").content.decode()

    assert page.count("<tr data-row>") == 10
    assert "Open the queue: 12" in page
    assert "Dispute to be answered <strong>12</strong>" in page
    assert "What waits for me</h2>" not in staff_with().get("/admin/").content.decode()


def test_the_first_page_says_when_nothing_waits(chief):
    assert b"Nothing waits for you." in chief.get("/admin/").content


def test_many_are_taken_and_put_back_and_put_off(chief, superuser):
    cases = CaseFactory.create_batch(2)

    assert told(act(chief, CASES, "take", *cases)) == [f"{case}: taken." for case in cases]
    assert set(Case.objects.values_list("assigned_to", flat=True)) == {superuser.pk}

    act(chief, CASES, "put_back", *cases)
    assert set(Case.objects.values_list("assigned_to", flat=True)) == {None}

    act(chief, CASES, "put_off", *cases)
    morning = (timezone.now() + timedelta(days=1)).replace(hour=9, minute=0, second=0)
    [moment] = set(Case.objects.values_list("snoozed_until", flat=True))
    assert moment == morning.replace(microsecond=0)
    assert LogEntry.objects.filter(user=superuser).count() == 6


def test_what_cannot_be_decided_together_is_left_out_and_named(chief):
    plain, held = CaseFactory(), CaseFactory(kind="gift", gift="don_1")
    left = f"{held}: left out. Open it: it is decided by itself, and otherwise."

    asked = act(chief, CASES, "close", plain, held)
    done = act(chief, CASES, "close", plain, reason="A fee.")
    alone = act(chief, CASES, "close", held)

    assert [*asked.context["rows"]] == [plain]
    assert told(asked) == told(alone) == [left]
    assert told(done) == [f"{plain}: decided: close."]
    held.refresh_from_db()
    assert held.closed_at is None


def test_what_one_decides_singly_is_not_decided_in_bulk(chief, monkeypatch):
    alone = choices.Choice("close", "Close", "Money moves.")
    monkeypatch.setitem(choices.CHOICES, "dispute", (alone,))
    case = CaseFactory(kind="dispute")

    page = act(chief, CASES, "close", case, reason="Together.")

    assert "left out" in told(page)[0]
    case.refresh_from_db()
    assert case.closed_at is None


def test_warnings_are_kept_together(chief):
    warnings = CaseFactory.create_batch(2, kind="fraud_warning", gift="don_1")

    act(chief, CASES, "keep", *warnings, reason="Known donors.")

    assert set(Case.objects.values_list("choice", "reason")) == {("keep", "Known donors.")}


@pytest.mark.parametrize(
    ("kind", "key"), [("dispute", "close"), ("unclassified", "close"), ("fraud_warning", "keep")]
)
def test_what_moves_no_money_is_decided_by_one_however_large(chief, superuser, kind, key):
    cases = CaseFactory.create_batch(2, **LARGE | {"kind": kind})

    act(chief, CASES, key, *cases, reason="Seen.")

    decided = Case.objects.values_list("choice", "closed_by", "people_needed")
    assert set(decided) == {(key, superuser.pk, 2)}


def test_the_queue_says_which_cases_need_two_people(chief):
    CaseFactory(**LARGE | {"amount": 99_999})
    CaseFactory(**LARGE | {"kind": "dispute"})
    assert TWO_PEOPLE not in chief.get(CASES).content.decode()

    CaseFactory(**LARGE)

    assert chief.get(CASES).content.decode().count(TWO_PEOPLE) == 1


def test_what_somebody_decided_meanwhile_is_said(chief, colleague):
    case = CaseFactory()
    close_case(case=case, closed_by=colleague, reason="Done.")

    page = act(chief, CASES, "close", case, reason="Mine.")

    assert told(page) == [f"{case}: {CaseClosed()}"]
