"""Refunds at the real sandbox: asked once, never for more than is left, refused in words."""

import pytest

from common import stripe_api
from common.stripe_api import client, on_account
from donations.errors import NotRefundable, RefundDiffers, RefundTooLarge
from donations.models import Donation, RefundRequest
from donations.services import refunding
from donations.services.refunding import request_refund
from donations.services.refunds import left_to_refund
from donations.services.refusals import REFUSALS, refusal_in_words
from ledger.models import Entry
from tests.donations.refunds import DISPUTED, booked, refunded, settled_gift, wish
from tests.factories import DonationFactory, MembershipFactory


@pytest.fixture
def gift(sandbox_stripe, organisation) -> Donation:
    """A gift of 50.00 EUR in the ledger."""
    return settled_gift(sandbox_stripe, organisation)


def at_stripe(sandbox, gift):
    """Return the refunds that Stripe has made, the oldest first."""
    return sandbox.list("refunds", gift.organisation.stripe_account)[::-1]


def by_hand(gift, **more):
    """Make a refund in Stripe's own dashboard."""
    charge = Entry.objects.of(gift.organisation).get(sequence=gift.sequence).metadata["charge"]
    options = on_account(gift.organisation.stripe_account)
    return client().v1.refunds.create({"charge": charge, **more}, options)


def test_a_whole_gift_is_given_back_once(sandbox_stripe, gift):
    member = MembershipFactory(organisation=gift.organisation).user

    refund = refunded(gift, reason="duplicate", note="Gave twice", requested_by=member)

    [made] = at_stripe(sandbox_stripe, gift)
    assert (made["amount"], made["currency"], made["reason"]) == (5000, "eur", "duplicate")
    assert made["metadata"] == {"donation_id": gift.id, "refund_request": refund.id}
    assert (refund.status, refund.stripe_refund) == ("succeeded", made["id"])
    assert (refund.amount, refund.note, refund.requested_by) == (5000, "Gave twice", member)
    assert str(refund) == refund.id
    booked(gift.organisation)
    gift.refresh_from_db()
    assert (gift.status, gift.refunded_amount) == ("refunded", 5000)


def test_a_part_is_given_back_and_then_the_rest(sandbox_stripe, gift):
    refunded(gift, amount=1234)
    assert left_to_refund(gift) == 3766
    booked(gift.organisation)
    gift.refresh_from_db()
    assert (gift.status, gift.refunded_amount) == ("partially_refunded", 1234)
    # What is an entry counts there, and not again as a request.
    assert left_to_refund(gift) == 3766

    rest = refunded(gift)

    assert rest.amount == 3766
    assert [made["amount"] for made in at_stripe(sandbox_stripe, gift)] == [1234, 3766]
    with pytest.raises(NotRefundable, match="All of this gift was given back"):
        refunded(gift)


def test_never_more_than_is_left(gift):
    refunded(gift, amount=3000)

    with pytest.raises(RefundTooLarge, match=r"Only 20\.00 EUR of this gift"):
        refunded(gift, amount=2001)

    assert RefundRequest.objects.count() == 1


def test_what_was_given_back_in_stripes_dashboard_counts(sandbox_stripe, gift):
    by_hand(gift, amount=2000)
    booked(gift.organisation)
    gift.refresh_from_db()

    with pytest.raises(RefundTooLarge, match=r"Only 30\.00 EUR"):
        refunded(gift, amount=3001)
    assert refunded(gift).amount == 3000
    booked(gift.organisation)
    gift.refresh_from_db()
    assert gift.refunded_amount == 5000


def test_the_same_key_again_shows_the_first_refund(sandbox_stripe, gift):
    twice = {"donation_id": gift.id, "wish": wish(key="form:once")}

    first, is_new = request_refund(organisation=gift.organisation, **twice)
    again, is_new_again = request_refund(organisation=gift.organisation, **twice)

    assert (is_new, is_new_again) == (True, False)
    assert (again.id, again.status) == (first.id, "succeeded")
    assert len(at_stripe(sandbox_stripe, gift)) == 1


@pytest.mark.parametrize("change", [{"amount": 1}, {"reason": "duplicate"}])
def test_the_same_key_for_another_refund_is_refused(sandbox_stripe, gift, change):
    refunded(gift, amount=10, key="form:once")

    with pytest.raises(RefundDiffers, match="another refund"):
        refunded(gift, **{"amount": 10, "key": "form:once", **change})

    assert len(at_stripe(sandbox_stripe, gift)) == 1


def test_a_gift_that_is_not_in_the_ledger_waits(organisation):
    with pytest.raises(NotRefundable, match="not in the ledger yet"):
        refunded(DonationFactory(organisation=organisation))


def test_a_gift_that_the_bank_has_taken_back_is_not_given_back_too(sandbox_stripe, organisation):
    gift = settled_gift(sandbox_stripe, organisation, card=DISPUTED)

    with pytest.raises(NotRefundable, match="would pay it twice"):
        refunded(gift)


# Stripe says no


def test_stripes_refusal_is_kept_in_words_and_frees_the_amount(gift):
    by_hand(gift)

    refund = refunded(gift)

    assert (refund.status, refund.stripe_refund) == ("refused", "")
    assert refund.refusal_code == "charge_already_refunded"
    assert refund.refusal == REFUSALS["charge_already_refunded"]
    booked(gift.organisation)
    gift.refresh_from_db()
    assert gift.refunded_amount == 5000


def test_more_than_stripe_has_left_is_refused_in_words(gift):
    by_hand(gift, amount=1)

    refund = refunded(gift)

    assert refund.refusal_code == "amount_too_large"
    booked(gift.organisation)
    gift.refresh_from_db()
    assert left_to_refund(gift) == 4999


def test_a_dispute_that_we_do_not_know_of_is_refused_in_words(sandbox_stripe, gift):
    charge = Entry.objects.of(gift.organisation).get(sequence=gift.sequence).metadata["charge"]
    sandbox_stripe.control(f"charges/{charge}/dispute")

    refund = refunded(gift)

    assert (refund.refusal_code, refund.refusal) == ("charge_disputed", REFUSALS["charge_disputed"])


def test_an_account_that_is_disconnected_is_told_in_words(sandbox_stripe, gift):
    sandbox_stripe.control(f"accounts/{gift.organisation.stripe_account}/deauthorize")

    refund = refunded(gift)

    assert (refund.refusal_code, refund.status) == ("account_invalid", "refused")
    assert "Connect it again" in refund.refusal


def test_a_refusal_that_we_do_not_know_is_said_as_it_is(gift):
    refund = refunded(gift, reason="whim")

    assert (refund.status, refund.refusal_code) == ("refused", "parameter_invalid_enum")
    assert refund.refusal == refusal_in_words("parameter_invalid_enum")
    assert "Nothing was given back" in refund.refusal
    assert refund.refusal_code in refund.refusal


def test_every_code_that_we_translate_is_one_that_stripe_has():
    folder = refunding.stripe.__path__[0]
    with open(f"{folder}/_payment_intent.py", encoding="utf-8") as file:
        known = file.read()

    assert [code for code in REFUSALS if f'"{code}"' not in known] == []


def test_stripe_does_not_answer(monkeypatch, settings, gift):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    stripe_api.client.cache_clear()

    refund = refunded(gift)

    assert (refund.status, refund.attempts, refund.refusal) == ("sent", 1, "")
    assert left_of(gift) == 0


def left_of(gift) -> int:
    try:
        return left_to_refund(gift)
    except NotRefundable:
        return 0
