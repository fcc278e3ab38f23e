"""The rules of the audit: every book that `append` writes is valid; both ways to read agree."""

import json

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import audit, line
from ledger.audit import Audit, BookBroken, Verdict, audit_books
from ledger.models import Book
from ledger.operations import MoneyOperation
from ledger.services import Draft, append
from tests.factories import OrganisationFactory
from tests.ledger.pen import GENESIS, encode, hash_of
from tests.ledger.test_line import ENTRIES, FIELDS, METADATA, TEXTS

ORGANISATION = "org_00000000000000000000000000"


class Pages:
    """A private book that was never in a database."""

    def __init__(self):
        self.audit = Audit(ORGANISATION, "credits")
        self.size, self.head_hash = 0, None
        self.add(**GENESIS)

    def add(self, **changes):
        fields = {
            "organisation_id": ORGANISATION,
            "book": "credits",
            "sequence": self.size,
            "entry_id": f"led_{self.size:026}",
            "operation": "CREDIT_ADD",
            "amount": 10,
            "currency": "CREDIT",
            "debit": "issued",
            "credit": "owner:ann",
            "nonce": f"nonce-{self.size}",
            "metadata": {},
            "occurred_at": "2026-11-21T12:00:00Z",
            "recorded_at": "2026-11-21T12:00:00Z",
            "prev_entry_hash": self.head_hash,
            "version": 1,
            **changes,
        }
        text = encode(fields)
        self.size, self.head_hash = self.size + 1, hash_of(text)
        fields["metadata"] = json.dumps(fields["metadata"])
        columns = [fields[name] if fields[name] is None else str(fields[name]) for name in PARTS]
        self.audit.add((text, self.head_hash, *columns))

    def finish(self, *accounts):
        genesis = [("XXX", "genesis", "genesis", 0, 0), ("XXX", "genesis:end", "genesis", 0, 0)]
        self.audit.finish((self.size, self.head_hash), [*genesis, *accounts])


PARTS = audit.PARTS


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
    names = ["stripe", "in_transit", "bank:a", "reserve:a-b", "onchain:x1", "held", "external"]
    names += ["unclassified", "fund:general"]
    for number, name in enumerate(names):
        draft = Draft(MoneyOperation.SPENT, number, "EUR", name, names[number - 1], str(number))
        append(book=book, drafts=[draft])

    rules = Audit(book.organisation_id, "public")
    with connection.cursor() as cursor:
        cursor.execute("SELECT currency, name, kind FROM ledger_account")
        rows = cursor.fetchall()

    assert len(rows) == len(names) + 2
    assert all(rules.kind_of(currency, name) == kind for currency, name, kind in rows)


def test_an_everyday_line_is_read_the_short_way():
    assert audit.PLAIN_LINE.match(line.encode(FIELDS))
    assert audit.PLAIN_LINE.match(line.encode(FIELDS | {"metadata": {}}))
    assert not audit.PLAIN_LINE.match(line.encode(FIELDS | {"prev_entry_hash": None}))


@given(ENTRIES)
def test_the_short_way_to_read_a_line_is_the_long_way(fields):
    text = line.encode(fields)
    match = audit.PLAIN_LINE.match(text)

    parts = Audit("", "")._parse(text)

    assert match is None or list(match.groups()) == parts


@given(st.data(), ENTRIES)
def test_the_short_way_takes_no_more_than_the_long_way(data, fields):
    text = line.encode(fields)
    position = data.draw(st.integers(0, len(text)))
    changed = text[:position] + data.draw(st.text(max_size=2)) + text[position + 1 :]
    match = audit.PLAIN_LINE.match(changed)

    if match:
        try:
            assert list(match.groups()) == Audit("", "")._parse(changed)
        except BookBroken as broken:
            # The columns tell: they have no such day, and their metadata is written canonically.
            assert "UTC time" in str(broken) or "canonical" in str(broken)


@pytest.mark.django_db(transaction=True)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None
)
@given(
    batches=st.lists(
        st.lists(
            st.builds(
                Draft,
                operation=st.sampled_from(
                    [each for each in MoneyOperation if each not in ("GENESIS", "CORRECTION")]
                ),
                amount=st.integers(0, 2**48),
                currency=st.sampled_from(["EUR", "JPY"]),
                debit=st.sampled_from(["stripe", "bank:main", "held"]),
                credit=st.sampled_from(["fund:general", "external", "in_transit"]),
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
        renamed = {f"{number}{draft.nonce}": draft for draft in drafts}
        append(
            book=book,
            drafts=[
                Draft(
                    draft.operation, draft.amount, draft.currency, draft.debit, draft.credit,
                    nonce, draft.metadata,
                )
                for nonce, draft in renamed.items()
            ],
        )  # fmt: skip

    [report] = audit_books(organisation=organisation.slug)

    assert report.verdict == Verdict.VALID, report
    assert report.entries == Book.objects.get(organisation=organisation).size
