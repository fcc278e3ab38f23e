"""Cases: opened once, closed once by a person with a reason."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from donations.services.holding import hold_settled
from reviews.errors import (
    CaseClosed,
    CaseSettled,
    CaseStillOpen,
    NotStaff,
    OwnCase,
    ReasonMissing,
    SnoozedIntoThePast,
    SnoozedPastLapse,
)
from reviews.models import Case
from reviews.services.cases import (
    LAPSE_SPARE,
    hand_over,
    open_case,
    put_back,
    reopen,
    snooze,
    take,
)
from reviews.services.deciding import decide
from reviews.traits import key_of
from tests.donations.refunds import in_ledger
from tests.factories import (
    ApplicantFactory,
    CaseFactory,
    HoldFactory,
    MembershipFactory,
    OrganisationFactory,
    UserFactory,
)
from tests.reviews.deciding import close_case

pytestmark = pytest.mark.django_db


def opened(organisation, **changes):
    fields = {"kind": Case.Kind.UNBOOKED, "subject": "txn_1", "summary": "It was odd."}
    return open_case(organisation=organisation, **fields | changes)


def test_the_same_subject_is_one_case_however_often_it_is_reported():
    organisation = OrganisationFactory()

    first, again = opened(organisation), opened(organisation, summary="It is odd again.")

    assert first == again
    assert (again.summary, again.organisation, again.closed_at) == (
        "It was odd.",
        organisation,
        None,
    )
    assert str(first) == "Transaction that cannot be booked: txn_1"


def test_a_closed_case_comes_up_again_only_where_that_is_asked():
    closed = close_case(case=opened(None), closed_by=UserFactory(), reason="Seen.")

    assert opened(None) == closed
    again = opened(None, again=True)
    assert (again == closed, again.closed_at) == (False, None)
    assert opened(None) == opened(None, again=True) == again


def test_other_kinds_and_subjects_are_other_cases():
    opened(None)
    opened(None, kind=Case.Kind.MISMATCH)
    opened(None, subject="txn_2")

    assert Case.objects.count() == 3


def test_a_person_closes_a_case_with_a_reason_once():
    case, person, other = CaseFactory(), UserFactory(), UserFactory()

    closed = close_case(case=case, closed_by=person, reason=" Explained by Stripe. ")

    assert (closed.closed_by, closed.reason) == (person, "Explained by Stripe.")
    assert closed.closed_at
    with pytest.raises(CaseClosed):
        close_case(case=case, closed_by=other, reason="Me too.")
    case.refresh_from_db()
    assert case.closed_by == person


@pytest.mark.parametrize("reason", ["", "  ", "\n\t"])
def test_a_case_is_not_closed_without_a_reason(reason):
    case = CaseFactory()

    with pytest.raises(ReasonMissing):
        close_case(case=case, closed_by=UserFactory(), reason=reason)

    case.refresh_from_db()
    assert case.closed_at is None


def test_a_case_that_was_closed_stays_closed_when_it_is_reported_again():
    case = CaseFactory(subject="txn_1", kind=Case.Kind.UNBOOKED)
    close_case(case=case, closed_by=UserFactory(), reason="Explained.")

    again = opened(case.organisation)

    assert again == case
    assert again.closed_at


@pytest.mark.parametrize(
    "changes",
    [
        {"closed_at": timezone.now()},
        {"reason": "Why?"},
        {"closed_at": timezone.now(), "reason": "Nobody."},
    ],
)
def test_the_database_takes_no_case_that_nobody_closed(changes):
    case = CaseFactory()

    with pytest.raises(IntegrityError, match="case_is_closed_with_a_reason"), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(**changes)


@pytest.fixture
def reviewer():
    return UserFactory(is_staff=True, is_superuser=True)


def test_taking_a_case_again_says_nothing_new(reviewer):
    case = take(case=CaseFactory(), by=reviewer)
    take(case=case, by=reviewer)

    assert [note.kind for note in case.notes.all()] == ["taken"]
    assert case.assigned_to == reviewer


def test_a_case_is_handed_over_to_somebody_who_may_decide_it(reviewer):
    case, other = CaseFactory(), UserFactory(is_staff=True, is_superuser=True)

    hand_over(case=case, by=reviewer, to=other, text="You know them.")
    hand_over(case=case, by=reviewer, to=other)

    [note] = case.notes.all()
    assert (note.kind, note.by, note.to, note.text) == (
        *("handed_over", reviewer, other, "You know them."),
    )


@pytest.mark.parametrize(
    "person", [{}, {"is_staff": True}, {"is_staff": True, "is_superuser": True, "is_active": False}]
)
def test_a_case_is_handed_over_to_nobody_else(reviewer, person):
    with pytest.raises(NotStaff):
        hand_over(case=CaseFactory(), by=reviewer, to=UserFactory(**person))


def test_what_nobody_has_cannot_be_put_back(reviewer):
    case = put_back(case=take(case=CaseFactory(), by=reviewer), by=reviewer)
    put_back(case=case, by=reviewer)

    assert [note.kind for note in case.notes.all()] == ["taken", "put_back"]


@pytest.mark.parametrize("away", [timedelta(0), timedelta(days=30, minutes=1)])
def test_a_case_is_put_off_into_the_near_future_alone(reviewer, away):
    with pytest.raises(SnoozedIntoThePast):
        snooze(case=CaseFactory(), by=reviewer, until=timezone.now() + away)


def test_a_case_is_not_put_off_until_its_card_lapses(reviewer):
    hold = HoldFactory(lapses_at=timezone.now() + timedelta(days=2))
    latest = hold.lapses_at - LAPSE_SPARE

    with pytest.raises(SnoozedPastLapse, match=f"until {latest:%d %B %Y, %H:%M} UTC at most"):
        snooze(case=hold.case, by=reviewer, until=latest + timedelta(minutes=1))
    assert snooze(case=hold.case, by=reviewer, until=latest).snoozed_until == latest


def test_what_is_held_in_the_ledger_does_not_lapse(reviewer):
    case = hold_settled(in_ledger(OrganisationFactory())).case

    assert snooze(case=case, by=reviewer, until=timezone.now() + timedelta(days=29)).snoozed_until


@pytest.mark.parametrize("is_donor", [True, False])
def test_nobody_acts_on_their_own_case(reviewer, is_donor):
    other = UserFactory(is_staff=True, is_superuser=True)
    case = CaseFactory(donor_key=key_of("email", reviewer.email) if is_donor else "")
    if not is_donor:
        MembershipFactory(organisation=case.organisation, user=reviewer)
    acts = [
        lambda: take(case=case, by=reviewer),
        lambda: put_back(case=case, by=reviewer),
        lambda: hand_over(case=case, by=reviewer, to=other),
        lambda: hand_over(case=case, by=other, to=reviewer),
        lambda: snooze(case=case, by=reviewer, until=timezone.now() + timedelta(hours=1)),
    ]

    for act in acts:
        with pytest.raises(OwnCase):
            act()
    take(case=case, by=other)
    close_case(case=case, closed_by=other, reason="Explained.")
    with pytest.raises(OwnCase):
        reopen(case=case, by=reviewer, reason="I want it.")
    assert [note.kind for note in case.notes.all()] == ["taken", "decided"]


def test_an_owner_does_not_open_their_own_rejected_application_again(reviewer):
    applicant = ApplicantFactory(status="applied")
    own = CaseFactory(kind="application", subject=applicant.id, organisation=applicant)
    MembershipFactory(organisation=applicant, user=reviewer)
    decide(case=own, by=UserFactory(is_superuser=True), choice="reject", reason="No papers.")

    with pytest.raises(OwnCase):
        reopen(case=own, by=reviewer, reason="I want it.")

    applicant.refresh_from_db()
    assert applicant.status == "rejected"


def test_what_moved_money_is_not_opened_again(reviewer):
    gift = in_ledger(OrganisationFactory())
    case = hold_settled(gift).case
    decide(case=case, by=reviewer, choice="release", reason="Known.")

    with pytest.raises(CaseSettled):
        reopen(case=case, by=reviewer, reason="I was wrong.")


def test_an_open_case_is_not_opened_again_nor_without_a_reason(reviewer):
    with pytest.raises(CaseStillOpen):
        reopen(case=CaseFactory(), by=reviewer, reason="Again.")
    with pytest.raises(ReasonMissing):
        reopen(case=CaseFactory(), by=reviewer, reason=" ")
