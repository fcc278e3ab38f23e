"""Payouts at the real sandbox: sent, arrived, failed, and what was in them sent again."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from common.stripe_api import client, on_account
from donations.models import Donation
from donations.services.promises import create_sandbox_account
from organisations.models import Mail, Organisation
from reviews.models import Case
from tests.factories import DonationFactory, MembershipFactory, OrganisationFactory
from tests.treasury.movements import amounts, check_sides
from treasury import tasks
from treasury.models import Payout, PayoutItem

DAY = int(timedelta(days=1).total_seconds())


@pytest.fixture
def eau_vive(db, sandbox_stripe) -> Organisation:
    """An organisation whose account the sandbox knows."""
    account = create_sandbox_account(country="FR", currency="EUR")
    return OrganisationFactory(stripe_account=account)


@pytest.fixture
def give(eau_vive, sandbox_stripe) -> Callable[[int, int], Donation]:
    """Return what gives an amount of cents on some day from now on."""
    start = int(time.time())

    def give_one(amount: int, day: int) -> Donation:
        gift = DonationFactory(organisation=eau_vive, amount=amount)
        account = eau_vive.stripe_account
        sandbox_stripe.control("clock", account=account, now=start + day * DAY)
        metadata = {"donation_id": gift.id}
        gift_ = {"amount": amount, "currency": "eur", "metadata": metadata}
        sandbox_stripe.control("charges", account=account, **gift_)
        # The money of a card is there after two days.
        sandbox_stripe.control("clock", account=account, now=start + (day + 3) * DAY)
        return gift

    return give_one


def send(stripe, organisation):
    return stripe.control("payouts", account=organisation.stripe_account)


def sweep(*gifts):
    tasks.sweep_account(gifts[0].organisation_id)
    for gift in gifts:
        gift.refresh_from_db()


def test_an_automatic_payout_is_composed_when_it_arrives(eau_vive, give, sandbox_stripe):
    gift = give(5000, 0)
    payout = send(sandbox_stripe, eau_vive)
    sweep(gift)
    [kept] = Payout.objects.all()
    assert (kept.status, kept.bank_name, kept.bank_last4) == ("pending", "STRIPE TEST BANK", "2606")
    assert (kept.composed_at, gift.payout) == (None, "")
    sandbox_stripe.control(f"payouts/{payout['id']}/pay")

    sweep(gift)

    [kept] = Payout.objects.all()
    assert (kept.status, kept.composition_is_whole) == ("paid", True)
    assert (gift.payout, gift.payout_arrived_on) == (payout["id"], kept.arrival_on)
    assert not Case.objects.exists()


def test_what_was_in_a_failed_payout_arrives_with_the_next_one(eau_vive, give, sandbox_stripe):
    MembershipFactory(organisation=eau_vive)
    first_gift = give(5000, 0)
    first = send(sandbox_stripe, eau_vive)
    sandbox_stripe.control(f"payouts/{first['id']}/pay")
    sweep(first_gift)
    assert first_gift.payout == first["id"]
    sandbox_stripe.control(f"payouts/{first['id']}/fail")
    sweep(first_gift)
    assert (first_gift.payout, Mail.objects.count(), Case.objects.count()) == ("", 1, 1)
    assert Payout.objects.of(eau_vive).returned().exists()

    second_gift = give(7000, 4)
    second = send(sandbox_stripe, eau_vive)
    sandbox_stripe.control(f"payouts/{second['id']}/pay")
    sweep(first_gift, second_gift)

    assert first_gift.payout == second_gift.payout == second["id"]
    assert first_gift.payout_arrived_on == second_gift.payout_arrived_on
    assert not Payout.objects.of(eau_vive).returned().exists()
    assert (Mail.objects.count(), Case.objects.count()) == (1, 1)
    for payout in Payout.objects.all():
        assert sum(item.net for item in PayoutItem.objects.inside(payout)) == payout.amount
    assert amounts(eau_vive)["stripe", "EUR"] == 0
    check_sides(eau_vive)


def test_of_one_sent_by_hand_nothing_is_told(eau_vive, give, sandbox_stripe):
    gift = give(5000, 0)
    by_hand = {"amount": 1000, "currency": "eur"}
    sent = client().v1.payouts.create(by_hand, on_account(str(eau_vive.stripe_account)))
    sandbox_stripe.control(f"payouts/{sent.id}/pay")

    sweep(gift)

    [kept] = Payout.objects.all()
    assert (kept.status, kept.automatic, kept.composed_at) == ("paid", False, None)
    assert gift.payout == ""
