"""Payouts that wait until staff have decided: why, since when, and once for what is new."""

from contextlib import suppress
from datetime import timedelta
from unittest.mock import Mock

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from common.errors import TryAgainLater
from common.stripe_api import StripeRefused
from donations.models import Donation
from donations.services.promises import create_sandbox_account
from organisations.models import Mail, Organisation, StripeAccountState
from organisations.services import account_states
from organisations.services.account_states import read_state
from reviews.choices import needs_two
from reviews.errors import CaseChanged, CaseSettled, SecondPersonNeeded
from reviews.models import Case, Note, PayoutHold, Screening
from reviews.services.cases import reopen
from reviews.services.deciding import decide
from reviews.services.payout_holds import hold_payouts
from tests.factories import (
    CaseFactory,
    DisputeFactory,
    MembershipFactory,
    OrganisationFactory,
    UserFactory,
)
from tests.webhooks.holding import paid
from tests.webhooks.payouts import (
    IBAN,
    OTHER_IBAN,
    account_of,
    at_bank,
    has_waited,
    opened,
    released,
    schedule_of,
    set_schedule,
    swap_bank,
)
from treasury.models import BalanceTransaction, PayoutControl, PayoutOrder
from treasury.services import paying_out
from treasury.services.standing import look_at_account
from treasury.tasks import time_held_payouts

pytestmark = pytest.mark.django_db(transaction=True)
FEE = 100


@pytest.fixture
def organisation(db, sandbox_stripe) -> Organisation:
    return opened()


def charge_of(gift):
    own = BalanceTransaction.objects.filter(donation=gift.id, reporting_category="charge")
    return own.get().charge


def broken(statement, *values):
    """Return which rule of the database a statement breaks."""
    with (
        pytest.raises(DatabaseError) as caught,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, values)
    return caught.value.__cause__.diag.constraint_name


def test_a_new_bank_account_lets_payouts_wait_at_once(sandbox_stripe, organisation):
    owner = MembershipFactory(organisation=organisation, role="owner").user
    swap_bank(sandbox_stripe, organisation)

    hold, case = PayoutHold.objects.get(), Case.objects.get()
    assert (hold.organisation, hold.case, hold.released_at) == (organisation, case, None)
    assert str(hold) == f"payouts of {organisation}"
    assert (case.kind, case.subject) == ("account", organisation.pk)
    assert case.summary == (
        "To be looked at because of: New bank details. Its payouts wait until this is decided."
    )
    [mail] = Mail.objects.filter(recipient=owner.email)
    assert mail.subject == f"Payouts of {organisation.name} wait"
    assert "If somebody changed the bank account who should not have" in mail.body

    time_held_payouts(timestamp=0)
    time_held_payouts(timestamp=60)

    assert schedule_of(organisation)["interval"] == "manual"
    control = PayoutControl.objects.get()
    assert (control.schedule["interval"], control.attempts, control.trouble) == ("daily", 0, "")
    assert control.stopped_at


def test_released_they_go_on_as_before(sandbox_stripe, organisation):
    owner = MembershipFactory(organisation=organisation, role="owner").user
    set_schedule(organisation, interval="weekly", weekly_anchor="friday")
    swap_bank(sandbox_stripe, organisation)
    time_held_payouts(timestamp=0)

    case = released(Case.objects.get())
    time_held_payouts(timestamp=60)

    assert PayoutHold.objects.get().released_at
    told = schedule_of(organisation)
    assert (told["interval"], told["weekly_anchor"]) == ("weekly", "friday")
    control = PayoutControl.objects.get()
    assert (control.schedule, control.stopped_at) == (None, None)
    subjects = Mail.objects.filter(recipient=owner.email).values_list("subject", flat=True)
    assert f"Payouts of {organisation.name} go on" in subjects
    with pytest.raises(CaseSettled):
        reopen(case=case, by=UserFactory(), reason="Once more.")


def test_nothing_is_paid_out_while_they_wait(sandbox_stripe, organisation):
    paid(sandbox_stripe, organisation)
    has_waited(sandbox_stripe, organisation)
    swap_bank(sandbox_stripe, organisation)

    time_held_payouts(timestamp=0)

    assert at_bank(sandbox_stripe, organisation) == []
    assert not PayoutOrder.objects.exists()
    assert PayoutControl.objects.get().attempts == 0  # nothing went wrong either


def test_the_case_says_how_much_is_at_stake(sandbox_stripe, organisation):
    paid(sandbox_stripe, organisation)
    swap_bank(sandbox_stripe, organisation)

    case = Case.objects.get()
    assert (case.amount, case.currency) == (5000 - FEE, "EUR")


