"""Whatever becomes of payouts, in whatever order and how often it is read: it ends the same."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from donations.models import Donation
from tests.factories import DonationFactory, OrganisationFactory
from tests.treasury.movements import book_all, charged
from tests.treasury.payouts import holding, keep_all, returned, sent, told
from treasury.models import Payout, PayoutItem
from treasury.services.payouts import FACTS

pytestmark = pytest.mark.django_db
WAYS = {
    "paid": ["pending", "in_transit", "paid"],
    "failed": ["pending", "in_transit", "failed"],
    "failed after paid": ["in_transit", "paid", "paid", "failed"],
    "canceled": ["pending", "canceled"],
    "on its way": ["pending", "pending", "in_transit"],
}
STORIES = st.lists(st.sampled_from(list(WAYS)), min_size=1, max_size=4)


def readings_of(organisation, ways):
    """
    Return what could be read as payouts went their ways, one after the other, and their gifts.

    Each holds a gift and whatever the one before brought back.
    """
    readings, final, brought_back, at = [], {}, [], 0
    for number, way in enumerate(ways):
        gift = DonationFactory(organisation=organisation, amount=1000 + number)
        charge = charged(gift.amount, 10, donation_id=gift.id)
        book_all(organisation, charge)
        held = [charge, *brought_back]
        facts = sent(f"po_{number}", sum(one.net for one in held), day=number)
        for status in WAYS[way]:
            final[facts.stripe_id] = step(facts, status, at)
            is_told = final[facts.stripe_id].reconciliation_status == "completed"
            inside = {facts.stripe_id: holding(*held)} if is_told else {}
            payouts = list(final.values())[::-1]
            readings.append(told(*payouts, at=at, inside=inside))
            at += 1
        last = final[facts.stripe_id]
        brought_back = [returned(last)] if last.failure_transaction else []
    return readings


def step(facts, status, at):
    """Return a payout at one moment of its way."""
    is_over, came_back = status not in ("pending", "in_transit"), status in ("failed", "canceled")
    return replace(
        facts,
        status=status,
        arrival_on=facts.arrival_on + timedelta(days=at % 3),
        reconciliation_status="completed" if is_over else "in_progress",
        trace_id="TRACE1" if status == "paid" else "",
        failure_transaction=f"txn_return_{facts.stripe_id}" if came_back else "",
    )


def state_of(organisation):
    """Return all that is known in the end."""
    kept = Payout.objects.of(organisation).order_by("stripe_id")
    items = PayoutItem.objects.of(organisation).order_by("payout", "stripe_id")
    gifts = Donation.objects.of(organisation).order_by("amount")
    return (
        list(kept.values_list(*FACTS, "read_at", "composed_at", "composition_is_whole")),
        list(items.values_list("payout", "stripe_id", "net", "is_booked")),
        list(gifts.values_list("amount", "payout", "payout_arrived_on")),
    )


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(ways=STORIES, dice=st.randoms(use_true_random=False))
def test_readings_in_any_order_and_twice_end_the_same(ways, dice):
    in_order, shuffled = OrganisationFactory(), OrganisationFactory()
    first, second = (list(readings_of(one, ways)) for one in (in_order, shuffled))
    second += dice.choices(second, k=3)
    dice.shuffle(second)

    keep_all(in_order, first)
    keep_all(shuffled, second)

    assert nameless(state_of(in_order)) == nameless(state_of(shuffled))
    check_gifts(in_order, ways)


def nameless(state):
    """Return a state without the ids of charges, which are new each time."""
    payouts, items, gifts = state
    return payouts, sorted((payout, net, is_booked) for payout, _, net, is_booked in items), gifts


def check_gifts(organisation, ways):
    """Check that each gift is in the first payout from its own on that did not come back."""
    alive = [way in ("paid", "on its way") for way in ways]
    told = [name != "on its way" for name in ways]
    for number, gift in enumerate(Donation.objects.of(organisation).order_by("amount")):
        chain = range(number, len(ways))
        carrier = next((each for each in chain if alive[each]), None)
        is_known = carrier is not None and all(told[number : carrier + 1])
        assert gift.payout == (f"po_{carrier}" if is_known else "")
        assert (gift.payout_arrived_on is not None) is is_known
    for payout in Payout.objects.of(organisation).filter(composed_at__isnull=False):
        inside = PayoutItem.objects.inside(payout)
        assert payout.composition_is_whole
        assert sum(item.net for item in inside) == payout.amount
