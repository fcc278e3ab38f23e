"""A gift that repeats, from the promise to every payment in the ledger."""

import random
from datetime import timedelta

import pytest
from django.utils import timezone

from common.errors import TryAgainLater
from common.stripe_api import client, on_account
from donations.errors import RepeatsByCheckoutOnly
from donations.models import Donation, RecurringGift
from donations.services.erasure import erase_donor
from donations.services.promises import promise_donation
from donations.services.recurring import learn_subscription
from donations.services.subscriptions import subscription_facts
from reviews.models import Case
from tests.factories import NOON, DonationFactory, OrganisationFactory, RecurringGiftFactory
from tests.recurring.conftest import EMAIL, GOOD, NEVER, Giver, states, subjects
from tests.treasury.movements import amounts, check_sides, entries
from tests.webhooks.messages import deliver
from treasury.models import BalanceTransaction
from treasury.services.booking import book
from treasury.services.reading import read_account
from webhooks.models import StripeEvent
from webhooks.services.draining import drain_due

EXPIRED = "checkout.session.expired"
PAID = ("settled", 1000, "EUR", 1000, "wells", EMAIL)


def read(organisation) -> int:
    """Book what moved, without any event."""
    return book(organisation=organisation, reading=read_account(organisation))


def test_the_page_is_of_a_subscription_which_says_whose_it_is(sandbox_stripe, giver):
    recurring = giver.recurring
    account = giver.organisation.stripe_account

    session = sandbox_stripe.find("checkout/sessions", giver.donation.checkout_session, account)

    assert (session["mode"], session["submit_type"]) == ("subscription", None)
    assert (session["amount_total"], session["currency"]) == (1000, "eur")
    assert session["customer_email"] == EMAIL
    assert session["client_reference_id"] == giver.donation.id
    metadata = {"donation_id": giver.donation.id, "recurring_id": recurring.id}
    assert session["metadata"] == metadata
    giver.pay()
    subscription = sandbox_stripe.find("subscriptions", giver.subscription, account)
    assert subscription["metadata"] == metadata
    assert subscription["application_fee_percent"] is None
    [item] = subscription["items"]["data"]
    assert item["price"]["recurring"]["interval"] == "month"
    assert (recurring.status, recurring.rhythm, recurring.amount) == (
        "pending", "every month", 1000,
    )  # fmt: skip


def test_without_an_address_the_page_asks_for_it(sandbox_stripe, organisation):
    promise_donation(
        organisation=organisation, amount=1000, currency="EUR", flow="checkout", interval="year"
    )

    [session] = sandbox_stripe.list("checkout/sessions", organisation.stripe_account)

    assert session["customer_email"] is None


def test_a_payment_intent_cannot_repeat(organisation):
    with pytest.raises(RepeatsByCheckoutOnly):
        promise_donation(
            organisation=organisation,
            amount=1000,
            currency="EUR",
            flow=Donation.Flow.PAYMENT_INTENT,
            interval="month",
        )

    assert not Donation.objects.exists()


def test_the_same_key_again_is_the_same_gift_and_another_rhythm_another(organisation):
    gift = {"organisation": organisation, "amount": 1000, "currency": "EUR", "flow": "checkout"}
    first = promise_donation(**gift, interval="month", idempotency_key="k")

    again = promise_donation(**gift, interval="month", idempotency_key="k")

    assert (again.donation, again.is_new) == (first.donation, False)
    assert RecurringGift.objects.count() == 1
    for interval in ("year", None):
        with pytest.raises(Exception, match="used before for another gift"):
            promise_donation(**gift, interval=interval, idempotency_key="k")


def test_what_an_outage_cut_off_goes_on_with_the_same_key(sandbox_stripe, organisation):
    gift = {"organisation": organisation, "amount": 1000, "currency": "EUR", "flow": "checkout"}
    sandbox_stripe.control("outage", status=500)
    with pytest.raises(TryAgainLater):
        promise_donation(**gift, interval="month", idempotency_key="k")

    sandbox_stripe.control("outage")
    promised = promise_donation(**gift, interval="month", idempotency_key="k")

    assert promised.donation.checkout_url
    assert RecurringGift.objects.count() == Donation.objects.count() == 1


def test_every_payment_is_a_gift_of_its_own_without_any_event(giver):
    giver.pay()
    assert read(giver.organisation) == 1
    for _ in range(2):
        giver.renew()

    assert read(giver.organisation) == 2
    assert read(giver.organisation) == 0

    assert states(giver.organisation) == [PAID, PAID, PAID]
    gifts = Donation.objects.order_by("created_at")
    assert gifts[0] == giver.donation
    assert len({gift.invoice for gift in gifts}) == 3
    assert {(gift.recurring, gift.public_name, gift.owner_id) for gift in gifts} == {
        (giver.recurring, "Zoë", "zoe-1")
    }
    received = [entry for entry in entries(giver.organisation) if entry[0] == "DONATION_RECEIVED"]
    assert received == [("DONATION_RECEIVED", 1000, "EUR", "stripe", "fund:wells")] * 3
    assert giver.recurring.subscription == giver.subscription
    check_sides(giver.organisation)


