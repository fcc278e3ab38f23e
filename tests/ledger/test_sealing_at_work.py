"""Sealing as the worker does it: what has grown, again and again, and staff hear when it halts."""

import pytest

from ledger.models import Checkpoint
from ledger.services import sealing
from ledger.services.books import open_book
from ledger.services.checkpoints import kept_file
from reviews.models import Case
from reviews.tasks import seal_books
from tests.factories import OrganisationFactory, UserFactory, gift_entries
from tests.reviews.deciding import close_case

pytestmark = pytest.mark.django_db


def sealed():
    rows = Checkpoint.objects.order_by("organisation_id", "book", "size")
    return [(row.organisation.slug, row.book, row.size) for row in rows]


def test_every_book_is_sealed_when_it_has_grown():
    lantern, other = OrganisationFactory(slug="lantern"), OrganisationFactory(slug="other")
    open_book(organisation=lantern, name="credits")

    seal_books(timestamp=0)
    seal_books(timestamp=0)
    gift_entries(other, 2)
    seal_books(timestamp=0)

    assert sealed() == [
        ("lantern", "credits", 1),
        ("lantern", "public", 1),
        ("other", "public", 1),
        ("other", "public", 3),
    ]
    notes = {row.book: row.note for row in Checkpoint.objects.of(lantern.id, "credits")}
    assert notes["credits"].startswith(f"ledger.example/log/{lantern.id}/credits\n1\n")


def test_a_log_that_halts_is_one_case_and_holds_up_no_other(caplog):
    lantern, other = OrganisationFactory(slug="lantern"), OrganisationFactory(slug="other")
    seal_books(timestamp=0)
    kept_file(lantern.books.get()).unlink()
    for organisation in (lantern, other):
        gift_entries(organisation)

    seal_books(timestamp=0)
    seal_books(timestamp=0)

    case = Case.objects.get()
    assert (case.kind, case.organisation) == ("sealing", lantern)
    assert case.subject == f"{lantern.id}/public"
    assert "manage.py trust_checkpoint --organisation lantern --book public" in case.summary
    assert ("other", "public", 2) in sealed()
    assert [record.message for record in caplog.records] == ["sealing halted"] * 2
    assert caplog.records[0].organisation == lantern.id
    close_case(case=case, closed_by=UserFactory(), reason="Seen.")
    seal_books(timestamp=0)
    assert Case.objects.filter(closed_at=None).count() == 1


def test_a_key_of_another_secret_is_a_case(settings):
    gift_entries(OrganisationFactory(slug="lantern"))
    settings.LEDGER_KEY_SECRET = "another-secret-of-a-fair-length-0123456789"

    seal_books(timestamp=0)

    assert "LEDGER_KEY_SECRET" in Case.objects.get().summary
    assert sealed() == []


def test_what_fails_otherwise_is_tried_again(monkeypatch, caplog):
    OrganisationFactory(slug="lantern")
    OrganisationFactory(slug="other")
    real, failures = sealing.keep, iter([OSError("No space left on device")])

    def keep(book, note):
        for failure in failures:
            raise failure
        real(book, note)

    monkeypatch.setattr(sealing, "keep", keep)

    seal_books(timestamp=0)
    assert len(sealed()) == 1
    [record] = caplog.records
    assert record.message == "sealing postponed"
    assert record.reason == "OSError: No space left on device"
    seal_books(timestamp=0)
    assert len(sealed()) == 2
    assert not Case.objects.exists()
