"""Holds where the world does something in between: late news, other currencies, other people."""

from datetime import timedelta
from unittest.mock import Mock

import pytest
import stripe
from django.db import IntegrityError
from django.utils import timezone

from common.stripe_api import StripeRefused, client, on_account
from donations import tasks
from donations.models import Donation, RefundRequest
from donations.services import capturing, refunding, settled
from donations.services.erasure import erase_donor
from donations.services.holding import (
    LEFT_OVER,
    Authorisation,
    hold_settled,
    note_authorised,
    note_let_go,
)
from donations.services.refunding import Told, learn_refund
from donations.services.refunds import take_down
from ledger.models import Entry
from reviews.choices import choices_of
from reviews.errors import HoldNotOpen, OwnCase
from reviews.models import Case, Decision, Hold, Screening
from reviews.services.holds import finish, undo
from tests.donations.refunds import in_ledger, refunded, wish
from tests.factories import DonationFactory, OrganisationFactory, UserFactory
from tests.treasury.movements import amounts, book_all, charged, check_sides, entries, movement
from tests.webhooks.holding import (
    authorised,
    carried_out,
    case_of,
    decided,
    organisation,
    paid,
    promised,
)
from treasury.services.disputes import warn_of_fraud
from treasury.services.sweeping import sweep

__all__ = ["authorised", "organisation"]
pytestmark = pytest.mark.django_db(transaction=True)
HELD = ("held", "EUR")


def settled_gift(organisation, **fields) -> Donation:
    """Return a gift of 50.00 that was booked as its charge said."""
    gift = DonationFactory(organisation=organisation, amount=5000, currency="USD", **fields)
    paid_by = {"donation_id": gift.id, "given": 5000, "given_currency": "USD"}
    book_all(organisation, charged(4600, 90, charge=f"ch_{gift.id}", **paid_by))
    gift.refresh_from_db()
    return gift


def refund(gift, amount):
    facts = {"charge": f"ch_{gift.id}", "given": 5000, "given_currency": "USD"}
    book_all(gift.organisation, movement("refund", -amount, source="re_1", **facts))


@pytest.mark.parametrize(
    ("refunded_as", "rest"),
    [
        (4500, ("HOLD_RELEASED", 100, "EUR", "held", "fund:general")),
        (4700, ("DONATION_HELD", 100, "EUR", "fund:general", "held")),
        (4600, ("DONATION_REFUNDED", 4600, "EUR", "held", "stripe")),
    ],
)
def test_what_the_rates_of_two_days_leave_over_does_not_stay_in_held(refunded_as, rest):
    gift = settled_gift(OrganisationFactory())
    hold_settled(gift)

    refund(gift, refunded_as)

    assert entries(gift.organisation)[-1] == rest
    assert amounts(gift.organisation)[HELD] == 0
    assert Hold.objects.get().status == "refused"
    check_sides(gift.organisation)


def test_a_gift_that_was_given_back_meanwhile_is_not_held(only):
    only("settlement")
    gift = settled_gift(OrganisationFactory())
    refund(gift, 4600)

    tasks.screen_settled(timestamp=0)

    assert not Hold.objects.exists()
    assert Donation.objects.get().status == "refunded"


def test_where_no_rule_holds_there_is_a_case_without_a_hold(only):
    only("settlement", holds=False)
    gift = settled_gift(OrganisationFactory())

    tasks.screen_settled(timestamp=0)
    decided(gift, "keep")

    assert not Hold.objects.exists()
    assert Donation.objects.get().status == "settled"


def test_without_a_hold_staff_may_still_give_it_back(only):
    only("settlement", holds=False)
    gift = in_ledger(OrganisationFactory())
    tasks.screen_settled(timestamp=0)

    decided(gift, "refuse")

    request = RefundRequest.objects.get()
    assert (request.donation_id, request.reason, request.amount) == (gift.id, "not_accepted", 5000)


def test_a_warning_is_decided_as_fraud():
    gift = settled_gift(OrganisationFactory())
    warn_of_fraud(
        organisation=gift.organisation,
        warning_id="issfr_1",
        charge=f"ch_{gift.id}",
        fraud_type="misc",
    )

    decided(gift, "refuse")

    assert RefundRequest.objects.get().reason == "fraudulent"


def test_a_gift_is_screened_once(only):
    only("settlement")
    gift = in_ledger(OrganisationFactory())

    settled.screen_gift(gift)
    settled.screen_gift(gift)

    assert Screening.objects.count() == 1


