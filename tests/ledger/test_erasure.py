"""Erasing what a line commits to: on the record, for ever, and every proof stays valid."""

import json

import pytest

from ledger.audit import audit_books
from ledger.commitments import Detail, details_of
from ledger.errors import NothingToErase
from ledger.log import erasure_of, opening_of, proof_of
from ledger.models import Entry, Opening
from ledger.services.openings import erase_details, keep_details
from ledger.services.sealing import seal
from tests.factories import OrganisationFactory, gift_entries
from tests.ledger.tampering import forged, rechain

pytestmark = pytest.mark.django_db(transaction=True)


def committed(organisation, number=1, **values):
    """An entry that commits to a donor's details, which are kept."""
    details = list(details_of(values or {"email": "ann@example.org", "name": "Ann"}))
    said = {detail.key: detail.commitment for detail in details}
    metadata = {"donation": f"don_{number}", **said}
    [entry] = gift_entries(organisation, first=number, metadata=metadata)
    keep_details(details=[(entry, detail) for detail in details])
    return entry


@pytest.fixture
def organisation():
    return OrganisationFactory()


def test_the_book_says_it_and_the_details_are_gone(organisation):
    entry = committed(organisation)

    erasure = erase_details(entry=entry)

    assert (erasure.sequence, erasure.operation, erasure.amount) == (2, "ERASURE", 0)
    assert erasure.metadata == {"erases": 1, "donation": "don_1"}
    assert not Opening.objects.exists()
    assert erasure_of(entry) == erasure


def test_the_same_again_changes_nothing(organisation):
    entry = committed(organisation)

    assert erase_details(entry=entry) == erase_details(entry=entry)
    assert Entry.objects.count() == 3


def test_nobody_else_is_erased(organisation):
    entry, other = committed(organisation), committed(organisation, number=2)
    theirs = committed(OrganisationFactory())

    erase_details(entry=entry)

    left = Opening.objects.values_list("organisation_id", "sequence").distinct()
    assert set(left) == {(organisation.id, other.sequence), (theirs.organisation_id, 1)}
    assert erasure_of(other) is None
    assert erasure_of(theirs) is None


def test_an_entry_without_commitments_has_nothing_to_erase(organisation):
    [entry] = gift_entries(organisation, metadata={"donation": "don_1"})

    with pytest.raises(NothingToErase):
        erase_details(entry=entry)


def test_an_erasure_of_what_is_no_gift_names_none(organisation):
    [detail] = details_of({"name": "Ann"})
    [entry] = gift_entries(organisation, metadata={detail.key: detail.commitment})

    assert erase_details(entry=entry).metadata == {"erases": 1}


def test_proofs_and_the_donors_own_copy_outlive_it(organisation):
    entry = committed(organisation)
    seal(book=organisation.books.get())
    receipt, copy = proof_of(organisation, entry), json.loads(opening_of(entry))

    erase_details(entry=entry)
    seal(book=organisation.books.get())

    assert {report.verdict.name for report in audit_books()} == {"VALID"}
    assert receipt.split("\n")[1] == proof_of(organisation, entry).split("\n")[1]
    for told in copy["details"]:
        detail = Detail(told["field"], told["value"], bytes.fromhex(told["salt"]))
        assert entry.metadata[detail.key] == detail.commitment
    assert opening_of(entry) is None


def test_the_private_file_says_which_entry_it_opens(organisation):
    entry = committed(organisation)

    told = json.loads(opening_of(entry))

    assert [(each["field"], each["value"]) for each in told.pop("details")] == [
        ("email", "ann@example.org"),
        ("name", "Ann"),
    ]
    assert told == {
        "version": "almoner-opening/v1",
        "organisation_id": organisation.id,
        "book": "public",
        "sequence": 1,
    }


def test_an_opening_is_named_without_saying_what_it_is(organisation):
    committed(organisation)

    assert str(Opening.objects.order_by("field").first()) == "public/1 email"
    assert Opening.objects.order_by("field").first().detail.value == "ann@example.org"


# What the audit finds


def finding():
    [report] = audit_books()
    return report.verdict.name, report.first_bad_sequence, report.reason


SILENT = "its details were erased without an entry that says so"


def test_a_detail_deleted_without_an_entry_is_found(tamper):
    entry = committed(OrganisationFactory())
    tamper.execute("DELETE FROM ledger_opening WHERE field = 'name'")

    assert finding() == ("TAMPERED", entry.sequence, SILENT)


@pytest.mark.parametrize("change", ["value = 'Bob'", "salt = sha256('x')"])
def test_a_detail_that_was_changed_is_found(tamper, change):
    entry = committed(OrganisationFactory())
    tamper.execute(f"UPDATE ledger_opening SET {change} WHERE field = 'name'")

    assert finding() == ("TAMPERED", entry.sequence, SILENT)


def test_details_that_outlive_their_erasure_are_found(tamper):
    entry = committed(OrganisationFactory())
    tamper.execute("CREATE TEMP TABLE kept AS SELECT * FROM ledger_opening")
    erase_details(entry=entry)
    assert finding()[0] == "VALID"

    tamper.execute("INSERT INTO ledger_opening SELECT * FROM kept")

    assert finding() == ("TAMPERED", 1, "its details are said to be erased, and are there")


def test_an_erasure_of_what_was_never_committed_to_is_found(tamper):
    organisation = OrganisationFactory()
    erase_details(entry=committed(organisation))

    def change(rows):
        rows[1] = forged(rows[1], metadata={"donation": "don_1"})
        rechain(rows, 2)

    tamper.edit(change)
    tamper.state_head()

    assert finding() == ("TAMPERED", 2, "it erases what no entry committed to")
