"""What events say of gifts."""

import pytest

from donations.models import Donation
from reviews.models import Attempt, Hold
from tests.factories import DonationFactory, OrganisationFactory
from tests.webhooks.messages import deliver, event
from webhooks.models import StripeEvent
from webhooks.services.draining import drain_due

CHECKOUT, INTENT = Donation.Flow.CHECKOUT, Donation.Flow.PAYMENT_INTENT
DONOR = {"email": "zoe@example.org", "name": "Zoë Müller"}


def tell(type_, thing, **changes):
    message = event(type_, data={"object": thing}, **changes)
    deliver(message)
    drain_due()
    return StripeEvent.objects.get(id=message["id"])


@pytest.mark.usefixtures("stripe_account")
@pytest.mark.parametrize(
    ("flow", "type_", "more", "status"),
    [
        (CHECKOUT, "checkout.session.completed", {"payment_status": "paid"}, "paid"),
        (CHECKOUT, "checkout.session.completed", {"payment_status": "unpaid"}, "pending"),
        (CHECKOUT, "checkout.session.completed", {}, "pending"),
        (CHECKOUT, "checkout.session.async_payment_succeeded", {}, "paid"),
        (CHECKOUT, "checkout.session.async_payment_failed", {}, "failed"),
        (CHECKOUT, "checkout.session.expired", {}, "expired"),
        (CHECKOUT, "payment_intent.succeeded", {}, "paid"),
        (CHECKOUT, "payment_intent.payment_failed", {}, "pending"),
        (CHECKOUT, "payment_intent.canceled", {}, "pending"),
        (CHECKOUT, "charge.succeeded", {}, "paid"),
        (CHECKOUT, "charge.failed", {}, "pending"),
        (INTENT, "payment_intent.succeeded", {}, "paid"),
        (INTENT, "payment_intent.payment_failed", {}, "failed"),
        (INTENT, "payment_intent.canceled", {}, "canceled"),
        (INTENT, "payment_intent.processing", {}, "pending"),
        (INTENT, "charge.succeeded", {}, "paid"),
        (INTENT, "checkout.session.expired", {}, "pending"),
    ],
)
def test_what_each_event_makes_of_a_gift(organisation, flow, type_, more, status):
    gift = DonationFactory(organisation=organisation, flow=flow)

    told = tell(type_, {"metadata": {"donation_id": gift.id}, **more})

    gift.refresh_from_db()
    assert (told.status, gift.status) == ("done", status)
    assert (gift.paid_at is not None) == (status == "paid")
    assert (gift.ended_at is not None) == (status not in {"paid", "pending"})
    if gift.paid_at or gift.ended_at:
        assert told.occurred_at == (gift.paid_at or gift.ended_at)


@pytest.mark.usefixtures("stripe_account")
@pytest.mark.parametrize("is_authorised_first", [True, False])
@pytest.mark.parametrize(
    ("flow", "type_"),
    [(INTENT, "payment_intent.payment_failed"), (CHECKOUT, "checkout.session.expired")],
)
def test_what_another_card_or_page_came_to_does_not_end_an_authorised_gift(
    organisation, flow, type_, is_authorised_first
):
    gift = DonationFactory(organisation=organisation, flow=flow, authorise_only=True)
    thing = {"metadata": {"donation_id": gift.id}}
    authorised = "charge.succeeded", {**thing, "captured": False, "payment_intent": "pi_1"}
    told = [authorised, (type_, thing)]

    for name, each in told if is_authorised_first else told[::-1]:
        assert tell(name, each).status == "done"

    gift.refresh_from_db()
    assert (gift.status, gift.held_as) == ("held", "capture")
    assert (gift.ended_at, gift.ended_as) == (None, "")
    assert Hold.objects.get().status == "open"


@pytest.mark.usefixtures("stripe_account")
@pytest.mark.parametrize("is_authorised_first", [True, False])
def test_a_card_that_was_let_go_is_not_held_in_whatever_order(organisation, is_authorised_first):
    gift = DonationFactory(organisation=organisation, flow=INTENT, authorise_only=True)
    thing = {"metadata": {"donation_id": gift.id}}
    authorised = "charge.succeeded", {**thing, "captured": False, "payment_intent": "pi_1"}
    told = [authorised, ("payment_intent.canceled", {**thing, "id": "pi_1"})]

    for name, each in told if is_authorised_first else told[::-1]:
        tell(name, each)

    gift.refresh_from_db()
    assert (gift.status, gift.held_as) == ("canceled", "")
    assert not Hold.objects.under_way().exists()


@pytest.mark.parametrize(
    ("type_", "thing"),
    [
        ("checkout.session.completed", {"payment_status": "paid", "customer_details": DONOR}),
        ("checkout.session.async_payment_succeeded", {"customer_details": DONOR}),
        ("charge.succeeded", {"billing_details": DONOR}),
    ],
)
def test_the_donor_is_known_from_the_payment(stripe_account, organisation, type_, thing):
    unnamed = DonationFactory(organisation=organisation)
    named = DonationFactory(organisation=organisation, donor_email="a@example.org", donor_name="A")
    for gift in (unnamed, named):
        tell(type_, {"client_reference_id": gift.id, **thing})

    unnamed.refresh_from_db()
    named.refresh_from_db()

    assert (unnamed.donor_email, unnamed.donor_name) == ("zoe@example.org", "Zoë Müller")
    assert (named.donor_email, named.donor_name) == ("a@example.org", "A")


@pytest.mark.parametrize("donor", [None, {}, {"email": None, "name": None}])
def test_a_donor_may_stay_unknown(stripe_account, organisation, donor):
    gift = DonationFactory(organisation=organisation)

    tell("charge.succeeded", {"metadata": {"donation_id": gift.id}, "billing_details": donor})

    gift.refresh_from_db()
    assert (gift.status, gift.donor_email, gift.donor_name) == ("paid", "", "")


def test_names_longer_than_we_keep_are_cut(stripe_account, organisation):
    gift = DonationFactory(organisation=organisation)
    donor = {"email": f"{'e' * 400}@example.org", "name": "Zoë " * 100}

    tell("charge.succeeded", {"metadata": {"donation_id": gift.id}, "billing_details": donor})

    gift.refresh_from_db()
    assert (len(gift.donor_email), len(gift.donor_name)) == (254, 120)


def test_declined_cards_of_an_organisations_own_shop_count_as_tries(stripe_account, organisation):
    order = "5f6dbeb6-6cf9-4a5a-8f0e-6f5bb1a1a5c1"

    tell("charge.failed", {"id": "ch_1", "metadata": {"donation_id": order}})

    attempt = Attempt.objects.get()
    assert (attempt.kind, attempt.reference, attempt.gift) == ("declined", "ch_1", "")


@pytest.mark.parametrize("type_", ["charge.succeeded", "charge.failed", "checkout.session.expired"])
def test_a_gift_that_is_not_the_accounts_own_is_left_alone(stripe_account, type_):
    theirs = DonationFactory(organisation=OrganisationFactory(stripe_account="acct_2"))
    for name in (theirs.id, "don_unknown", "0" * 500, "", None, 5, {"a": 1}):
        told = tell(type_, {"metadata": {"donation_id": name}})
        assert (told.status, told.note) == ("done", "")

    theirs.refresh_from_db()

    assert (theirs.status, theirs.paid_at, theirs.ended_at) == ("pending", None, None)


@pytest.mark.parametrize("metadata", [{}, None])
def test_an_event_may_name_no_gift(stripe_account, metadata):
    assert tell("payment_intent.succeeded", {"metadata": metadata}).status == "done"
