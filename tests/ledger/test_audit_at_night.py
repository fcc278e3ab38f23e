"""The nightly audit: staff hear of every book that does not verify, until it does."""

from datetime import timedelta

import pytest

from reviews.models import Case
from reviews.tasks import audit_books_nightly
from tests.factories import OrganisationFactory, UserFactory
from tests.ledger.test_audit import book
from tests.reviews.deciding import close_case

__all__ = ["book"]

EDIT = "UPDATE ledger_entry SET amount = 1 WHERE sequence = 5"


@pytest.fixture
def nights():
    """Return what lets some nights go by."""

    def pass_by(count=1):
        for _ in range(count):
            audit_books_nightly(timestamp=0)

    return pass_by


def test_books_that_verify_are_no_case(tamper, book, nights):
    nights()

    assert not Case.objects.exists()


def test_a_book_that_does_not_verify_is_one_case(tamper, book, nights):
    OrganisationFactory()
    tamper.execute(EDIT)

    nights(2)

    case = Case.objects.get()
    assert (case.kind, case.organisation) == ("audit", book.organisation)
    assert case.subject == f"{book.organisation_id}/public"
    assert case.summary == (
        "TAMPERED at 5: the line and the columns disagree: amount\nTo audit it again: "
        f"manage.py audit_ledger --organisation {book.organisation.slug} --book public"
    )
    assert str(case).startswith("Book that does not verify: org_")
    assert case.due_at - case.opened_at < timedelta(hours=5)


def test_it_comes_up_again_while_nobody_mends_the_book(tamper, book, nights):
    tamper.execute(EDIT)
    nights()
    close_case(case=Case.objects.get(), closed_by=UserFactory(), reason="It will be fine.")

    nights(2)

    assert Case.objects.filter(closed_at=None).count() == 1
    assert Case.objects.count() == 2


def test_sums_and_books_of_nobody_are_cases_too(tamper, book, nights):
    tamper.execute("UPDATE ledger_account SET debits = 1 WHERE name = 'stripe'")
    tamper.execute("DELETE FROM organisations_organisation")

    nights()

    case = Case.objects.get()
    assert case.organisation is None
    assert case.summary.startswith("TAMPERED: the account stripe in EUR says 1 −")
    assert f"--organisation {book.organisation_id} --book public" in case.summary


def test_a_book_that_cannot_be_audited_is_a_case_and_logged(tamper, book, nights, caplog):
    tamper.execute("REVOKE SELECT ON ledger_account FROM almoner")
    tamper.execute("GRANT SELECT (organisation_id, book) ON ledger_account TO almoner")
    try:
        nights()
    finally:
        tamper.execute("GRANT SELECT ON ledger_account TO almoner")

    [record] = caplog.records
    assert (record.message, record.book) == ("audit failed", "public")
    assert Case.objects.get().summary.startswith("It cannot be audited: ProgrammingError: ")
