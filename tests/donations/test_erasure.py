"""Who gave: committed to by the gift's line, known to the gift, and erased at the donor's word."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from donations.models import Donation
from donations.services.erasure import erase_donor
from donations.services.gifts import Payment, mark_paid
from ledger.models import Entry, Opening
from tests.donations.refunds import in_ledger
from tests.factories import DonationFactory, OrganisationFactory, RefundRequestFactory
from tests.treasury.movements import NOON, book_all, charged

pytestmark = pytest.mark.django_db(transaction=True)

WHO = {
    "donor_email": "ann@example.org",
    "donor_name": "Ann Ök",
    "public_name": "Ann",
    "owner_id": "player-1",
    "request_hash": "0" * 64,
}


# How an erased gift may have stood before the database kept its hash empty.
BEFORE = """
    ALTER TABLE donations_donation DROP CONSTRAINT donation_erased_names_nobody,
        ADD CONSTRAINT donation_erased_names_nobody CHECK (erased_at IS NULL OR donor_email = '');
    UPDATE donations_donation SET request_hash = repeat('1', 64) WHERE erased_at IS NOT NULL;
"""


@pytest.fixture
def organisation():
    return OrganisationFactory(stripe_account="acct_1")


@pytest.fixture
def gift(organisation):
    return DonationFactory(organisation=organisation, amount=5000, **WHO)


def settle(gift, **more) -> Entry:
    book_all(gift.organisation, charged(5000, 100, donation_id=gift.id, **more))
    gift.refresh_from_db()
    return Entry.objects.of(gift.organisation).get(sequence=gift.sequence)


def opened(entry) -> dict[str, str]:
    """The details behind an entry, checked against it."""
    rows = Opening.objects.of(entry)
    for row in rows:
        assert entry.metadata[row.detail.key] == row.detail.commitment
    return {row.field: row.value for row in rows}


def who(gift) -> list[str]:
    gift = Donation.objects.get(pk=gift.pk)
    return [getattr(gift, name) for name in WHO]


def test_the_line_commits_to_who_gave_and_says_nothing_of_it(gift):
    entry = settle(gift)

    assert opened(entry) == {"email": "ann@example.org", "name": "Ann Ök"}
    fee = Entry.objects.of(gift.organisation).get(sequence=entry.sequence + 1)
    assert not [key for key in fee.metadata if key.startswith("commitment_")]
    for value in ("ann@", "Ök", "player"):
        assert value not in entry.line


def test_what_stripe_knows_of_the_payer_fills_the_gaps(organisation):
    gift = DonationFactory(organisation=organisation, amount=5000, donor_email="", donor_name="")

    entry = settle(gift, donor_email="bob@example.org", donor_name="B" * 130)

    assert (gift.donor_email, gift.donor_name) == ("bob@example.org", "B" * 120)
    assert opened(entry) == {"email": "bob@example.org", "name": "B" * 120}


def test_what_the_donor_told_us_is_not_replaced(gift):
    entry = settle(gift, donor_email="bob@example.org", donor_name="Bob")

    assert opened(entry) == {"email": "ann@example.org", "name": "Ann Ök"}


def test_a_gift_of_nobody_commits_to_nothing(organisation):
    gift = DonationFactory(organisation=organisation, amount=5000, donor_email="", donor_name="")

    entry = settle(gift)

    assert opened(entry) == {}
    assert not [key for key in entry.metadata if key.startswith("commitment_")]


def test_a_charge_of_no_gift_commits_to_nothing(organisation):
    book_all(organisation, charged(5000, 100, donor_email="ann@example.org"))

    assert not Opening.objects.exists()


def test_erased_is_all_that_the_gift_knew_and_the_book_says_so(gift):
    entry = settle(gift)
    other = DonationFactory(organisation=gift.organisation, amount=5000, **WHO)
    settle(other)

    erased = erase_donor(donation=gift)

    assert who(gift) == [""] * len(WHO)
    assert erased.erased_at <= timezone.now()
    assert opened(entry) == {}
    erasure = Entry.objects.of(gift.organisation).get(operation="ERASURE")
    assert erasure.metadata == {"erases": entry.sequence, "donation": gift.id}
    assert who(other) == list(WHO.values())
    assert Opening.objects.count() == 2


def test_the_same_again_changes_nothing(gift):
    settle(gift)
    first = erase_donor(donation=gift)

    second = erase_donor(donation=gift)

    assert second.erased_at == first.erased_at
    assert Entry.objects.filter(operation="ERASURE").count() == 1


def test_a_gift_that_is_not_in_the_ledger_is_erased_without_an_entry(gift):
    erase_donor(donation=gift)

    assert who(gift) == [""] * len(WHO)
    assert not Entry.objects.filter(operation="ERASURE").exists()


def test_what_is_told_later_is_not_learnt_again(gift):
    erase_donor(donation=gift)

    payment = Payment(gift.id, NOON, donor_email="ann@example.org", donor_name="Ann")
    mark_paid(organisation=gift.organisation, payments=[payment])
    entry = settle(gift, donor_email="ann@example.org", donor_name="Ann")

    assert who(gift) == [""] * len(WHO)
    assert gift.status == "settled"
    assert opened(entry) == {}
    assert "ann@" not in entry.line


@pytest.mark.parametrize("field", WHO)
def test_the_database_keeps_nobody_in_an_erased_gift(gift, field):
    erase_donor(donation=gift)

    with pytest.raises(IntegrityError, match="donation_erased_names_nobody"), transaction.atomic():
        Donation.objects.filter(pk=gift.pk).update(**{field: "x"})


def test_what_was_erased_before_loses_its_hash_too(gift, superuser_connection):
    erase_donor(donation=gift)
    kept = DonationFactory(organisation=gift.organisation, **WHO)
    statements = StringIO()
    call_command("sqlmigrate", "donations", "0008", stdout=statements)

    superuser_connection.execute(BEFORE)
    superuser_connection.execute(statements.getvalue())

    hashes = dict(Donation.objects.values_list("id", "request_hash"))
    assert hashes == {gift.id: "", kept.id: WHO["request_hash"]}
    with pytest.raises(IntegrityError, match="donation_erased_names_nobody"), transaction.atomic():
        Donation.objects.filter(pk=gift.pk).update(request_hash="x")


def test_a_settled_gift_of_nobody_is_erased_without_an_entry(organisation):
    gift = DonationFactory(
        organisation=organisation, amount=5000, donor_email="", donor_name="", public_name="Ann"
    )
    settle(gift)

    erase_donor(donation=gift)

    assert who(gift) == [""] * len(WHO)
    assert not Entry.objects.filter(operation="ERASURE").exists()


def test_the_notes_of_refunds_go_too(gift):
    settle(gift)
    refund = RefundRequestFactory(donation=gift, note="Ann called us")
    other = RefundRequestFactory(donation=in_ledger(OrganisationFactory()), note="Zoë called us")

    erase_donor(donation=gift)

    refund.refresh_from_db()
    other.refresh_from_db()
    assert (refund.note, refund.status, other.note) == ("", "requested", "Zoë called us")
