"""Gifts under review: authorised first or held in the ledger, and every end of it, once."""

from datetime import timedelta

import pytest
import stripe

from common.stripe_api import client, on_account
from donations.models import Donation, RecurringGift
from donations.services.holding import Authorisation, note_authorised
from ledger.models import Entry
from reviews.errors import CaseClosed, HoldNotOpen
from reviews.models import Case, Hold
from tests.donations.refunds import VISA
from tests.treasury.movements import amounts, check_sides, entries
from tests.webhooks.holding import (
    authorised,
    carried_out,
    case_of,
    decided,
    heard,
    held,
    organisation,
    paid,
    promised,
)

__all__ = ["authorised", "held", "organisation"]
pytestmark = pytest.mark.django_db(transaction=True)
FUND, STRIPE, HELD = ("fund:general", "EUR"), ("stripe", "EUR"), ("held", "EUR")
FEE = 100


def intent_of(donation) -> str:
    return Hold.objects.get(gift=donation.id).payment_intent


def at_stripe(sandbox, donation):
    intent = sandbox.find("payment_intents", intent_of(donation), account_of(donation))
    return intent["status"], intent["amount_received"]


def account_of(donation) -> str:
    return str(donation.organisation.stripe_account)


def test_a_gift_under_review_is_authorised_only(sandbox_stripe, authorised, organisation):
    case, hold = case_of(authorised), Hold.objects.get()

    assert (authorised.status, authorised.held_as, authorised.paid_at) == ("held", "capture", None)
    assert (case.kind, case.subject, case.amount, case.currency) == (
        *("gift", authorised.id, 5000, "EUR"),
    )
    assert case.summary == "A gift of 50.00 EUR. To be looked at because of: Large gifts."
    assert (hold.kind, hold.status, hold.amount) == ("capture", "open", 5000)
    assert timedelta(hours=47) < case.due_at - case.opened_at <= timedelta(hours=48)
    assert case.due_at < hold.lapses_at
    assert at_stripe(sandbox_stripe, authorised) == ("requires_capture", 0)
    assert entries(organisation) == []


def test_released_it_is_charged_and_counts(sandbox_stripe, authorised, organisation):
    decided(authorised, "release")
    gift = carried_out(authorised)

    assert at_stripe(sandbox_stripe, gift) == ("succeeded", 5000)
    assert (gift.status, gift.held_as) == ("settled", "")
    assert Hold.objects.get().status == "released"
    assert [row[0] for row in entries(organisation)] == ["DONATION_RECEIVED", "PROCESSING_FEE"]
    assert Case.objects.open().count() == 0


def test_refused_it_is_canceled_and_nothing_was_charged(sandbox_stripe, authorised, organisation):
    decided(authorised, "refuse")
    gift = carried_out(authorised)

    assert at_stripe(sandbox_stripe, gift) == ("canceled", 0)
    assert (gift.status, gift.held_as) == ("canceled", "")
    assert Hold.objects.get().status == "refused"
    assert entries(organisation) == []


def test_undecided_it_lapses_and_the_case_is_closed(sandbox_stripe, authorised):
    sandbox_stripe.control(f"payment_intents/{intent_of(authorised)}/lapse")
    gift = heard(authorised)

    assert gift.status == "expired"
    assert Hold.objects.get().status == "lapsed"
    case = case_of(gift)
    assert (case.choice, case.closed_by) == ("overtaken", None)
    assert "let the payment go" in case.reason
    with pytest.raises(CaseClosed):
        decided(gift, "release")


def test_what_lapsed_unheard_is_found_when_its_time_is_over(
    sandbox_stripe, authorised, organisation
):
    sandbox_stripe.control(f"payment_intents/{intent_of(authorised)}/lapse")
    Hold.objects.update(next_attempt_at=authorised.created_at)

    carried_out(authorised)

    assert Hold.objects.get().status == "lapsed"


def test_what_was_released_too_late_has_lapsed(sandbox_stripe, authorised):
    sandbox_stripe.control(f"payment_intents/{intent_of(authorised)}/lapse")
    decided(authorised, "release")

    gift = carried_out(authorised)

    assert (gift.status, Hold.objects.get().status) == ("expired", "lapsed")


def test_a_second_card_is_held_though_the_first_was_declined(only, sandbox_stripe, organisation):
    only("promise")
    gift = promised(organisation, flow=Donation.Flow.PAYMENT_INTENT)
    with pytest.raises(stripe.CardError):
        confirm(gift, "pm_card_visa_chargeDeclined")
    assert heard(gift).status == "failed"
    confirm(gift, "pm_card_visa")

    gift = heard(gift)

    assert (gift.status, gift.ended_at, at_stripe(sandbox_stripe, gift)) == (
        *("held", None, ("requires_capture", 0)),
    )
    decided(gift, "release")
    assert carried_out(gift).status == "settled"


def confirm(gift, card) -> None:
    intents, account = client().v1.payment_intents, on_account(account_of(gift))
    intents.confirm(gift.payment_intent, {"payment_method": card}, account)


def test_what_lapsed_stays_so_when_its_authorisation_is_told_again(sandbox_stripe, authorised):
    sandbox_stripe.control(f"payment_intents/{intent_of(authorised)}/lapse")
    gift = heard(authorised)

    note_authorised(
        organisation=gift.organisation,
        donation_id=gift.id,
        authorisation=Authorisation(intent_of(gift)),
    )

    gift.refresh_from_db()
    assert (gift.status, Hold.objects.get().status) == ("expired", "lapsed")


