"""An entry is taken back by a new one: once, exactly, and with a reason."""

import json
from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from credits.operations import CreditOperation
from ledger.commitments import details_of
from ledger.errors import AlreadyCorrected, CorrectionOverdraws, NotCorrectable, ReasonRefused
from ledger.models import Account, Book, Correction, Entry, EntryListing
from ledger.operations import MoneyOperation
from ledger.services import Draft, append
from ledger.services.attestations import attest_balances
from ledger.services.books import open_book
from ledger.services.corrections import correct_entry
from ledger.services.openings import erase_details
from ledger.services.rotating import rotate_key
from tests.factories import OrganisationFactory, gift_entries
from tests.ledger.pen import Pen
from tests.ledger.writers import closing

pytestmark = pytest.mark.django_db

TWICE = "Booked twice."


@pytest.fixture
def organisation():
    return OrganisationFactory(slug="lantern")


def amounts():
    return {row.name: row.amount for row in Account.objects.filter(book="public").money()}


def test_a_correction_mirrors_names_and_says_why(organisation):
    [first, second] = gift_entries(organisation, 2, metadata={"donation": "don_1"})

    correction = correct_entry(entry=first, reason=f"  {TWICE}\r\n See\u00a0it. ")

    assert (correction.operation, correction.sequence) == ("CORRECTION", 3)
    assert (correction.amount, correction.currency) == (first.amount, first.currency)
    assert (correction.debit, correction.credit) == (first.credit, first.debit)
    assert correction.nonce == "correction:1"
    assert correction.reverses == 1
    assert correction.metadata == {
        "reverses": 1,
        "reason": "Booked twice. See it.",
        "donation": "don_1",
    }
    assert amounts() == {"stripe": 5000, "fund:winter-shelter": 5000}
    shown = Entry.objects.of(organisation).with_corrections().order_by("sequence")
    assert [entry.corrected_by for entry in shown] == [None, 3, None, None]
    assert [entry.reverses for entry in shown] == [None, None, None, 1]
    assert str(Correction.objects.get()) == "public/1 by 3"
    assert second.reverses is None


@pytest.mark.parametrize("reason", ["x", "x" * 500])
def test_a_reason_is_as_short_or_long_as_it_may_be(organisation, reason):
    [entry] = gift_entries(organisation)

    assert correct_entry(entry=entry, reason=reason).metadata["reason"] == reason


def test_the_same_again_returns_what_is_stored(organisation):
    [entry] = gift_entries(organisation)
    first = correct_entry(entry=entry, reason=TWICE)

    assert correct_entry(entry=entry, reason=f" {TWICE} ") == first
    assert Entry.objects.count() == 3


def test_an_entry_is_corrected_once(organisation):
    [entry] = gift_entries(organisation)
    correct_entry(entry=entry, reason=TWICE)

    with pytest.raises(AlreadyCorrected, match=r"Entry 1 was corrected before, by entry 2\."):
        correct_entry(entry=entry, reason="Something else.")

    assert Entry.objects.count() == 3


def test_the_same_sequence_of_another_book_is_another_entry(organisation):
    private = open_book(organisation=organisation, name="credits")
    issue = {"currency": "CREDIT", "debit": "issued", "credit": "owner:ann", "amount": 1}
    others = [
        append(
            book=private,
            drafts=[Draft(CreditOperation.CREDIT_ADD, **issue, nonce=f"n{n}") for n in range(3)],
        ),
        gift_entries(OrganisationFactory(), 3),
    ]
    for other, *_ in others:
        correct_entry(entry=other, reason=TWICE)
    [entry, _] = gift_entries(organisation, 2)
    shown = Entry.objects.of(organisation).with_corrections()
    assert [row.corrected_by for row in shown] == [None] * 3

    correction = correct_entry(entry=entry, reason=TWICE)

    assert (correction.organisation, correction.book) == (organisation, "public")
    assert (correction.sequence, correction.reverses) == (3, 1)
    assert correct_entry(entry=entry, reason=TWICE) == correction


def test_what_somebody_else_reversed_is_corrected_too(organisation):
    [entry] = gift_entries(organisation)
    reversal = {"operation": MoneyOperation.CORRECTION, "debit": entry.credit, "credit": "stripe"}
    metadata = {"reverses": 1, "reason": "By another program."}
    gift_entries(organisation, first=1, metadata=metadata, **reversal)

    with pytest.raises(AlreadyCorrected, match="by entry 2"):
        correct_entry(entry=entry, reason=TWICE)


def test_a_correction_is_corrected_like_any_entry(organisation):
    [entry] = gift_entries(organisation)
    mistaken = correct_entry(entry=entry, reason="A mistake.")

    again = correct_entry(entry=mistaken, reason="It was none.")

    assert (again.debit, again.credit, again.reverses) == (entry.debit, entry.credit, 2)
    assert amounts() == {"stripe": 5000, "fund:winter-shelter": 5000}
    shown = Entry.objects.of(organisation).with_corrections().order_by("sequence")
    counted = [entry for entry in shown if entry.corrected_by is None and entry.amount]
    assert counted == [again]
    with pytest.raises(AlreadyCorrected):
        correct_entry(entry=entry, reason="Another.")


def test_what_moves_nothing_cannot_be_corrected(organisation):
    [nothing] = gift_entries(organisation, amount=0)
    [attestation] = attest_balances(book=organisation.books.get())
    rotate_key(organisation=organisation)
    [detail] = details_of({"name": "Ann"})
    [gift] = gift_entries(organisation, first=7, metadata={detail.key: detail.commitment})
    erasure = erase_details(entry=gift)
    rotation = Entry.objects.get(operation="KEY_ROTATION")

    for entry in (Entry.objects.get(sequence=0), nothing, attestation, rotation, erasure):
        with pytest.raises(NotCorrectable):
            correct_entry(entry=entry, reason=TWICE)

    assert Entry.objects.count() == 6