def test_all_in_one_reading_is_the_same(giver):
    giver.pay()
    giver.renew()

    read(giver.organisation)

    assert states(giver.organisation) == [PAID, PAID]
    assert not Case.objects.exists()


def test_a_refund_of_a_renewal_is_the_renewals(sandbox_stripe, giver):
    giver.pay()
    giver.renew()
    read(giver.organisation)
    account = giver.organisation.stripe_account
    newest = sandbox_stripe.list("charges", account)[0]["id"]
    sandbox_stripe.control("charges/" + newest + "/dispute", amount=1000)

    read(giver.organisation)

    assert [status for status, *_ in states(giver.organisation)] == ["settled", "disputed"]


def test_a_subscription_that_nobody_promised_here_is_external_activity(giver):
    giver.pay()
    other = OrganisationFactory(stripe_account=None)
    Donation.objects.update(recurring=None)
    RecurringGift.objects.update(organisation=other, fund="general")
    RecurringGiftFactory(organisation=giver.organisation)

    read(giver.organisation)

    assert amounts(giver.organisation)["external", "EUR"] > 0
    assert set(BalanceTransaction.objects.values_list("purpose", "donation")) == {("external", "")}


def test_a_second_subscription_that_claims_the_same_gift_is_none_of_ours(giver):
    giver.pay()
    RecurringGift.objects.update(subscription="sub_known")

    read(giver.organisation)

    assert states(giver.organisation)[0][0] == "pending"
    assert "external" in {name for name, _ in amounts(giver.organisation)}


def test_a_first_payment_of_another_amount_is_a_case(giver):
    giver.pay()
    Donation.objects.update(amount=999)

    read(giver.organisation)

    [case] = Case.objects.all()
    invoice = giver.invoices()[0]["id"]
    assert case.kind == Case.Kind.MISMATCH
    assert f"Gift {invoice}" in case.summary
    assert states(giver.organisation)[0][0] == "pending"


def test_a_first_payment_of_a_promise_that_is_paid_otherwise_is_a_gift_of_its_own(giver):
    Donation.objects.update(invoice="in_other")
    giver.pay()

    read(giver.organisation)

    assert [status for status, *_ in states(giver.organisation)] == ["pending", "settled"]


def test_the_donor_of_the_page_is_learnt_where_none_was_promised(giver):
    Donation.objects.update(donor_email="")
    RecurringGift.objects.update(donor_email="")
    giver.pay()

    giver.tell()

    assert giver.recurring.donor_email == EMAIL
    assert subjects() == ["You give to Eau Vive every month"]


def test_a_page_that_nobody_paid_on_ends_the_gift_quietly(giver):
    client().v1.checkout.sessions.expire(
        giver.donation.checkout_session, options=on_account(giver.organisation.stripe_account)
    )

    giver.tell()

    recurring = giver.recurring
    assert (recurring.status, recurring.started_at) == ("ended", None)
    assert subjects() == []


@pytest.fixture
def second_page(sandbox_stripe, organisation) -> Giver:
    """Somebody whose first page expired, after they promised again with the same key."""
    gift = {"organisation": organisation, "amount": 1000, "currency": "EUR", "flow": "checkout"}
    named = {"interval": "month", "fund": "wells", "donor_email": EMAIL, "idempotency_key": "k"}
    first = promise_donation(**gift, **named).donation
    # The answer with the page was lost, and the donor waited for longer than it is kept.
    Donation.objects.update(checkout_url="", created_at=timezone.now() - timedelta(minutes=81))
    giver = Giver(sandbox_stripe, organisation, promise_donation(**gift, **named).donation)
    assert giver.donation == first
    assert giver.donation.checkout_session != first.checkout_session
    client().v1.checkout.sessions.expire(
        first.checkout_session, options=on_account(organisation.stripe_account)
    )
    return giver


def test_a_gift_whose_first_page_expired_begins_on_the_second(second_page):
    second_page.tell()
    assert second_page.recurring.status == "ended"
    second_page.pay()

    second_page.tell()

    check_begun(second_page)


def test_that_the_first_page_expired_is_told_after_the_second_was_paid(second_page):
    expired = [event for event in second_page.events() if event["type"] == EXPIRED]
    second_page.pay()
    second_page.tell(*[event for event in second_page.events() if event["type"] != EXPIRED])

    second_page.tell(*expired)

    check_begun(second_page)


def check_begun(giver) -> None:
    """Check that a gift goes on, and that its donor was told so once."""
    recurring = giver.recurring
    assert (recurring.status, recurring.ended_at) == ("active", None)
    assert recurring.subscription == giver.subscription
    assert states(giver.organisation) == [PAID]
    assert subjects() == ["You give to Eau Vive every month"]