@pytest.mark.parametrize("occasions", [("promise",), ("promise", "settlement")])
def test_the_first_payment_of_a_gift_that_repeats_is_held_in_the_ledger(
    only, sandbox_stripe, organisation, occasions
):
    only(*occasions, holds=False)
    gift = promised(organisation, interval="month")
    assert (gift.authorise_only, gift.review_due) == (False, True)
    sandbox_stripe.control(f"checkout/{gift.checkout_session}/pay", card_number=VISA)

    gift = heard(gift)

    assert (gift.status, gift.held_as, gift.review_due) == ("held", "ledger", False)
    assert case_of(gift).summary.endswith("To be looked at because of: Large gifts.")
    decided(gift, "release")
    gift.refresh_from_db()
    assert gift.status == "settled"


def test_later_payments_of_it_are_judged_by_the_rules_alone(only, sandbox_stripe, organisation):
    only("promise")
    gift = promised(organisation, interval="month")
    sandbox_stripe.control(f"checkout/{gift.checkout_session}/pay", card_number=VISA)
    heard(gift)
    subscription = RecurringGift.objects.get().subscription
    sandbox_stripe.control(f"subscriptions/{subscription}/renew")

    heard(gift)

    gifts = Donation.objects.order_by("created_at")
    assert list(gifts.values_list("status", flat=True)) == ["held", "settled"]


def test_where_another_payment_of_it_settles_first_that_one_is_held(
    only, sandbox_stripe, organisation
):
    only("promise")
    gift = promised(organisation, interval="month")
    Donation.objects.update(invoice="in_other")
    sandbox_stripe.control(f"checkout/{gift.checkout_session}/pay", card_number=VISA)

    heard(gift)

    gifts = Donation.objects.order_by("created_at")
    assert list(gifts.values_list("held_as", "review_due")) == [("", False), ("ledger", False)]


def test_a_gift_that_repeats_and_that_no_rule_minds_is_not_held(only, sandbox_stripe, organisation):
    only("promise", limit=10**6)
    gift = promised(organisation, interval="month")
    sandbox_stripe.control(f"checkout/{gift.checkout_session}/pay", card_number=VISA)

    assert heard(gift).status == "settled"


def test_charged_in_the_dashboard_it_is_held_in_the_ledger(authorised, organisation):
    intents = client().v1.payment_intents
    intents.capture(intent_of(authorised), options=on_account(account_of(authorised)))

    gift = heard(authorised)

    before, after = Hold.objects.order_by("opened_at")
    assert (before.status, after.kind, after.status) == ("lapsed", "ledger", "open")
    assert "dashboard" in before.case.reason
    assert (gift.status, amounts(organisation)[HELD]) == ("held", 5000)
    check_sides(organisation)


def test_a_settled_gift_is_held_in_the_ledger(held, organisation):
    assert (held.status, held.held_as) == ("held", "ledger")
    assert entries(organisation)[-1] == ("DONATION_HELD", 5000, "EUR", "fund:general", "held")
    assert amounts(organisation)[HELD] == 5000
    check_sides(organisation)


def test_released_it_counts_again(held, organisation):
    decided(held, "release")
    held.refresh_from_db()

    assert entries(organisation)[-1] == ("HOLD_RELEASED", 5000, "EUR", "held", "fund:general")
    assert amounts(organisation)[HELD] == 0
    assert (held.status, Hold.objects.get().status) == ("settled", "released")


def test_refused_it_is_refunded_from_what_is_held(held, organisation):
    decided(held, "refuse")
    gift = carried_out(held)

    assert entries(organisation)[-1] == ("DONATION_REFUNDED", 5000, "EUR", "held", "stripe")
    assert amounts(organisation)[HELD] == 0
    assert (gift.status, Hold.objects.get().status) == ("refunded", "refused")
    check_sides(organisation)


def test_a_refund_that_comes_back_is_held_again(only, sandbox_stripe, organisation):
    only("settlement")
    gift = paid(sandbox_stripe, organisation, card="4000000000005126")
    decided(gift, "refuse")

    gift = heard(carried_out(gift))

    assert (gift.status, amounts(organisation)[HELD]) == ("held", 5000)
    case = case_of(gift)
    assert (case.closed_at, case.round) == (None, 2)
    decided(gift, "release")
    assert entries(organisation)[-1][0] == "HOLD_RELEASED"
    assert amounts(organisation)[HELD] == 0


def test_given_back_elsewhere_it_is_no_case_any_more(held, organisation):
    charge = charge_of(held)
    client().v1.refunds.create({"charge": charge}, on_account(account_of(held)))

    gift = heard(held)

    assert (gift.status, Hold.objects.get().status) == ("refunded", "refused")
    assert (case_of(gift).choice, amounts(organisation)[HELD]) == ("overtaken", 0)


def test_what_was_given_back_in_part_is_released_for_the_rest(held, organisation):
    charge = charge_of(held)
    client().v1.refunds.create({"charge": charge, "amount": 2000}, on_account(account_of(held)))
    gift = heard(held)
    assert amounts(organisation)[HELD] == 3000

    decided(gift, "release")

    assert entries(organisation)[-1] == ("HOLD_RELEASED", 3000, "EUR", "held", "fund:general")
    gift.refresh_from_db()
    assert gift.status == "partially_refunded"


def test_what_the_bank_took_back_cannot_be_released(only, sandbox_stripe, organisation):
    only("settlement")
    gift = paid(sandbox_stripe, organisation)
    sandbox_stripe.control(f"charges/{charge_of(gift)}/dispute")
    gift = heard(gift)
    assert (gift.status, amounts(organisation)[HELD]) == ("disputed", 0)

    with pytest.raises(HoldNotOpen, match="its bank has taken it back"):
        decided(gift, "release")
    decided(gift, "refuse")

    assert Hold.objects.get().status == "refused"


def charge_of(donation) -> str:
    entry = Entry.objects.of(donation.organisation).get(sequence=donation.sequence)
    return str(entry.metadata["charge"])