def test_what_was_decided_is_no_case_again_and_what_is_new_is(sandbox_stripe, organisation):
    swap_bank(sandbox_stripe, organisation)
    released(Case.objects.get())

    look_at_account(organisation=organisation)
    assert Case.objects.count() == 1

    StripeAccountState.objects.update(bank_changed_at="2026-01-01T00:00Z")
    look_at_account(organisation=organisation)
    swap_bank(sandbox_stripe, organisation, iban=OTHER_IBAN)
    assert Case.objects.open().count() == 1
    assert PayoutHold.objects.in_force().count() == 1


def test_one_dispute_more_is_news(organisation, sandbox_stripe):
    gift = paid(sandbox_stripe, organisation)
    another = paid(sandbox_stripe, organisation)
    DisputeFactory(organisation=organisation, charge=charge_of(gift))
    look_at_account(organisation=organisation)
    case = Case.objects.get()
    assert not PayoutHold.objects.exists()  # one of few is looked at, and payouts go on
    assert "wait" not in case.summary
    decide(case=case, by=UserFactory(), choice="close", reason="One of many.")

    look_at_account(organisation=organisation)
    assert Case.objects.count() == 1

    DisputeFactory(organisation=organisation, charge=charge_of(another))
    look_at_account(organisation=organisation)
    assert PayoutHold.objects.get().case == Case.objects.open().get()


def test_fewer_disputes_are_no_news(organisation, sandbox_stripe):
    gifts = [paid(sandbox_stripe, organisation) for _ in range(2)]
    for gift in gifts:
        DisputeFactory(organisation=organisation, charge=charge_of(gift))
    look_at_account(organisation=organisation)
    released(Case.objects.get())
    long_ago = timezone.now() - timedelta(days=31)
    Donation.objects.filter(id=gifts[0].id).update(settled_at=long_ago)

    screened = look_at_account(organisation=organisation)

    assert screened.verdict == "review"
    assert not Case.objects.open().exists()


def test_payouts_go_on_by_two_people_however_little_there_was(organisation, sandbox_stripe):
    swap_bank(sandbox_stripe, organisation)
    case, person = Case.objects.get(), UserFactory()
    assert (case.amount, needs_two(case)) == (None, True)

    for _ in range(2):
        with suppress(SecondPersonNeeded):
            decide(case=case, by=person, choice="release", reason="It is theirs.")

    assert PayoutHold.objects.in_force().exists()
    assert not needs_two(CaseFactory(kind="account", people_needed=2))


def test_as_many_disputes_of_more_or_fewer_gifts_are_no_news(organisation, sandbox_stripe):
    for _ in range(2):
        gift = paid(sandbox_stripe, organisation)
        DisputeFactory(organisation=organisation, charge=charge_of(gift))
    look_at_account(organisation=organisation)
    released(Case.objects.get())
    looks = Screening.objects.filter(occasion="account")
    kept = looks.latest("at").results
    for score in (60, 90):  # as it comes out with 223 settled gifts and with 222
        worse = [{**row, "score": score} for row in kept]
        Screening.objects.create(
            organisation=organisation,
            occasion="account",
            subject=organisation.pk,
            verdict="review",
            score=score,
            results=worse,
            hits=["troubled_gifts"],
            duration_us=1,
        )
        look_at_account(organisation=organisation)

    assert not Case.objects.open().exists()


def test_as_many_disputes_of_other_gifts_are_news(organisation, sandbox_stripe):
    first, second = (paid(sandbox_stripe, organisation) for _ in range(2))
    DisputeFactory(organisation=organisation, charge=charge_of(first))
    look_at_account(organisation=organisation)
    decide(case=Case.objects.get(), by=UserFactory(), choice="close", reason="One of many.")
    long_ago = timezone.now() - timedelta(days=31)
    Donation.objects.filter(id=first.id).update(settled_at=long_ago)
    assert look_at_account(organisation=organisation).verdict == "approve"

    DisputeFactory(organisation=organisation, charge=charge_of(second))
    look_at_account(organisation=organisation)

    assert Case.objects.open().count() == 1


def test_another_organisation_at_the_same_bank_account_is_news(organisation, sandbox_stripe):
    shared = StripeAccountState.objects.get().bank_accounts
    known = StripeAccountState.objects.create(
        organisation=OrganisationFactory(), bank_accounts=shared
    )
    look_at_account(organisation=organisation)
    released(Case.objects.get(organisation=organisation))
    StripeAccountState.objects.filter(pk=known.pk).update(bank_accounts=["another"])
    look_at_account(organisation=organisation)
    assert not PayoutHold.objects.in_force().exists()

    StripeAccountState.objects.create(organisation=OrganisationFactory(), bank_accounts=shared)
    look_at_account(organisation=organisation)

    assert PayoutHold.objects.in_force().get().case == Case.objects.open().get()