def test_one_that_cannot_be_screened_holds_up_none_of_the_others(only, monkeypatch, caplog):
    only("settlement")
    broken, well = in_ledger(OrganisationFactory()), in_ledger(OrganisationFactory())
    screen = settled.screen_gift

    def fail(donation, **more):
        if donation == broken:
            raise RuntimeError("odd")
        screen(donation, **more)

    monkeypatch.setattr(settled, "screen_gift", fail)
    tasks.screen_settled(timestamp=0)

    assert Hold.objects.get().gift == well.id
    [record] = [each for each in caplog.records if each.message == "screening postponed"]
    assert record.gift == broken.id


def test_a_batch_that_fails_is_neither_tried_for_ever_nor_in_the_way(only, monkeypatch, caplog):
    only("settlement")
    broken = [in_ledger(OrganisationFactory()) for _ in range(2)]
    well = in_ledger(OrganisationFactory())
    screen = settled.screen_gift

    def fail(donation, **more):
        if donation in broken:
            raise RuntimeError("odd")
        screen(donation, **more)

    monkeypatch.setattr(settled, "screen_gift", fail)
    monkeypatch.setattr(tasks, "BATCH_MAX", 2)
    tasks.screen_settled(timestamp=0)

    assert Hold.objects.get().gift == well.id
    assert caplog.text.count("screening postponed") == 2


def test_many_are_screened_batch_by_batch(only, monkeypatch):
    only("settlement", limit=10**6)
    for _ in range(3):
        in_ledger(OrganisationFactory())
    monkeypatch.setattr(tasks, "BATCH_MAX", 2)

    tasks.screen_settled(timestamp=0)

    assert Screening.objects.count() == 3


def news(gift, **fields):
    facts = {"payment_intent": Hold.objects.first().payment_intent, **fields}
    note_authorised(
        organisation=gift.organisation,
        donation_id=gift.id,
        authorisation=Authorisation(**facts),
    )


def test_the_same_news_again_is_one_hold_and_one_case(authorised):
    news(authorised, donor_email="mia@example.org")

    assert (Hold.objects.count(), Case.objects.count()) == (1, 1)
    authorised.refresh_from_db()
    assert authorised.donor_email


def test_news_of_what_was_let_go_meanwhile_opens_nothing(authorised):
    decided(authorised, "refuse")
    gift = carried_out(authorised)

    news(gift)

    assert gift.status == "canceled"
    assert Case.objects.open().count() == 0


def test_news_of_others_gifts_is_left_alone(authorised):
    other = DonationFactory(organisation=OrganisationFactory())

    news(other)
    note_let_go(organisation=other.organisation, payment_intent="pi_other", is_lapsed=True)

    assert Hold.objects.count() == 1


def test_without_a_date_from_stripe_a_card_is_let_go_within_a_week():
    gift = DonationFactory(organisation=OrganisationFactory(), authorise_only=True)

    note_authorised(
        organisation=gift.organisation,
        donation_id=gift.id,
        authorisation=Authorisation(payment_intent="pi_1"),
    )

    hold = Hold.objects.get()
    assert timedelta(days=6) < hold.lapses_at - timezone.now() <= timedelta(days=7)


def test_what_is_overdue_and_still_authorised_stays_open(authorised):
    Hold.objects.update(next_attempt_at=timezone.now())

    tasks.carry_out_decisions(timestamp=0)

    hold = Hold.objects.get()
    assert (hold.status, hold.attempts) == ("open", 1)


def test_decisions_are_carried_out_batch_by_batch(authorised, monkeypatch):
    monkeypatch.setattr(tasks, "BATCH_MAX", 1)
    decided(authorised, "refuse")

    tasks.carry_out_decisions(timestamp=0)

    assert Hold.objects.get().status == "refused"


def test_what_settles_before_the_worker_comes_back_counts_as_released(
    authorised, monkeypatch, sandbox_stripe, organisation
):
    class Killed(BaseException):
        """What ends a process in the middle of something."""

    def die(*_):
        raise Killed

    decided(authorised, "release")
    monkeypatch.setattr(capturing, "_learn", die)
    with pytest.raises(Killed):
        tasks.carry_out_decisions(timestamp=0)

    sandbox_stripe.control("delivery/flush")
    sweep(organisation=organisation)
    tasks.screen_settled(timestamp=0)

    assert Hold.objects.get().status == "released"
    assert Donation.objects.get().status == "settled"


def test_what_settles_before_the_news_of_its_charge_is_held_in_the_ledger(
    authorised, sandbox_stripe, organisation
):
    account = on_account(str(organisation.stripe_account))
    intent = Hold.objects.get().payment_intent
    client().v1.payment_intents.capture(intent, options=account)

    sandbox_stripe.control("delivery/flush")
    sweep(organisation=organisation)
    tasks.screen_settled(timestamp=0)

    assert list(Hold.objects.order_by("opened_at").values_list("kind", "status")) == [
        ("capture", "lapsed"),
        ("ledger", "open"),
    ]
    assert Donation.objects.get().status == "held"


