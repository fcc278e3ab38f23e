"""The audit of every night: a book that does not verify comes before staff."""

import pytest

from organisations.models import Organisation
from reviews.models import Case
from reviews.services import close_case
from reviews.tasks import audit_books_nightly
from tests.factories import OrganisationFactory, UserFactory, gift_entries


@pytest.fixture
def organisation(tamper) -> Organisation:
    """A charity whose book the superuser can write."""
    organisation = OrganisationFactory(slug="lantern-house")
    gift_entries(organisation, 3)
    return organisation


def night() -> list[Case]:
    audit_books_nightly(timestamp=0)
    return list(Case.objects.order_by("opened_at"))


def test_books_that_verify_are_no_case(organisation):
    assert night() == []


def test_a_book_that_does_not_verify_is_one_case_while_it_is_open(organisation, tamper):
    tamper.execute("UPDATE ledger_entry SET amount = 1 WHERE sequence = 2")

    [case] = night()

    assert (case.kind, case.organisation) == (Case.Kind.AUDIT, organisation)
    assert case.subject == f"{organisation.id}/public"
    assert case.summary == (
        "TAMPERED at entry 2: the line and the columns disagree: amount. "
        "See: manage.py audit_ledger --organisation lantern-house --book public"
    )
    assert night() == [case]


def test_staff_hear_again_of_what_they_closed_without_mending_it(organisation, tamper):
    tamper.execute("UPDATE ledger_account SET debits = debits + 1 WHERE name = 'stripe'")
    [case] = night()
    assert case.summary.startswith("TAMPERED: the account stripe")

    close_case(case=case, closed_by=UserFactory(), reason="It will be nothing.")

    assert [each.closed_at is None for each in night()] == [False, True]
    assert len(night()) == 2
