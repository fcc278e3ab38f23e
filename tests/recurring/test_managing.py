"""What donors change of a gift that repeats: Stripe is asked, and its answer noted."""

import pytest

from common.errors import TryAgainLater
from common.stripe_api import StripeRefused
from donations.errors import AmountOutOfRange, NothingToMend, RecurringGiftOver
from donations.models import RecurringGift
from donations.services import managing
from tests.recurring.conftest import GOOD, NEVER, Giver, states, subjects


@pytest.fixture
def running(giver) -> Giver:
    """A gift that repeats."""
    giver.pay()
    giver.tell()
    return giver


def at_stripe(giver):
    account = giver.organisation.stripe_account
    return giver.sandbox.find("subscriptions", giver.subscription, account)


def test_a_paused_gift_takes_nothing_until_it_goes_on(running):
    paused = managing.pause(recurring=running.recurring)
    running.renew()
    assert at_stripe(running)["pause_collection"]["behavior"] == "void"

    resumed = managing.resume(recurring=running.recurring)
    running.renew()
    running.tell()

    assert (paused.status, resumed.status) == ("paused", "active")
    assert running.recurring.status == "active"
    assert len(states(running.organisation)) == 2


def test_pausing_is_what_stripes_events_say_too(running):
    managing.pause(recurring=running.recurring)

    running.tell()

    assert running.recurring.status == "paused"


def test_what_was_paused_and_went_on_is_paused_again(running):
    managing.pause(recurring=running.recurring)
    managing.resume(recurring=running.recurring)

    paused = managing.pause(recurring=running.recurring)

    assert at_stripe(running)["pause_collection"]["behavior"] == "void"
    assert (paused.status, running.recurring.status) == ("paused", "paused")


def test_another_amount_is_given_from_the_next_payment_on(running):
    changed = managing.change_amount(recurring=running.recurring, amount=2550)
    running.renew()
    running.tell()

    assert (changed.amount, running.recurring.amount) == (2550, 2550)
    assert [amount for _, amount, *_ in states(running.organisation)] == [1000, 2550]
    [item] = at_stripe(running)["items"]["data"]
    assert item["price"]["recurring"]["interval"] == "month"


def test_an_amount_that_nobody_can_give_is_refused(running):
    with pytest.raises(AmountOutOfRange):
        managing.change_amount(recurring=running.recurring, amount=99)

    assert running.recurring.amount == 1000


def test_a_gift_is_ended_and_stays_ended(running):
    ended = managing.cancel(recurring=running.recurring)
    running.tell()

    assert (ended.status, ended.ended_reason) == ("ended", "cancellation_requested")
    assert at_stripe(running)["status"] == "canceled"
    assert subjects()[-1] == "Your gift to Eau Vive every month has ended"
    for change in (managing.pause, managing.resume):
        with pytest.raises(RecurringGiftOver):
            change(recurring=running.recurring)
    with pytest.raises(RecurringGiftOver):
        managing.cancel(recurring=running.recurring)
    assert len(subjects()) == 2


def test_who_ends_what_has_ended_at_stripe_learns_that_it_has(running):
    stale = running.recurring
    managing.cancel(recurring=stale)
    RecurringGift.objects.update(status="active", ended_at=None, ended_reason="")

    ended = managing.cancel(recurring=stale)

    assert (ended.status, ended.ended_reason) == ("ended", "cancellation_requested")


def test_stripes_refusal_changes_nothing(running, monkeypatch):
    running.sandbox.control("outage", status=500)

    for change in (managing.pause, managing.resume):
        with pytest.raises(TryAgainLater):
            change(recurring=running.recurring)
    with pytest.raises(TryAgainLater):
        managing.cancel(recurring=running.recurring)

    running.sandbox.control("outage")
    assert running.recurring.status == "active"


def test_a_refusal_to_end_is_passed_on(running, monkeypatch):
    def refuse(*_, **__):
        raise StripeRefused

    subscriptions = type(managing.client().v1.subscriptions)
    monkeypatch.setattr(subscriptions, "cancel", refuse)

    with pytest.raises(StripeRefused):
        managing.cancel(recurring=running.recurring)

    assert running.recurring.status == "active"


def test_a_gift_that_never_began_has_nothing_to_change(giver):
    with pytest.raises(RecurringGiftOver):
        managing.pause(recurring=giver.recurring)


def test_what_failed_is_mended_on_stripes_page_and_the_card_stays(running):
    running.renew(NEVER)
    running.tell()

    page = managing.mend(recurring=running.recurring)

    assert page == running.invoices()[0]["hosted_invoice_url"]
    settings = at_stripe(running)["payment_settings"]
    assert settings["save_default_payment_method"] == "on_subscription"


def test_where_nothing_failed_there_is_nothing_to_mend(running):
    with pytest.raises(NothingToMend):
        managing.mend(recurring=running.recurring)


def test_what_was_mended_is_read_anew_when_the_mails_link_is_used_again(running):
    running.renew(NEVER)
    running.tell()
    managing.mend(recurring=running.recurring)
    running.sandbox.control(f"subscriptions/{running.subscription}/card", card_number=GOOD)
    running.retry()
    running.tell()

    with pytest.raises(NothingToMend):
        managing.mend(recurring=running.recurring)

    assert running.recurring.status == "active"