def test_another_bank_account_while_a_case_is_open_is_decided_anew(organisation, sandbox_stripe):
    swap_bank(sandbox_stripe, organisation)
    case, first, second = Case.objects.get(), *UserFactory.create_batch(2)
    seen = case.round
    decide(case=case, by=first, choice="release", reason="It is theirs.", of_round=seen)
    StripeAccountState.objects.update(bank_changed_at=timezone.now() - timedelta(hours=1))

    swap_bank(sandbox_stripe, organisation, iban=OTHER_IBAN)

    with pytest.raises(CaseChanged):
        decide(case=case, by=second, choice="release", reason="Seen.", of_round=seen)
    case.refresh_from_db()
    assert case.round == seen + 1
    note = Note.objects.filter(case=case).latest("id")
    assert (note.kind, note.by) == ("more", None)
    assert "New bank details" in note.text
    decide(case=case, by=second, choice="release", reason="Seen.", of_round=seen + 1)
    assert PayoutHold.objects.in_force().exists()  # what was proposed before counts no more


def test_a_schedule_that_stripe_refuses_is_told_once_and_ends_by_itself(
    sandbox_stripe, organisation, monkeypatch
):
    def refused(*_args):
        raise StripeRefused("Stripe refused: odd.")

    swap_bank(sandbox_stripe, organisation)
    told = Case.objects.filter(kind="payout")
    with monkeypatch.context() as patch:
        patch.setattr(paying_out, "_set_schedule", refused)
        for number in range(1, 6):
            PayoutControl.objects.update(next_attempt_at=timezone.now())
            time_held_payouts(timestamp=number)
            assert told.count() == (number >= paying_out.TOLD_AFTER)
    assert told.get().summary.startswith("Stripe refused: odd. So payouts cannot be stopped")

    PayoutControl.objects.update(next_attempt_at=timezone.now())
    time_held_payouts(timestamp=60)

    assert told.get().choice == "overtaken"
    assert schedule_of(organisation)["interval"] == "manual"


def test_a_refusal_is_told_though_stripe_was_away_at_some_tries(
    sandbox_stripe, organisation, monkeypatch
):
    answers = [StripeRefused("Odd."), TryAgainLater("Away."), TryAgainLater("Away.")]
    answers += [StripeRefused("Odd."), TryAgainLater("Away."), StripeRefused("Odd.")]
    swap_bank(sandbox_stripe, organisation)
    told = []

    for number, answer in enumerate(answers):
        monkeypatch.setattr(paying_out, "_set_schedule", Mock(side_effect=answer))
        PayoutControl.objects.update(next_attempt_at=timezone.now())
        time_held_payouts(timestamp=number)
        told.append(Case.objects.filter(kind="payout").count())

    assert told == [0, 0, 0, 1, 1, 1]


def test_a_hold_that_begins_while_letting_go_failed_stops_payouts_again(
    sandbox_stripe, organisation, monkeypatch
):
    swap_bank(sandbox_stripe, organisation)
    time_held_payouts(timestamp=0)
    released(Case.objects.get())
    real = paying_out._set_schedule

    def answer_lost(account, schedule):
        real(account, schedule)
        raise TryAgainLater("The answer was lost.")

    with monkeypatch.context() as patch:
        patch.setattr(paying_out, "_set_schedule", answer_lost)
        time_held_payouts(timestamp=60)
    assert schedule_of(organisation)["interval"] == "daily"

    hold_payouts(case=CaseFactory(organisation=organisation, kind="account", subject="again"))
    time_held_payouts(timestamp=120)  # at once: whatever failed before is another matter

    assert schedule_of(organisation)["interval"] == "manual"
    assert PayoutControl.objects.get().schedule["interval"] == "daily"


def test_who_sets_another_schedule_at_stripe_meanwhile_has_it_stopped_again(
    sandbox_stripe, organisation
):
    swap_bank(sandbox_stripe, organisation)
    time_held_payouts(timestamp=0)
    set_schedule(organisation, interval="daily")
    read_state(organisation=organisation)

    time_held_payouts(timestamp=60)

    assert schedule_of(organisation)["interval"] == "manual"


