"""Cases: opened once, closed once by a person with a reason."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from reviews.errors import CaseClosed, ReasonMissing
from reviews.models import Case
from reviews.services import close_case, open_case
from tests.factories import CaseFactory, OrganisationFactory, UserFactory

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

    with pytest.raises(IntegrityError, match="case_is_closed_by_a_person"), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(**changes)
