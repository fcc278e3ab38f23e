"""Decisions and holds as the database keeps them, whoever writes: attacks by raw SQL."""

import pytest
from django.db import DatabaseError, connection, transaction

from donations.services.holding import hold_settled
from ledger.errors import NotCorrectable
from ledger.models import PUBLIC, Book, Entry
from ledger.operations import BookOperation, MoneyOperation
from ledger.services import Draft, append
from ledger.services.corrections import correct_entry
from reviews.models import Decision
from reviews.services.deciding import decide
from tests.donations.refunds import in_ledger
from tests.factories import (
    CaseFactory,
    MembershipFactory,
    OrganisationFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def refused(statement, *values):
    """Return which rule of the database a statement breaks."""
    with (
        pytest.raises(DatabaseError) as caught,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, values)
    return caught.value.__cause__.diag.constraint_name or caught.value.__cause__.sqlstate


def decision(case, by, *, is_final=True, choice="release", number="1", confirms=None, of_round=1):
    """Return the statement that writes a decision, with its values."""
    statement = """
        INSERT INTO reviews_decision (id, case_id, round, choice, reason, by_id, at, is_final,
            confirms_id)
        VALUES (%s, %s, %s, %s, 'Because.', %s, now(), %s, %s)
    """
    return statement, f"dec_{number}", case.pk, of_round, choice, by.pk, is_final, confirms


def run(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.fixture
def case():
    """A case of a small amount, which one person decides."""
    return CaseFactory(amount=5000, currency="EUR")


@pytest.fixture
def large():
    """A case whose money only two people move."""
    case = CaseFactory(amount=100_000, currency="EUR")
    case.refresh_from_db()
    assert case.people_needed == 2
    return case


def test_one_decision_ends_a_round(case):
    run(*decision(case, UserFactory()))

    assert refused(*decision(case, UserFactory(), number="2")) == "case_is_decided_once"


def test_the_first_of_two_only_proposes(large):
    assert refused(*decision(large, UserFactory())) == "decision_is_of_two"


def test_who_proposed_does_not_confirm(large):
    person = UserFactory()
    run(*decision(large, person, is_final=False))

    again = decision(large, person, number="2", confirms="dec_1")
    assert refused(*again) == "decision_is_of_two"


def test_nobody_confirms_what_was_not_proposed(large):
    run(*decision(large, UserFactory(), is_final=False, choice="refuse"))

    other = decision(large, UserFactory(), number="2", confirms="dec_1")
    assert refused(*other) == "decision_is_of_two"


def test_what_was_proposed_before_counts_no_more(large):
    run(*decision(large, UserFactory(), is_final=False))
    run(*decision(large, UserFactory(), is_final=False, number="2"))

    old = decision(large, UserFactory(), number="3", confirms="dec_1")
    assert refused(*old) == "decision_is_of_two"


def test_a_confirmation_is_of_the_own_case(large):
    run(*decision(CaseFactory(), UserFactory(), is_final=False))

    assert refused(*decision(large, UserFactory(), number="2", confirms="dec_1")) == (
        "decision_is_of_two"
    )


def test_two_people_decide(large):
    run(*decision(large, UserFactory(), is_final=False))
    run(*decision(large, UserFactory(), number="2", confirms="dec_1"))

    assert Decision.objects.filter(case=large, is_final=True).count() == 1


@pytest.mark.parametrize("choice", ["close", "keep"])
def test_one_person_decides_what_changes_nothing(large, choice):
    run(*decision(large, UserFactory(), is_final=False))
    run(*decision(large, UserFactory(), number="2", choice=choice))

    assert Decision.objects.get(case=large, is_final=True).choice == choice


def test_who_confirms_what_changes_nothing_is_somebody_else(large):
    person = UserFactory()
    run(*decision(large, person, is_final=False, choice="close"))

    own = decision(large, person, number="2", choice="close", confirms="dec_1")
    assert refused(*own) == "decision_is_of_two"


@pytest.mark.parametrize("choice", ["refuse", "approve", "again", "enable", "Close", ""])
def test_whatever_else_is_decided_takes_two(large, choice):
    assert refused(*decision(large, UserFactory(), choice=choice)) == "decision_is_of_two"


def test_a_proposal_confirms_nothing(large):
    run(*decision(large, UserFactory(), is_final=False))

    wrong = decision(large, UserFactory(), is_final=False, number="2", confirms="dec_1")
    assert refused(*wrong) == "proposal_confirms_nothing"


def test_nobody_decides_on_their_own_organisation(case):
    member = MembershipFactory(organisation=case.organisation).user

    assert refused(*decision(case, member)) == "decision_is_of_others"


def test_nobody_decides_on_their_own_gift():
    gift = in_ledger(OrganisationFactory(), donor_email="Zoe@Example.org")
    case = CaseFactory(organisation=gift.organisation, gift=gift.id)
    donor = UserFactory(email="zoe@example.org")

    assert refused(*decision(case, donor)) == "decision_is_of_others"


@pytest.mark.parametrize("of_round", [0, 2])
def test_a_decision_is_of_the_round_that_is_open(case, of_round):
    assert refused(*decision(case, UserFactory(), of_round=of_round)) == "case_is_open"


def test_a_closed_case_takes_no_decision(case):
    decide(case=case, by=UserFactory(), choice="close", reason="Seen.")

    assert refused(*decision(case, UserFactory(), is_final=False)) == "case_is_open"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE reviews_decision SET reason = 'Other.'",
        "DELETE FROM reviews_decision",
        "TRUNCATE reviews_decision CASCADE",
        "UPDATE reviews_note SET text = 'Other.'",
        "DELETE FROM reviews_note",
        "DELETE FROM reviews_case",
        "UPDATE reviews_case SET people_needed = 1",
        "UPDATE reviews_case SET amount = 1",
        "UPDATE reviews_hold SET amount = 1",
        "DELETE FROM reviews_hold",
    ],
)
def test_the_application_takes_nothing_back(case, statement):
    decide(case=case, by=UserFactory(), choice="close", reason="Seen.")

    assert refused(statement) == "42501"