def test_an_answer_without_a_controller_changes_nothing(organisation, sandbox_stripe):
    state = StripeAccountState.objects.get()

    account_states._learn_payouts(state, {}, timezone.now())

    assert state.controls_payouts
    assert len(state.bank_accounts) == 1


def test_the_database_lets_no_one_person_free_payouts(sandbox_stripe, organisation):
    case = CaseFactory(organisation=organisation, kind="account")
    hold_payouts(case=case)
    statement = """
        INSERT INTO reviews_decision (id, case_id, round, choice, reason, by_id, at, is_final)
        VALUES ('dec_1', %s, 1, 'release', 'Because.', %s, now(), true)
    """

    assert case.people_needed == 1
    assert broken(statement, case.pk, UserFactory().pk) == "decision_is_of_two"
    assert not decide(case=case, by=UserFactory(), choice="release", reason="Known.").is_final


def test_the_database_lets_nobody_merely_close_what_holds_payouts(sandbox_stripe, organisation):
    swap_bank(sandbox_stripe, organisation)
    statement = """
        INSERT INTO reviews_decision (id, case_id, round, choice, reason, by_id, at, is_final)
        VALUES ('dec_1', %s, 1, 'close', 'Because.', %s, now(), true)
    """

    constraint = broken(statement, Case.objects.get().pk, UserFactory().pk)

    assert constraint == "decision_frees_what_is_held"


def test_a_case_that_is_open_lets_payouts_wait_once_it_is_worse(organisation, sandbox_stripe):
    for number in range(2):
        gift = paid(sandbox_stripe, organisation)
        DisputeFactory(organisation=organisation, charge=charge_of(gift))
        look_at_account(organisation=organisation)
        assert PayoutHold.objects.exists() is (number == 1)

    look_at_account(organisation=organisation)

    assert PayoutHold.objects.get().case == Case.objects.get()


def test_two_organisations_that_are_paid_to_one_bank_account_both_wait(
    sandbox_stripe, organisation
):
    other = opened()
    for each in (organisation, other):
        sandbox_stripe.control(f"accounts/{account_of(each)}/bank", iban=IBAN)
        read_state(organisation=each)
    StripeAccountState.objects.update(bank_changed_at=None)

    look_at_account(organisation=organisation)
    look_at_account(organisation=other)

    held = PayoutHold.objects.values_list("organisation", flat=True)
    assert set(held) == {organisation.pk, other.pk}
    assert {case.summary.split(".")[0] for case in Case.objects.all()} == {
        "To be looked at because of: Bank account of two organisations"
    }


def test_where_payouts_are_not_ours_the_case_says_so_and_nothing_waits(sandbox_stripe):
    account = create_sandbox_account(country="FR", currency="EUR")
    organisation = OrganisationFactory(stripe_account=account)
    read_state(organisation=organisation)
    swap_bank(sandbox_stripe, organisation)

    time_held_payouts(timestamp=0)

    assert "Its payouts are its own" in Case.objects.get().summary
    assert not PayoutHold.objects.exists()
    assert not PayoutControl.objects.exists()
    assert schedule_of(organisation)["interval"] == "daily"


def test_a_refusal_to_stop_is_kept_for_staff(sandbox_stripe):
    account = create_sandbox_account(country="FR", currency="EUR")
    organisation = OrganisationFactory(stripe_account=account)
    read_state(organisation=organisation)
    StripeAccountState.objects.update(controls_payouts=True, bank_changed_at=timezone.now())
    look_at_account(organisation=organisation)

    time_held_payouts(timestamp=0)

    assert PayoutControl.objects.get().trouble == "Stripe refused: oauth_not_supported."


def test_the_database_lets_payouts_go_on_as_decided_alone(sandbox_stripe, organisation):
    swap_bank(sandbox_stripe, organisation)

    free = "UPDATE reviews_payouthold SET released_at = now()"
    assert broken(free) == "payout_hold_ends_as_decided"


def test_the_database_takes_no_release_back_and_none_in_advance(sandbox_stripe, organisation):
    swap_bank(sandbox_stripe, organisation)
    case = released(Case.objects.get())

    for change in ("NULL", "now() + interval '1 day'"):
        statement = f"UPDATE reviews_payouthold SET released_at = {change}"
        assert broken(statement) == "payout_hold_ends_as_decided"
    columns = "(id, organisation_id, case_id, began_at, released_at)"
    statement = f"INSERT INTO reviews_payouthold {columns} VALUES ('hold_2', %s, %s, now(), now())"
    assert broken(statement, organisation.pk, case.pk) == "payout_hold_ends_as_decided"