@pytest.mark.parametrize(
    "reason", ["", " \r\n ", "x" * 501, "a\0b", "a\u202eb", "\ud800", "\u0378"]
)
def test_a_reason_can_be_read(organisation, reason):
    [entry] = gift_entries(organisation)

    with pytest.raises(ReasonRefused):
        correct_entry(entry=entry, reason=reason)

    assert Entry.objects.count() == 2


def test_a_reason_is_written_in_its_normal_form(organisation):
    [first, second] = gift_entries(organisation, 2)

    assert correct_entry(entry=first, reason="e\u0301te\u0301").metadata["reason"] == "été"
    assert len(correct_entry(entry=second, reason="x" * 500).metadata["reason"]) == 500


def credits(organisation, nonce, operation, amount):
    book = open_book(organisation=organisation, name="credits")
    names = ["issued", "owner:ann"]
    debit, credit = names[::-1] if operation == "CREDIT_SPEND" else names
    kind = CreditOperation(operation)
    draft = Draft(kind, amount, "CREDIT", debit, credit, nonce)
    return append(book=book, drafts=[draft])[0]


def test_credits_are_corrected_while_they_are_there(organisation):
    added = credits(organisation, "a", "CREDIT_ADD", 10)
    spent = credits(organisation, "b", "CREDIT_SPEND", 4)
    gift_entries(organisation)

    with pytest.raises(CorrectionOverdraws):
        correct_entry(entry=added, reason=TWICE)
    assert Entry.objects.filter(book="credits").count() == 3
    correct_entry(entry=spent, reason="Never delivered.")
    correction = correct_entry(entry=added, reason=TWICE)

    assert (correction.book, correction.sequence) == ("credits", 4)
    ann = Account.objects.get(name="owner:ann")
    assert (ann.debits, ann.credits) == (14, 14)
    assert amounts() == {"stripe": 5000, "fund:winter-shelter": 5000}


def test_another_refusal_of_the_database_is_told_as_it_is(organisation):
    [entry] = gift_entries(organisation)
    entry.amount += 1

    with pytest.raises(IntegrityError, match="does not mirror"):
        correct_entry(entry=entry, reason=TWICE)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_correct_one_does():
    [entry] = gift_entries(OrganisationFactory())

    def work(writer):
        try:
            return correct_entry(entry=entry, reason=f"Reason {writer % 2}.").sequence
        except AlreadyCorrected as error:
            return str(error)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(closing(work), range(6)))

    assert sorted(map(str, answers)) == [
        *["2"] * 3,
        *["Entry 1 was corrected before, by entry 2."] * 3,
    ]
    assert Book.objects.get().size == 3


def command(*arguments):
    out = StringIO()
    call_command("correct_entry", *arguments, stdout=out)
    return json.loads(out.getvalue())


def test_an_operator_corrects_by_a_command(organisation):
    gift_entries(organisation)
    credits(organisation, "a", "CREDIT_ADD", 10)
    where = ["--organisation", "lantern", "--sequence", "1"]

    public = command(*where, "--reason", TWICE)
    again = command(*where, "--reason", TWICE)
    private = command(*where, "--book", "credits", "--reason", TWICE)

    correction = Entry.objects.get(book="public", sequence=2)
    assert public == {"corrects": 1, "sequence": 2, "entry_hash": correction.entry_hash}
    assert again == public
    assert private["sequence"] == 2
    assert EntryListing.objects.filter(operation="CORRECTION").count() == 2


NO_ENTRY = r"^There is no such entry\.$"
NO_BOOK = r"^There is no such book\.$"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--organisation", "lantern", "--sequence", "9"], NO_ENTRY),
        (["--organisation", "nobody", "--sequence", "1"], NO_BOOK),
        (
            ["--organisation", "lantern", "--sequence", "1", "--book", "none"],
            NO_BOOK,
        ),
        (["--organisation", "lantern", "--sequence", "0"], "moves nothing"),
    ],
)
def test_an_operator_is_told_what_cannot_be(organisation, arguments, words):
    gift_entries(organisation)

    with pytest.raises(CommandError, match=words):
        command(*arguments, "--reason", TWICE)


UNREASONED = ("23514", "entry_is_corrected_for_a_reason")


@pytest.mark.parametrize(
    "reason", [None, "", "   ", "x" * 501, 1, True, {}, {"a": "b"}], ids=lambda it: str(it)[:9]
)
def test_the_database_wants_a_reason(pen, reason):
    metadata = {"reverses": 2, "reason": reason} if reason is not None else {"reverses": 2}
    mirrored = {"operation": "CORRECTION", "debit": "fund:general", "credit": "stripe"}
    row = pen.row(metadata=metadata, **mirrored)

    assert pen.refused(row) == UNREASONED
    assert pen.refused_call(lambda: pen.copy(row)) == UNREASONED
    pen.write(pen.row(metadata={"reverses": 2, "reason": "x" * 500}, **mirrored))


def test_the_database_corrects_nothing_that_moved_nothing(pen: Pen):
    pen.write(pen.row(amount=0))
    mirrored = {"operation": "CORRECTION", "debit": "fund:general", "credit": "stripe"}
    metadata = {"reverses": 3, "reason": "No."}
    nothing = {"currency": "XXX", "debit": "genesis:end", "credit": "genesis", "amount": 0}

    unmoved = ("23514", "entry_is_corrected_if_it_moved")
    assert pen.refused(pen.row(amount=0, metadata=metadata, **mirrored)) == unmoved
    row = pen.row(operation="CORRECTION", metadata={**metadata, "reverses": 0}, **nothing)
    assert pen.refused(row)[0] == "23514"