def test_a_case_is_closed_by_who_decided_it_and_so(case):
    person, other = UserFactory.create_batch(2)
    run(*decision(case, person))
    close = """
        UPDATE reviews_case SET closed_at = now(), closed_by_id = %s, choice = %s, reason = 'So.'
        WHERE id = %s
    """

    assert refused(close, other.pk, "release", case.pk) == "case_is_closed_as_decided"
    assert refused(close, person.pk, "keep", case.pk) == "case_is_closed_as_decided"
    run(close, person.pk, "release", case.pk)


def test_whose_gift_it_is_is_forgotten_or_stays():
    case = CaseFactory(donor_key="a" * 32)
    change = "UPDATE reviews_case SET donor_key = %s WHERE id = %s"

    assert refused(change, "b" * 32, case.pk) == "case_is_of_its_donor"
    run(change, "", case.pk)
    assert refused(change, "a" * 32, case.pk) == "case_is_of_its_donor"


def test_a_round_does_not_come_again(case):
    run("UPDATE reviews_case SET round = 2 WHERE id = %s", case.pk)

    assert refused("UPDATE reviews_case SET round = 1 WHERE id = %s", case.pk) == "case_goes_on"


@pytest.fixture
def hold():
    """A gift that is held in the ledger and undecided."""
    return hold_settled(in_ledger(OrganisationFactory()))


ENDS = """
    UPDATE reviews_hold SET status = %s, ended_at = CASE WHEN %s THEN now() END,
        released_at_sequence = 1
    WHERE id = %s
"""


@pytest.mark.parametrize("status", ["releasing", "released", "refusing"])
def test_undecided_money_is_neither_released_nor_refused(hold, status):
    assert refused(ENDS, status, status == "released", hold.pk) == "hold_ends_as_decided"


def test_a_hold_ends_as_it_was_decided(hold):
    # Only written down, so that nothing is carried out.
    run(*decision(hold.case, UserFactory(), choice="refuse"))

    assert refused(ENDS, "releasing", False, hold.pk) == "hold_ends_as_decided"
    run(ENDS, "refusing", False, hold.pk)


@pytest.mark.parametrize("status", ["open", "releasing", "refusing", "refused", "lapsed"])
def test_what_was_released_stays_so(hold, status):
    decide(case=hold.case, by=UserFactory(), choice="release", reason="Known.")

    is_over = status in {"refused", "lapsed"}
    assert refused(ENDS, status, is_over, hold.pk) == "hold_goes_on"


def test_money_in_the_ledger_does_not_lapse(hold):
    assert refused(ENDS, "lapsed", True, hold.pk) == "hold_goes_on"


def test_a_hold_begins_open(hold):
    columns = "organisation_id, case_id, gift, amount, currency, purpose, payment_intent"
    rest = "attempts, trouble, opened_at, held_at_sequence"
    statement = f"""
        INSERT INTO reviews_hold (id, kind, status, ended_at, {columns}, {rest})
        SELECT 'hold_2', 'ledger', 'refused', now(), organisation_id, %s, 'don_2', amount, currency,
            purpose, payment_intent, {rest} FROM reviews_hold WHERE id = %s
    """

    assert refused(statement, CaseFactory().pk, hold.pk) == "hold_begins_open"


def released(hold, **changes):
    """Append the entry that releases a hold, without anybody having decided."""
    draft = {
        "operation": MoneyOperation.HOLD_RELEASED,
        "amount": hold.amount,
        "currency": "EUR",
        "debit": "held",
        "credit": hold.purpose,
        "nonce": f"hold:{hold.pk}:released",
        "metadata": {"donation": hold.gift},
        **changes,
    }
    with pytest.raises(DatabaseError) as caught:
        append_to(hold, draft)
    return caught.value.__cause__.diag.constraint_name


