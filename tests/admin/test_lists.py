"""What staff look at: lists that stay fast, and show no more than they must."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from common import admin as common_admin
from common.admin import BoundedPaginator
from ledger.models import BookListing, EntryListing
from ledger.services.books import open_book
from organisations.models import User
from tests.factories import (
    PASSWORD,
    CaseFactory,
    DonationFactory,
    OrganisationFactory,
    RecurringGiftFactory,
    RefundRequestFactory,
    StripeEventFactory,
    UserFactory,
    gift_entries,
)
from tests.treasury.movements import book_all, charged

ENTRIES = "/admin/ledger/entrylisting/"
BOOKS = "/admin/ledger/booklisting/"
GIFTS = "/admin/donations/donation/"
PEOPLE = "/admin/organisations/user/"


def rows_of(client, url, **query):
    """Return the rows that a list shows."""
    response = client.get(url, query)
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


@pytest.fixture
def lantern(db):
    """An organisation with three entries."""
    organisation = OrganisationFactory(slug="lantern")
    gift_entries(organisation, 2)
    return organisation


def test_entries_are_listed_newest_first_within_their_book(chief, lantern):
    OrganisationFactory(slug="other")

    found = [(row.organisation.slug, row.sequence) for row in rows_of(chief, ENTRIES)]

    assert found == [("other", 0), ("lantern", 2), ("lantern", 1), ("lantern", 0)]


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("lantern", [2, 1, 0]),
        ("lantern/1", [1]),
        ("lantern/99", []),
        ("gift:1", [2]),
        (" gift:1 ", [2]),
        ("{entry_id}", [1]),
        ("{organisation_id}", [2, 1, 0]),
        ("gift", []),
        ("%", []),
        ("'; --", []),
        ("lantern/\N{SUPERSCRIPT TWO}", []),
    ],
)
def test_entries_are_found_by_what_they_are_exactly(chief, lantern, term, expected):
    gift_entries(OrganisationFactory(), first=7)
    entry = EntryListing.objects.get(organisation=lantern, sequence=1)
    term = term.format(entry_id=entry.entry_id, organisation_id=lantern.id)

    assert [row.sequence for row in rows_of(chief, ENTRIES, q=term)] == expected


@pytest.mark.parametrize(
    "path",
    [
        "ledger/entrylisting/?q=%00",
        "ledger/entrylisting/a%00/public/1/change/",
        "reviews/case/%00/change/",
        "reviews/case/%00/history/",
        "reviews/case/?organisation=%00",
        "reviews/hold/?status=%00",
        "organisations/organisation/%00/change/",
        "figures/export/?table=%00",
    ],
)
def test_an_address_with_a_nul_is_refused(chief, path):
    assert chief.get(f"/admin/{path}").status_code == 400


def test_no_list_of_the_ledger_counts_or_matches_all_rows(chief, lantern):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        rows_of(chief, ENTRIES, q="gift:1")

    for query in queries.captured_queries:
        statement = query["sql"].upper()
        assert "LIKE" not in statement
        assert "COUNT(*)" not in statement or "LIMIT 10000" in statement


def test_an_entry_is_shown_with_its_line(chief, lantern):
    entry = EntryListing.objects.get(organisation=lantern, sequence=1)

    page = chief.get(reverse("admin:ledger_entrylisting_change", args=[entry.id]))

    assert page.status_code == 200
    assert entry.entry_hash in page.content.decode()


@pytest.mark.parametrize(
    "name", ["x", "a/b", "a/b/c", "a/public/1", "a/public/\N{SUPERSCRIPT TWO}"]
)
def test_an_entry_that_is_not_there_leads_back(chief, db, name):
    page = chief.get(reverse("admin:ledger_entrylisting_change", args=[name]))

    assert page.status_code == 302


def test_a_book_is_shown_and_found(chief, lantern):
    open_book(organisation=OrganisationFactory(), name="credits")
    for book in BookListing.objects.all():
        page = chief.get(reverse("admin:ledger_booklisting_change", args=[book.id]))
        assert page.context["original"] == book

    assert [row.id for row in rows_of(chief, BOOKS, q="lantern")] == [f"{lantern.id}/public"]


def test_who_gave_stands_on_the_gifts_own_page_only(chief, lantern):
    donation = DonationFactory(organisation=lantern, donor_email="zoe@example.org")

    listed = chief.get(GIFTS).content
    shown = chief.get(f"{GIFTS}{donation.id}/change/").content

    assert b"zoe@example.org" not in listed
    assert b"zoe@example.org" in shown
    assert donation.token.encode() not in shown


def test_a_gift_is_found_by_its_id(chief, lantern):
    donation, other = DonationFactory.create_batch(2, organisation=lantern)

    assert rows_of(chief, GIFTS, q=donation.id) == [donation]
    assert rows_of(chief, GIFTS, q="lantern") == [other, donation]
    assert rows_of(chief, GIFTS, q="nothing") == []


def test_gifts_that_repeat_are_listed_without_who_gives(chief, lantern):
    known = {"donor_email": "zoe@example.org", "subscription": "sub_monthly"}
    monthly = RecurringGiftFactory(organisation=lantern, **known)
    here = "/admin/donations/recurringgift/"

    assert rows_of(chief, here, q="lantern") == rows_of(chief, here, q=monthly.id) == [monthly]
    listed = chief.get(here).content
    assert b"10.00 EUR" in listed
    assert b"zoe@example.org" not in listed
    shown = chief.get(f"{here}{monthly.id}/change/").content.decode()
    assert all(value in shown for value in known.values())


def test_refunds_are_found_by_their_gift_and_hide_their_key(chief, lantern):
    gift = DonationFactory(organisation=lantern)
    book_all(lantern, charged(5000, donation_id=gift.id))
    refused = {"refusal_code": "charge_already_refunded", "refusal": "It was given back before."}
    refund = RefundRequestFactory(
        donation=gift, status="refused", key="form:a-key-of-somebody", **refused
    )
    here = "/admin/donations/refundrequest/"

    assert rows_of(chief, here, q=refund.donation_id) == rows_of(chief, here) == [refund]
    shown = chief.get(f"{here}{refund.id}/change/").content.decode()
    assert all(value in shown for value in (refund.id, *refused.values()))
    assert "a-key-of-somebody" not in shown


def test_a_search_for_a_number_ignores_text(chief, db):
    assert rows_of(chief, "/admin/procrastinate/procrastinatejob/", q="many") == []


@pytest.mark.parametrize("factory", [StripeEventFactory, CaseFactory])
def test_a_row_without_an_organisation_is_listed(chief, factory):
    extra = {"account": "acct_x", "status": "ignored"} if factory is StripeEventFactory else {}
    row = factory(organisation=None, **extra)
    meta = row._meta

    found = rows_of(chief, f"/admin/{meta.app_label}/{meta.model_name}/")

    assert found == [row]


def test_a_long_list_is_counted_to_a_bound_only(db, monkeypatch):
    monkeypatch.setattr(common_admin, "COUNT_MAX", 2)
    UserFactory.create_batch(3)

    paginator = BoundedPaginator(User.objects.order_by("email"), 2)

    assert paginator.count == 2


def test_a_superuser_adds_staff_whose_address_is_in_lower_case(chief):
    form = {
        "email": "New.Person@Example.org",
        "name": "New",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }

    response = chief.post(f"{PEOPLE}add/", form)

    user = User.objects.get(email="new.person@example.org")
    assert response.status_code == 302
    assert user.check_password(PASSWORD)
    assert not user.is_staff


def test_a_superuser_makes_somebody_staff(chief):
    user = UserFactory()
    form = {"email": user.email.upper(), "name": "Zoë", "is_active": "on", "is_staff": "on"}

    response = chief.post(f"{PEOPLE}{user.id}/change/", form)

    user.refresh_from_db()
    assert response.status_code == 302
    assert (user.email, user.name, user.is_staff) == (user.email.lower(), "Zoë", True)


def test_staff_who_may_change_people_still_cannot(staff_with, superuser):
    staff = staff_with("organisations.view_user", "organisations.change_user")
    url = f"{PEOPLE}{superuser.id}"

    assert staff.get(f"{url}/change/").status_code == 200
    assert staff.post(f"{url}/change/", {"email": "x@example.org"}).status_code == 403
    assert staff.post(f"{url}/password/", {"password1": PASSWORD}).status_code == 403
    assert staff.get(f"{PEOPLE}add/").status_code == 403


def test_nobody_deletes_people(chief):
    user = UserFactory()

    assert chief.post(f"{PEOPLE}{user.id}/delete/", {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=user.pk).exists()