def test_what_people_saw_before_they_released_it_does_not_hold_it_again(
    only, sandbox_stripe, organisation
):
    only("promise", "settlement")
    gift = paid(sandbox_stripe, organisation)
    decided(gift, "release")

    gift = carried_out(gift)

    assert (gift.status, Hold.objects.count()) == ("settled", 1)
    assert Screening.objects.filter(occasion="settlement").count() == 1


def test_an_open_case_is_not_opened_again():
    hold = hold_settled(in_ledger(OrganisationFactory()))

    undo(case=hold.case, why="Nothing of it.")

    hold.case.refresh_from_db()
    assert (hold.case.round, hold.case.notes.count()) == (1, 0)


def test_what_was_released_stays_so_when_its_case_is_opened_again():
    gift = in_ledger(OrganisationFactory())
    hold = hold_settled(gift)
    decided(gift, "release")

    undo(case=case_of(gift), why="Something of it.")

    hold.refresh_from_db()
    assert hold.status == "released"


def test_a_refund_soon_after_a_large_gift_is_seen_and_held_up_by_nobody(only):
    only("refund", limit=1000)
    gift = in_ledger(OrganisationFactory(), donor_email="mia@example.org")

    request = refunded(gift, amount=400)

    case = Case.objects.get()
    assert (case.kind, case.subject, case.amount) == ("refund", request.id, 400)
    assert case.summary.startswith("A refund of 4.00 EUR was asked for.")


def test_staff_who_gave_do_not_decide_on_their_own_gift(only):
    only("settlement")
    gift = in_ledger(OrganisationFactory(), donor_email="zoe@example.org")
    tasks.screen_settled(timestamp=0)

    with pytest.raises(OwnCase):
        decided(gift, "release", by=UserFactory(email="ZOE@example.org"))
    assert Entry.objects.filter(operation="HOLD_RELEASED").count() == 0


def test_a_try_by_a_program_is_authorised_only_as_well(only, sandbox_stripe, organisation):
    only("promise")

    gift = promised(organisation, flow=Donation.Flow.PAYMENT_INTENT)

    intent = sandbox_stripe.find(
        "payment_intents", gift.payment_intent, organisation.stripe_account
    )
    assert intent["capture_method"] == "manual"


def test_a_capture_that_is_refused_though_the_card_is_authorised_is_trouble(
    authorised, monkeypatch
):
    decided(authorised, "release")

    def refuse(*_):
        raise StripeRefused("Stripe refused: amount_too_large.")

    monkeypatch.setattr(capturing, "_do", refuse)
    tasks.carry_out_decisions(timestamp=0)

    hold = Hold.objects.get()
    assert (hold.status, hold.trouble) == ("releasing", "Stripe refused: amount_too_large.")


def test_a_decision_that_stripe_goes_on_refusing_is_told_once_and_ends_by_itself(
    authorised, monkeypatch
):
    decided(authorised, "release")
    told = Case.objects.exclude(subject=authorised.id)
    with monkeypatch.context() as patch:
        refusal = StripeRefused("Stripe refused: account_closed.")
        patch.setattr(capturing, "_do", Mock(side_effect=refusal))
        for number in range(1, 6):
            Hold.objects.update(next_attempt_at=timezone.now())
            tasks.carry_out_decisions(timestamp=number)
            assert told.count() == (number >= capturing.TOLD_AFTER)
    case, hold = told.get(), Hold.objects.get()
    assert case.summary.startswith("Stripe refused: account_closed. So what was decided")
    assert case.due_at < hold.lapses_at
    assert [choice.key for choice in choices_of(case)] == ["close"]

    Hold.objects.update(next_attempt_at=timezone.now())
    assert carried_out(authorised).status == "settled"

    assert told.get().choice == "overtaken"


def test_news_that_come_twice_end_a_hold_once(authorised):
    hold = Hold.objects.get()
    finish(hold=hold, status=Hold.Status.LAPSED)

    again = finish(hold=hold, status=Hold.Status.REFUSED)

    assert again.status == "lapsed"


def test_a_dispute_that_is_won_after_all_holds_the_money_again():
    gift = settled_gift(OrganisationFactory())
    hold_settled(gift)
    facts = {"charge": f"ch_{gift.id}", "given": 5000, "given_currency": "USD", "source": "du_1"}
    book_all(gift.organisation, movement("dispute", -4600, **facts))
    with pytest.raises(HoldNotOpen):
        decided(gift, "release")
    decided(gift, "refuse")
    assert Hold.objects.get().status == "refused"

    book_all(gift.organisation, movement("dispute_reversal", 4600, **facts))

    hold = Hold.objects.get()
    assert (hold.status, hold.case.round, hold.case.closed_at) == ("open", 2, None)
    assert amounts(gift.organisation)[HELD] == 4600