def test_money_that_is_held_was_not_given_back(hold):
    assert refused(ENDS, "refused", True, hold.pk) == "hold_refused_holds_nothing"

    run(*decision(hold.case, UserFactory(), choice="refuse"))
    run(ENDS, "refusing", False, hold.pk)

    assert refused(ENDS, "refused", True, hold.pk) == "hold_refused_holds_nothing"


def returned(hold, operation=MoneyOperation.DONATION_REFUNDED, **changes):
    """Append what Stripe would say of a refund or a dispute; return its entry."""
    accounts = {"debit": "held", "credit": "stripe"}
    if operation in (MoneyOperation.REFUND_FAILED, MoneyOperation.DISPUTE_WON):
        accounts = {"debit": "stripe", "credit": "held"}
    metadata = {"donation": hold.gift, **changes.pop("metadata", {})}
    nonce = f"stripe:{Entry.objects.count()}"
    draft = {"operation": operation, **accounts, "nonce": nonce, "metadata": metadata}
    append_to(hold, draft | changes)
    return Entry.objects.order_by("-sequence")[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 4999},
        {"amount": 1, "metadata": {"presentment": {"amount": 5000, "currency": "EUR"}}},
        {"amount": 1, "metadata": {"presentment": {"amount": 5000, "currency": "USD"}}},
        {"operation": MoneyOperation.DISPUTE_OPENED, "amount": 4999},
    ],
)
def test_nothing_is_left_over_of_a_gift_that_was_not_all_given_back(hold, changes):
    returned(hold, **changes)

    assert released(hold, amount=1) == "release_is_decided"


def test_a_refund_that_was_corrected_gave_nothing_back(hold):
    refund = returned(hold, debit=hold.purpose)

    correct_entry(entry=refund, reason="Stripe knows nothing of it.")

    assert released(hold) == "release_is_decided"


def test_a_refund_that_failed_gave_nothing_back(hold):
    returned(hold)
    run(ENDS, "refused", True, hold.pk)
    returned(hold, MoneyOperation.REFUND_FAILED)

    assert released(hold) == "release_is_decided"
    run(ENDS, "open", False, hold.pk)
    assert released(hold) == "release_is_decided"


@pytest.mark.parametrize(
    ("gone", "back"),
    [
        (MoneyOperation.DONATION_REFUNDED, MoneyOperation.REFUND_FAILED),
        (MoneyOperation.DISPUTE_OPENED, MoneyOperation.DISPUTE_WON),
    ],
)
def test_what_comes_back_of_a_held_gift_is_held_again(hold, gone, back):
    returned(hold, gone)

    with pytest.raises(DatabaseError, match="is held again"):
        returned(hold, back, credit=hold.purpose)
    returned(hold, back)
    decide(case=hold.case, by=UserFactory(), choice="release", reason="Known.")
    returned(hold, gone, debit=hold.purpose)
    returned(hold, back, credit=hold.purpose)


def append_to(hold, draft):
    """Append to the book of a hold, past the services."""
    usual = {"amount": hold.amount, "currency": "EUR"}
    book = Book.objects.get(organisation=hold.organisation, book=PUBLIC)
    with transaction.atomic():
        append(book=book, drafts=[Draft(**usual | draft)])


def test_the_ledger_releases_nothing_that_is_undecided(hold):
    assert released(hold) == "release_is_decided"


def test_the_ledger_releases_no_more_than_is_held(hold):
    run(*decision(hold.case, UserFactory(), choice="release"))
    run(ENDS, "releasing", False, hold.pk)

    assert released(hold, amount=hold.amount + 1) == "release_is_of_what_is_held"


@pytest.mark.parametrize(
    "changes",
    [
        {"credit": "fund:other"},
        {"nonce": "hold:hold_other:released"},
        {"metadata": {"donation": "don_other"}},
        {"metadata": {}},
        {"currency": "USD"},
    ],
)
def test_a_release_is_of_the_hold_that_was_decided(hold, changes):
    run(*decision(hold.case, UserFactory(), choice="release"))
    run(ENDS, "releasing", False, hold.pk)

    assert released(hold, **changes) == "release_is_decided"


def test_a_hold_is_not_taken_back_by_a_correction(hold):
    entry = Entry.objects.of(hold.organisation).get(sequence=hold.held_at_sequence)

    with pytest.raises(NotCorrectable, match="decide its case"):
        correct_entry(entry=entry, reason="By mistake.")

    # Nor by who goes past the service.
    draft = {
        "operation": BookOperation.CORRECTION,
        "debit": "held",
        "credit": hold.purpose,
        "nonce": "correction:1",
        "metadata": {"reverses": entry.sequence, "reason": "By mistake."},
    }
    with pytest.raises(DatabaseError, match="released as people decided"):
        append_to(hold, draft)