def test_a_reading_alone_lets_a_gift_begin_after_its_first_page_expired(second_page):
    second_page.tell()
    second_page.pay()

    read(second_page.organisation)

    recurring = second_page.recurring
    assert (recurring.status, recurring.ended_at) == ("pending", None)
    assert recurring.subscription == second_page.subscription


def test_a_year_of_trouble(giver):
    giver.pay()
    giver.tell()
    assert (giver.recurring.status, giver.recurring.next_at is not None) == ("active", True)
    giver.renew(NEVER)
    giver.tell()
    assert giver.recurring.status == "past_due"
    giver.renew(GOOD)
    giver.tell()

    assert [status for status, *_ in states(giver.organisation)] == ["settled", "settled"]


@pytest.mark.parametrize("seed", range(6))
def test_events_in_any_order_some_lost_some_twice_end_the_same(giver, seed):
    dice = random.Random(seed)
    giver.pay()
    giver.renew()
    giver.renew(NEVER)
    for _ in range(3):
        giver.retry()
    told = giver.events()
    events = [event for event in told if dice.random() < 0.8] + dice.choices(told, k=seed)
    dice.shuffle(events)
    last = [event for event in told if event["type"] == "customer.subscription.deleted"]

    giver.tell(*events, *last, draining_every=dice.randint(1, 9))

    recurring = giver.recurring
    assert (recurring.status, recurring.ended_reason) == ("ended", "payment_failed")
    assert states(giver.organisation) == [PAID, PAID]
    assert subjects()[-1] == "Your gift to Eau Vive every month has ended"
    assert len(subjects()) == len(set(subjects()))
    assert not Case.objects.exists()


def test_a_reading_that_is_older_takes_nothing_back(giver):
    giver.pay()
    giver.tell()
    before = giver.recurring
    RecurringGift.objects.update(read_at="2100-01-01T00:00:00Z", told_status="paused")
    giver.renew()

    giver.tell()

    assert (giver.recurring.status, giver.recurring.next_at) == ("paused", before.next_at)


def test_subscriptions_and_invoices_of_others_are_left_alone(giver):
    giver.pay()
    giver.renew(NEVER)
    events = giver.events()
    [page] = [event for event in events if event["type"] == "checkout.session.completed"]
    expired = {**page, "id": "evt_expired", "type": "checkout.session.expired"}
    RecurringGift.objects.update(subscription="sub_other")

    giver.tell(*events, expired)

    assert subjects() == []
    assert (giver.recurring.status, giver.recurring.read_at) == ("pending", None)
    theirs = subscription_facts(events_of(events, "subscription")[0], read_at=NOON)
    assert learn_subscription(organisation=giver.organisation, facts=theirs) is None


def events_of(events, kind):
    return [told for event in events if (told := event["data"]["object"])["object"] == kind]


def test_an_outage_while_subscriptions_are_read_waits(sandbox_stripe, giver):
    giver.pay()
    events = giver.events()
    sandbox_stripe.control("outage", status=500)
    for event in events:
        deliver(event)
    drain_due()
    assert giver.recurring.status == "pending"

    sandbox_stripe.control("outage")
    StripeEvent.objects.update(next_attempt_at="2026-01-01T00:00:00Z")
    giver.tell(events[0])

    assert giver.recurring.status == "active"


def test_erasing_one_payment_erases_them_all_and_later_ones_know_nobody(giver):
    giver.pay()
    giver.renew()
    giver.tell()
    giver.donation.refresh_from_db()

    for _ in range(2):
        erased = erase_donor(donation=giver.donation)
    giver.renew()
    giver.tell()

    assert erased == giver.donation
    assert erased.erased_at
    for gift in Donation.objects.all():
        assert (gift.donor_email, gift.donor_name, gift.public_name, gift.owner_id) == ("",) * 4
        assert (gift.status, gift.erased_at is None) == ("settled", False)
    # Its donor must be able to end it.
    assert (giver.recurring.donor_email, giver.recurring.public_name) == (EMAIL, "")


def test_when_an_erased_gift_ends_the_address_goes_too(giver):
    giver.pay()
    giver.tell()
    giver.donation.refresh_from_db()
    erase_donor(donation=giver.donation)
    giver.renew(NEVER)
    for _ in range(3):
        giver.retry()

    giver.tell()

    assert (giver.recurring.status, giver.recurring.donor_email) == ("ended", "")
    assert subjects()[-1] == "Your gift to Eau Vive every month has ended"


def test_an_ended_gift_is_erased_at_once(giver):
    giver.pay()
    giver.renew(NEVER)
    for _ in range(3):
        giver.retry()
    giver.tell()

    erase_donor(donation=Donation.objects.get())

    assert (giver.recurring.donor_email, giver.recurring.owner_id) == ("", "")


def test_gifts_given_once_have_no_rhythm(organisation):
    assert DonationFactory(organisation=organisation).recurring is None