def refused_beside_another_refund():
    """Return a refused gift, a member's refund of 20.00 that is under way, and staff's of 30.00."""
    gift = settled_gift(OrganisationFactory())
    hold_settled(gift)
    own, _ = take_down(organisation=gift.organisation, donation_id=gift.id, wish=wish(amount=2000))
    RefundRequest.objects.update(status="sent", attempts=1)
    decided(gift, "refuse")
    staffs = RefundRequest.objects.exclude(id=own.id).get()
    assert staffs.amount == 3000
    return gift, own, staffs


def told_of(refund, status):
    """Hear from Stripe what became of a refund."""
    failure = "lost" if status == "failed" else ""
    told = Told(id=f"re_{refund.id}", request=refund.id, status=status, failure=failure)
    learn_refund(organisation=refund.organisation, told=told)


def booked(refund):
    facts = {"source": f"re_{refund.id}", "given": refund.amount, "given_currency": "USD"}
    amount, charge = refund.amount * 92 // 100, f"ch_{refund.donation_id}"
    book_all(refund.organisation, movement("refund", -amount, charge=charge, **facts))


def test_while_refunds_are_under_way_a_refused_gift_is_no_case():
    _, own, staffs = refused_beside_another_refund()

    told_of(staffs, "succeeded")
    told_of(own, "failed")
    assert Hold.objects.get().status == "refusing"
    booked(staffs)

    hold = Hold.objects.get()
    assert (hold.status, hold.case.closed_at, hold.case.round) == ("open", None, 2)
    assert hold.case.notes.last().text == LEFT_OVER


@pytest.mark.parametrize("first", ["told", "booked"])
def test_where_anothers_refund_fails_last_staff_decide_on_the_rest(first):
    gift, own, staffs = refused_beside_another_refund()
    if first == "told":
        told_of(staffs, "succeeded")
        booked(staffs)
        told_of(own, "failed")
    else:
        told_of(own, "failed")
        booked(staffs)
        assert Hold.objects.get().status == "refusing"
        told_of(staffs, "succeeded")
    assert Hold.objects.get().status == "open"

    decided(gift, "refuse")

    rest = RefundRequest.objects.get(status="requested")
    assert rest.amount == 2000
    told_of(rest, "succeeded")
    booked(rest)
    assert Hold.objects.get().status == "refused"
    assert amounts(gift.organisation)[HELD] == 0


def test_where_stripe_refuses_anothers_refund_staff_decide_on_the_rest(monkeypatch):
    gift, own, staffs = refused_beside_another_refund()
    told_of(staffs, "succeeded")
    booked(staffs)
    RefundRequest.objects.filter(id=own.id).update(next_attempt_at=timezone.now())

    def refuse(*_):
        raise StripeRefused from stripe.InvalidRequestError("Disputed.", None, "charge_disputed")

    monkeypatch.setattr(refunding, "_ask_stripe", refuse)
    refunding.ask(own)

    assert amounts(gift.organisation)[HELD] == 1840
    assert Hold.objects.get().status == "open"
    assert case_of(gift).notes.last().text == LEFT_OVER


def test_a_donor_who_was_not_known_yet_does_not_decide_either(only):
    only("settlement")
    gift = in_ledger(OrganisationFactory())
    tasks.screen_settled(timestamp=0)
    Donation.objects.filter(id=gift.id).update(donor_email="zoe@example.org")

    with pytest.raises(OwnCase):
        decided(gift, "release", by=UserFactory(email="zoe@example.org"))


def test_what_else_the_database_refuses_of_a_decision_is_not_called_ones_own(only):
    only("settlement")
    gift = in_ledger(OrganisationFactory())
    tasks.screen_settled(timestamp=0)
    case = case_of(gift)
    Decision.objects.create(
        case=case, round=1, choice="release", reason="So.", by=UserFactory(), is_final=True
    )

    with pytest.raises(IntegrityError, match="case_is_decided_once"):
        decided(gift, "release")


def test_erasing_the_donor_forgets_whose_the_case_is(only):
    only("settlement")
    gift = in_ledger(OrganisationFactory(), donor_email="mia@example.org")
    tasks.screen_settled(timestamp=0)
    assert case_of(gift).donor_key

    erase_donor(donation=gift)

    assert case_of(gift).donor_key == ""
