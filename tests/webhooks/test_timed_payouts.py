"""Payouts that the platform times: what is free of held gifts is ordered once a day."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from common.errors import TryAgainLater
from common.stripe_api import StripeRefused, client, on_account
from donations.models import Donation
from donations.services.holding import hold_settled
from donations.services.promises import create_sandbox_account
from organisations.models import Organisation, StripeAccountState
from organisations.services.account_states import read_state
from reviews.models import Case
from reviews.services.payout_holds import hold_payouts
from tests.factories import CaseFactory, OrganisationFactory
from tests.treasury.movements import check_sides
from tests.webhooks.holding import decided, heard, paid, promised
from tests.webhooks.payouts import (
    IBAN,
    OTHER_IBAN,
    account_of,
    at_bank,
    has_waited,
    opened,
    schedule_of,
    set_schedule,
    swap_bank,
)
from tests.webhooks.test_holds_once import AT_ONCE, at_once
from tests.webhooks.test_payout_holds import broken
from treasury.models import PayoutControl, PayoutOrder, StripeBalance
from treasury.services import ordering, paying_out
from treasury.services.paying_out import let_wait_until, time_payouts_of
from treasury.tasks import time_held_payouts

pytestmark = pytest.mark.django_db(transaction=True)
FEE = 100
# Of the held gift nothing; its fee the organisation bears.
FREE = 5000 - 2 * FEE


@pytest.fixture
def organisation(db, sandbox_stripe) -> Organisation:
    return opened()


@pytest.fixture
def held(only, sandbox_stripe, organisation):
    """A gift that is settled and held in the ledger; another one is free."""
    only("promise", limit=10**9)
    free = paid(sandbox_stripe, organisation)
    only("settlement")
    gift = paid(sandbox_stripe, organisation)
    assert (free.status, gift.status) == ("settled", "held")
    has_waited(sandbox_stripe, organisation)
    return gift


def again_due():
    PayoutControl.objects.update(next_attempt_at=timezone.now())


def tomorrow(monkeypatch):
    then = timezone.now() + timedelta(days=1)
    monkeypatch.setattr(timezone, "now", lambda: then)


def killed(*_args, **_kwargs):
    raise RuntimeError("killed")


def test_what_is_free_of_held_gifts_is_paid_out_once_a_day(
    sandbox_stripe, held, organisation, monkeypatch
):
    for minute in range(3):
        time_held_payouts(timestamp=minute)

    assert at_bank(sandbox_stripe, organisation) == [FREE]
    order = PayoutOrder.objects.get()
    assert (order.amount, order.currency, order.status) == (FREE, "EUR", "sent")
    assert schedule_of(organisation)["interval"] == "manual"

    heard(held)
    check_sides(organisation)
    tomorrow(monkeypatch)
    time_held_payouts(timestamp=4)
    assert at_bank(sandbox_stripe, organisation) == [FREE]  # nothing came, so nothing is free


def test_what_comes_until_the_next_day_is_paid_out_then(
    sandbox_stripe, held, only, organisation, monkeypatch
):
    time_held_payouts(timestamp=0)
    only("promise", limit=10**9)
    paid(sandbox_stripe, organisation)
    has_waited(sandbox_stripe, organisation, days=20)
    time_held_payouts(timestamp=60)
    assert at_bank(sandbox_stripe, organisation) == [FREE]
    assert PayoutControl.objects.get().attempts == 0  # nothing went wrong either

    tomorrow(monkeypatch)
    time_held_payouts(timestamp=120)

    assert sorted(at_bank(sandbox_stripe, organisation)) == [FREE, 5000 - FEE]


def test_once_the_gift_is_released_stripe_pays_out_by_itself_again(
    sandbox_stripe, held, organisation
):
    time_held_payouts(timestamp=0)
    decided(held, "release")

    time_held_payouts(timestamp=60)

    assert schedule_of(organisation)["interval"] == "daily"


def test_what_the_book_does_not_know_yet_is_not_paid_out(sandbox_stripe, held, organisation):
    sandbox_stripe.control("charges", account=account_of(organisation), amount=7000, currency="eur")
    has_waited(sandbox_stripe, organisation, days=20)

    time_held_payouts(timestamp=0)

    assert at_bank(sandbox_stripe, organisation) == [FREE]


def test_elsewhere_payouts_are_left_alone(sandbox_stripe, only):
    account = create_sandbox_account(country="FR", currency="EUR")
    organisation = OrganisationFactory(stripe_account=account)
    read_state(organisation=organisation)
    only("settlement")
    assert paid(sandbox_stripe, organisation).status == "held"

    time_held_payouts(timestamp=0)

    assert not PayoutControl.objects.exists()


def test_payouts_by_hand_stay_by_hand(sandbox_stripe, held, organisation):
    set_schedule(organisation, interval="manual")

    time_held_payouts(timestamp=0)
    assert PayoutControl.objects.get().is_by_hand
    decided(held, "release")
    time_held_payouts(timestamp=60)

    assert at_bank(sandbox_stripe, organisation) == []
    assert schedule_of(organisation)["interval"] == "manual"
    assert PayoutControl.objects.get().schedule is None


def test_several_workers_at_once_order_one_payout(sandbox_stripe, held, organisation):
    at_once(*[lambda: time_payouts_of(organisation=organisation)] * AT_ONCE)

    assert at_bank(sandbox_stripe, organisation) == [FREE]
    assert PayoutOrder.objects.count() == 1


def test_who_died_before_stripe_was_told_leaves_the_schedule_known(
    sandbox_stripe, held, organisation, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(paying_out, "_set_schedule", killed)
        time_held_payouts(timestamp=0)
    assert PayoutControl.objects.get().stopped_at is None
    time_held_payouts(timestamp=60)  # whoever died has it for a while
    assert PayoutControl.objects.get().stopped_at is None

    again_due()
    time_held_payouts(timestamp=120)

    control = PayoutControl.objects.get()
    assert (control.schedule["interval"], control.attempts) == ("daily", 0)
    assert schedule_of(organisation)["interval"] == "manual"


def test_who_died_after_the_change_does_not_take_it_for_what_was_before(
    sandbox_stripe, held, organisation
):
    time_held_payouts(timestamp=0)
    PayoutControl.objects.update(stopped_at=None)

    time_held_payouts(timestamp=60)

    control = PayoutControl.objects.get()
    assert control.stopped_at
    assert control.schedule["interval"] == "daily"


def meanwhile(monkeypatch, happens, *, after=False):
    """Let something happen around the first change of a schedule at Stripe; return all changes."""
    real, changes = paying_out._set_schedule, []

    def slow(account, schedule):
        changes.append(schedule["interval"])
        is_first = len(changes) == 1
        if is_first and not after:
            happens()
        real(account, schedule)
        if is_first and after:
            happens()

    monkeypatch.setattr(paying_out, "_set_schedule", slow)
    return changes


def in_time():
    """Tell whether what the row says of an account is what Stripe does there."""
    control = PayoutControl.objects.get()
    manual = schedule_of(control.organisation)["interval"] == "manual"
    return (bool(control.stopped_at), bool(control.schedule)) == (manual, manual)


@pytest.mark.parametrize("after", [False, True])
def test_a_release_during_the_first_stop_lets_payouts_go_on(
    sandbox_stripe, held, organisation, monkeypatch, after
):
    def release():
        decided(held, "release")
        time_held_payouts(timestamp=60)  # beside the one that is at it

    changes = meanwhile(monkeypatch, release, after=after)
    time_held_payouts(timestamp=0)
    assert changes == ["manual"]

    time_held_payouts(timestamp=120)  # at once, since something was released

    assert changes == ["manual", "daily"]
    assert schedule_of(organisation)["interval"] == "daily"
    assert in_time()


@pytest.mark.parametrize("after", [False, True])
def test_a_hold_while_payouts_are_let_go_on_stops_them(
    sandbox_stripe, held, organisation, monkeypatch, after
):
    time_held_payouts(timestamp=0)
    decided(held, "release")

    def hold():
        hold_payouts(case=CaseFactory(organisation=organisation, kind="account"))
        time_held_payouts(timestamp=60)

    changes = meanwhile(monkeypatch, hold, after=after)
    time_held_payouts(timestamp=120)
    assert changes == ["daily"]
    time_held_payouts(timestamp=180)

    assert changes == ["daily", "manual"]
    assert in_time()
    assert PayoutControl.objects.get().schedule["interval"] == "daily"


def took_too_long():
    PayoutControl.objects.update(claimed_until=timezone.now(), next_attempt_at=timezone.now())


@pytest.mark.parametrize("after", [False, True])
def test_who_took_too_long_to_stop_payouts_leaves_nothing_stopped_for_ever(
    sandbox_stripe, held, organisation, monkeypatch, after
):
    def others():
        decided(held, "release")
        took_too_long()
        time_held_payouts(timestamp=60)

    changes = meanwhile(monkeypatch, others, after=after)
    time_held_payouts(timestamp=0)
    assert changes == ["manual", "daily"]
    assert PayoutControl.objects.get().schedule["interval"] == "daily"

    time_held_payouts(timestamp=120)

    assert changes == ["manual", "daily", "daily"]
    assert schedule_of(organisation)["interval"] == "daily"
    assert in_time()


@pytest.mark.parametrize("after", [False, True])
def test_who_took_too_long_to_let_payouts_go_on_leaves_none_going_on(
    sandbox_stripe, held, organisation, monkeypatch, after
):
    time_held_payouts(timestamp=0)
    decided(held, "release")

    def others():
        hold_payouts(case=CaseFactory(organisation=organisation, kind="account"))
        took_too_long()
        time_held_payouts(timestamp=60)

    changes = meanwhile(monkeypatch, others, after=after)
    time_held_payouts(timestamp=120)
    assert changes == ["daily", "manual"]
    time_held_payouts(timestamp=180)

    assert changes == ["daily", "manual", "manual"]
    assert in_time()


def test_a_refusal_that_comes_too_late_is_not_kept(sandbox_stripe, held, organisation, monkeypatch):
    def others():
        took_too_long()
        time_held_payouts(timestamp=60)
        raise StripeRefused("Stripe refused: odd.")

    PayoutControl.objects.create(organisation=organisation, attempts=paying_out.TOLD_AFTER)
    meanwhile(monkeypatch, others)
    time_held_payouts(timestamp=0)

    assert PayoutControl.objects.get().trouble == ""
    assert not Case.objects.filter(kind="payout").exists()
    assert in_time()


def test_who_was_killed_has_the_account_until_the_claim_ran_out(
    sandbox_stripe, held, organisation, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(paying_out, "_set_schedule", killed)
        patch.setattr(paying_out, "_end_claim", killed)
        time_held_payouts(timestamp=0)
    hold_payouts(case=CaseFactory(organisation=organisation, kind="account"))
    time_held_payouts(timestamp=60)
    assert schedule_of(organisation)["interval"] == "daily"

    took_too_long()
    time_held_payouts(timestamp=120)

    assert schedule_of(organisation)["interval"] == "manual"
    assert in_time()


def test_what_is_held_while_the_schedule_is_asked_for_is_seen_before_it_is_changed(
    sandbox_stripe, held, organisation, monkeypatch
):
    real = paying_out.client

    def asked():
        decided(held, "release")
        return real()

    monkeypatch.setattr(paying_out, "client", asked)
    changes = meanwhile(monkeypatch, lambda: None)
    time_held_payouts(timestamp=0)

    assert changes == []
    assert in_time()


def test_a_payout_whose_answer_was_lost_is_sent_once(
    sandbox_stripe, held, organisation, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(ordering, "_end", killed)
        time_held_payouts(timestamp=0)
    assert PayoutOrder.objects.get().status == "open"

    again_due()
    time_held_payouts(timestamp=60)

    order = PayoutOrder.objects.get()
    [payout] = sandbox_stripe.list("payouts", account_of(organisation))
    assert (order.status, order.payout) == ("sent", payout["id"])


@pytest.fixture
def taken_down(held, monkeypatch):
    """An order that was taken down and never sent: whoever was about to died."""
    with monkeypatch.context() as patch:
        patch.setattr(ordering, "_send", killed)
        time_held_payouts(timestamp=0)
    return PayoutOrder.objects.get()


def test_an_order_that_was_never_sent_is_sent_later_while_it_is_free(
    sandbox_stripe, taken_down, organisation
):
    again_due()
    time_held_payouts(timestamp=60)

    assert at_bank(sandbox_stripe, organisation) == [FREE]
    assert PayoutOrder.objects.get().status == "sent"


def test_an_order_is_not_sent_when_more_is_held_by_then(sandbox_stripe, taken_down, organisation):
    free = Donation.objects.exclude(status="held").get()
    hold_settled(free)

    time_held_payouts(timestamp=60)  # at once, since something else is held

    assert at_bank(sandbox_stripe, organisation) == []
    assert PayoutOrder.objects.get().status == "given_up"


def test_an_order_is_not_sent_when_the_whole_account_waits_by_then(
    sandbox_stripe, taken_down, organisation
):
    hold_payouts(case=CaseFactory(organisation=organisation, kind="account"))

    time_held_payouts(timestamp=60)

    assert at_bank(sandbox_stripe, organisation) == []
    assert PayoutOrder.objects.get().status == "given_up"


def test_a_hold_of_the_last_moment_stops_the_order(sandbox_stripe, taken_down, organisation):
    hold_payouts(case=CaseFactory(organisation=organisation, kind="account"))

    ordering._send(taken_down)

    assert at_bank(sandbox_stripe, organisation) == []
    assert PayoutOrder.objects.get().status == "given_up"


def test_once_nothing_is_held_no_order_is_left_open(sandbox_stripe, taken_down, held, organisation):
    decided(held, "release")

    time_held_payouts(timestamp=60)

    assert at_bank(sandbox_stripe, organisation) == []
    assert PayoutOrder.objects.get().status == "given_up"
    assert schedule_of(organisation)["interval"] == "daily"


def test_an_order_that_was_sent_counts_as_sent_whatever_is_held_by_then(
    sandbox_stripe, held, organisation, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(ordering, "_end", killed)
        time_held_payouts(timestamp=0)
    hold_payouts(case=CaseFactory(organisation=organisation, kind="account"))

    time_held_payouts(timestamp=60)

    order = PayoutOrder.objects.get()
    [payout] = sandbox_stripe.list("payouts", account_of(organisation))
    assert (order.status, order.payout) == ("sent", payout["id"])


def test_an_order_that_may_still_arrive_is_not_given_up(
    sandbox_stripe, taken_down, held, organisation, monkeypatch
):
    PayoutOrder.objects.update(tried_at=timezone.now())
    decided(held, "release")
    time_held_payouts(timestamp=60)
    assert PayoutOrder.objects.get().status == "open"
    assert schedule_of(organisation)["interval"] == "manual"

    PayoutOrder.objects.update(tried_at=timezone.now() - ordering.ARRIVES_WITHIN)
    again_due()
    time_held_payouts(timestamp=180)

    assert PayoutOrder.objects.get().status == "given_up"
    assert schedule_of(organisation)["interval"] == "daily"


def test_an_order_that_was_tried_and_did_not_arrive_is_sent_again(
    sandbox_stripe, taken_down, organisation
):
    PayoutOrder.objects.update(tried_at=timezone.now())
    again_due()

    time_held_payouts(timestamp=60)

    assert at_bank(sandbox_stripe, organisation) == [FREE]


def test_another_payout_is_not_taken_for_the_order(sandbox_stripe, taken_down, organisation):
    other = {"amount": 100, "currency": "eur"}
    client().v1.payouts.create(other, on_account(account_of(organisation)))
    PayoutOrder.objects.update(tried_at=timezone.now())
    again_due()

    time_held_payouts(timestamp=60)

    order = PayoutOrder.objects.get()
    assert order.status == "sent"
    assert sorted(at_bank(sandbox_stripe, organisation)) == [100, FREE]
    assert str(order) == order.id


def test_where_nothing_is_held_nothing_is_done(sandbox_stripe, organisation):
    time_payouts_of(organisation=organisation)

    control = PayoutControl.objects.get()
    assert (control.schedule, control.stopped_at, control.attempts) == (None, None, 0)
    assert schedule_of(organisation)["interval"] == "daily"
    assert str(control) == f"payouts of {organisation}"


def test_one_currency_does_not_wait_for_the_other(held, organisation, monkeypatch):
    orders = [PayoutOrder(organisation=organisation, currency=name) for name in ("EUR", "USD")]
    asked = []

    def away(order):
        asked.append(order.currency)
        raise TryAgainLater("Stripe does not answer.")

    monkeypatch.setattr(ordering, "_send", away)
    with pytest.raises(TryAgainLater):
        ordering._send_all(orders)

    assert asked == ["EUR", "USD"]


def test_a_stripe_that_is_away_is_asked_again(sandbox_stripe, held, organisation):
    sandbox_stripe.control("outage", status=500)
    time_held_payouts(timestamp=0)
    sandbox_stripe.control("outage")
    assert schedule_of(organisation)["interval"] == "daily"

    again_due()
    time_held_payouts(timestamp=60)

    assert schedule_of(organisation)["interval"] == "manual"


def test_an_order_that_stripe_refuses_says_why(sandbox_stripe, held, organisation):
    sandbox_stripe.control(
        f"accounts/{account_of(organisation)}/require", currently_due=["x"], past_due=["x"]
    )

    time_held_payouts(timestamp=0)

    order = PayoutOrder.objects.get()
    assert (order.status, order.trouble) == ("refused", "Stripe refused: payouts_not_allowed.")
    assert PayoutControl.objects.get().trouble == ""


def test_one_account_that_fails_holds_up_none_of_the_others(
    sandbox_stripe, organisation, monkeypatch, caplog
):
    other = opened()
    for each, iban in ((organisation, IBAN), (other, OTHER_IBAN)):
        swap_bank(sandbox_stripe, each, iban=iban)
    monkeypatch.setattr(paying_out, "_stop", killed)

    time_held_payouts(timestamp=0)

    assert caplog.text.count("payouts not timed") == 2


@pytest.mark.parametrize(
    ("told", "taken"),
    [
        ({"delay_days": 7, "interval": "daily"}, {"interval": "daily"}),
        (
            {"interval": "monthly", "monthly_anchor": 31, "monthly_payout_days": [1, 15]},
            {"interval": "monthly", "monthly_payout_days": [1, 15]},
        ),
        (
            {"interval": "monthly", "monthly_anchor": 31, "weekly_anchor": "friday"},
            {"interval": "monthly", "monthly_anchor": 31},
        ),
    ],
)
def test_a_schedule_is_put_back_as_stripe_takes_it(told, taken):
    assert paying_out._as_taken(told) == taken


@pytest.mark.parametrize(("country", "days"), [("FR", 90), ("TH", 10), ("US", 730), (None, 90)])
def test_the_clock_is_that_of_the_country(country, days):
    organisation, now = OrganisationFactory(), timezone.now()
    if country:
        StripeAccountState.objects.create(organisation=organisation, country=country)

    assert let_wait_until(organisation, now) == now + timedelta(days=days)


def test_forints_are_paid_out_in_whole_ones(sandbox_stripe, only):
    organisation = opened(country="HU", default_currency="huf")
    only("promise", limit=10**9)
    in_forints(sandbox_stripe, organisation, 600_050)
    only("settlement")
    gift = in_forints(sandbox_stripe, organisation, 500_000)
    has_waited(sandbox_stripe, organisation)
    heard(gift)

    time_held_payouts(timestamp=0)

    free = StripeBalance.objects.get(organisation=organisation).total - 500_000
    assert free % 100 != 0
    assert at_bank(sandbox_stripe, organisation) == [free // 100 * 100]


def in_forints(sandbox, organisation, amount):
    donation = promised(organisation, amount=amount, currency="HUF")
    sandbox.control(f"checkout/{donation.checkout_session}/pay", card_number="4242424242424242")
    return heard(donation)


def order_of(organisation, amount):
    return (
        "INSERT INTO treasury_payoutorder"
        " (id, organisation_id, currency, day, amount, ordered_at, status, payout, trouble)"
        " VALUES ('pord_1', %s, 'EUR', now(), %s, now(), 'open', '', '')",
        organisation.pk,
        amount,
    )


def test_the_database_orders_nothing_that_is_held(held, organisation):
    assert broken(*order_of(organisation, FREE + 1)) == "payout_order_is_of_what_is_free"
    with connection.cursor() as cursor:
        statement, *values = order_of(organisation, FREE)
        cursor.execute(statement, values)


def test_the_database_orders_nothing_while_payouts_wait(held, organisation):
    hold_payouts(case=CaseFactory(organisation=organisation, kind="account"))

    assert broken(*order_of(organisation, 1)) == "payouts_are_not_held"


def test_the_database_keeps_what_became_of_an_order(held, organisation):
    time_held_payouts(timestamp=0)

    again = "UPDATE treasury_payoutorder SET status = 'open', payout = ''"
    assert broken(again) == "payout_order_goes_on"


def test_the_database_sends_no_order_that_is_held_by_then(taken_down, organisation):
    hold_payouts(case=CaseFactory(organisation=organisation, kind="account"))

    sent = "UPDATE treasury_payoutorder SET tried_at = now()"
    assert broken(sent) == "payouts_are_not_held"
