"""The rules of the audit: every book that `append` writes is valid."""

from dataclasses import replace

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.audit import audit_books
from ledger.audit_rules import Audit, BookBroken, Verdict
from ledger.models import Book
from ledger.operations import MoneyOperation
from ledger.services import Draft, append
from tests.factories import OrganisationFactory
from tests.ledger.pages import ORGANISATION, Pages
from tests.ledger.test_line import METADATA, TEXTS

MOVES = [
    (MoneyOperation.DONATION_RECEIVED, "stripe", "fund:general"),
    (MoneyOperation.PROCESSING_FEE, "fund:general", "stripe"),
    (MoneyOperation.DONATION_HELD, "fund:general", "held"),
    (MoneyOperation.PAYOUT_SENT, "in_transit", "stripe"),
    (MoneyOperation.PAYOUT_ARRIVED, "bank:main", "in_transit"),
    (MoneyOperation.EXTERNAL_ACTIVITY, "stripe", "external"),
    (MoneyOperation.UNCLASSIFIED, "bank:main", "unclassified"),
    (MoneyOperation.RESERVE_TRANSFER, "reserve:cold-1", "onchain:x1"),
]


def test_a_private_book_is_valid():
    pages = Pages()

    pages.add()
    pages.add(debit="owner:ann", credit="issued", amount=10, operation="CREDIT_SPEND")
    pages.add(credit="owner:Žofie 🎁", metadata={"a": "\u2028"})

    pages.finish(
        ("CREDIT", "issued", "other", 20, 10),
        ("CREDIT", "owner:ann", "owner", 10, 10),
        ("CREDIT", "owner:Žofie 🎁", "owner", 0, 10),
        ("CREDIT", "never used", "other", 0, 0),
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"debit": "owner:ann", "credit": "issued", "amount": 1}, "spends more than its owner has"),
        ({"currency": "EUR"}, "names no account"),
        ({"credit": "genesis"}, "names no account"),
        ({"credit": "a" * 161}, "names no account"),
        ({"credit": ""}, "names no account"),
        ({"currency": "XXX", "amount": 0}, "names no account"),
        ({"operation": "GENESIS"}, "is not the one genesis"),
        ({"organisation_id": "org_1"}, "is of another book"),
        ({"book": "public"}, "is of another book"),
    ],
)
def test_what_a_private_book_cannot_hold_is_named(changes, reason):
    pages = Pages()

    with pytest.raises(BookBroken, match=reason) as broken:
        pages.add(**changes)

    assert (broken.value.sequence, broken.value.verdict) == (1, Verdict.TAMPERED)


@pytest.mark.parametrize(
    "account",
    [
        ("CREDIT", "issued", "owner", 0, 0),
        ("CREDIT", "issued", None, 0, 0),
        ("CREDIT", "owner:", "owner", 0, 0),
        ("EUR", "issued", "other", 0, 0),
        ("EUR", "stripe", "place", 0, 0),
        ("XXX", "other", "genesis", 0, 0),
    ],
)
def test_an_account_of_the_wrong_kind_is_found(account):
    with pytest.raises(BookBroken, match="cannot be of the kind"):
        Pages().finish(account)


@pytest.mark.parametrize(
    ("currency", "name", "kind"),
    [
        ("EUR", "stripe", "place"),
        ("EUR", "in_transit", "place"),
        ("EUR", "reserve:cold-1", "place"),
        ("EUR", "held", "purpose"),
        ("EUR", "fund:general", "purpose"),
        ("EUR", "fund:general\n", None),
        ("EUR", "stripe:1", None),
        ("EUR", "fund:", None),
        ("EUR", "fund:" + "a" * 160, None),
        ("euro", "stripe", None),
        ("XXX", "genesis:end", "genesis"),
        ("XXX", "stripe", None),
    ],
)
def test_kinds_follow_from_names(currency, name, kind):
    assert Audit(ORGANISATION, "public").kind_of(currency, name) == kind


@pytest.mark.django_db
def test_kinds_are_those_of_the_database():
    book = OrganisationFactory().books.get()
    drafts = [Draft(each, 1, "EUR", debit, credit, each) for each, debit, credit in MOVES]
    append(book=book, drafts=drafts)

    rules = Audit(book.organisation_id, "public")
    with connection.cursor() as cursor:
        cursor.execute("SELECT currency, name, kind FROM ledger_account")
        rows = cursor.fetchall()

    assert {kind for _, _, kind in rows} == {"genesis", "place", "purpose"}
    assert all(rules.kind_of(currency, name) == kind for currency, name, kind in rows)


@pytest.mark.django_db(transaction=True)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None
)
@given(
    batches=st.lists(
        st.lists(
            st.builds(
                lambda move, **fields: Draft(move[0], debit=move[1], credit=move[2], **fields),
                move=st.sampled_from(MOVES),
                amount=st.integers(0, 2**48),
                currency=st.sampled_from(["EUR", "JPY"]),
                nonce=TEXTS.filter(bool),
                metadata=METADATA,
            ),
            max_size=4,
            unique_by=lambda draft: draft.nonce,
        ),
        max_size=3,
    )
)
def test_any_book_that_append_writes_is_valid(batches):
    organisation = OrganisationFactory()
    book = organisation.books.get()
    for number, drafts in enumerate(batches):
        append(
            book=book,
            drafts=[replace(draft, nonce=f"{number}{draft.nonce}") for draft in drafts],
        )

    [report] = audit_books(organisation=organisation.slug)

    assert report.verdict == Verdict.VALID, report
    assert report.entries == Book.objects.get(organisation=organisation).size
