"""A gift's life: facts come in any order, and add up to the same."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from donations.errors import GiftDiffers
from donations.models import Donation
from donations.services import gifts as services
from donations.services.gifts import ChargeFacts, Payment
from tests.factories import DonationFactory, OrganisationFactory, gift_entries

pytestmark = pytest.mark.django_db
INTENT, CHECKOUT = Donation.Flow.PAYMENT_INTENT, Donation.Flow.CHECKOUT
NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)


def mark_paid(organisation, donation_id, paid_at):
    services.mark_paid(organisation=organisation, payments=[Payment(donation_id, paid_at)])


PAID = mark_paid, {"paid_at": NOON}
LATER = mark_paid, {"paid_at": NOON + timedelta(hours=1)}
FACTS = [PAID, LATER] + [
    (
        services.mark_ended,
        {"flow": flow, "ended_as": ended_as, "ended_at": NOON + timedelta(minutes=minutes)},
    )
    for flow, ended_as, minutes in [
        (INTENT, "failed", 1),
        (INTENT, "failed", 3),
        (INTENT, "canceled", 3),
        (CHECKOUT, "expired", 2),
        (CHECKOUT, "failed", 4),
    ]
]
REFUND = services.add_refund
DISPUTE = services.add_dispute


@pytest.fixture
def organisation():
    return OrganisationFactory()


def facts_of(donation):
    donation.refresh_from_db()
    return donation.status, donation.paid_at, donation.ended_at, donation.ended_as


def tell(donation, facts):
    for service, values in facts:
        service(organisation=donation.organisation, donation_id=donation.id, **values)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    flow=st.sampled_from([INTENT, CHECKOUT]),
    orders=st.lists(st.sampled_from(FACTS), max_size=7).flatmap(
        lambda facts: st.tuples(st.just(facts), st.permutations(facts + facts))
    ),
)
def test_facts_add_up_to_the_same_in_any_order_and_doubled(organisation, flow, orders):
    told = [DonationFactory(organisation=organisation, flow=flow) for _ in orders]

    for donation, facts in zip(told, orders, strict=True):
        tell(donation, facts)

    assert facts_of(told[0]) == facts_of(told[1])


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    early=st.lists(st.sampled_from(FACTS), max_size=3),
    late=st.lists(st.sampled_from(FACTS), max_size=3),
)
def test_what_is_settled_stays_settled(organisation, early, late):
    donation = DonationFactory(organisation=organisation)
    before = organisation.books.get().size
    tell(donation, early)
    [entry] = gift_entries(organisation, first=before, occurred_at=NOON)
    donation.refresh_from_db()

    services.settle(donation=donation, entry=entry)
    tell(donation, late)

    donation.refresh_from_db()
    assert (donation.status, donation.sequence) == ("settled", entry.sequence)
    assert donation.paid_at == NOON


@pytest.mark.parametrize(
    ("moves", "status"),
    [
        ([], "settled"),
        ([(REFUND, 1)], "partially_refunded"),
        ([(REFUND, 4999)], "partially_refunded"),
        ([(REFUND, 5000)], "refunded"),
        ([(REFUND, 2000), (REFUND, 3000)], "refunded"),
        ([(REFUND, 2000), (REFUND, -2000)], "settled"),
        ([(DISPUTE, 5000)], "disputed"),
        ([(DISPUTE, 1), (REFUND, 4999)], "disputed"),
        ([(DISPUTE, 5000), (DISPUTE, -5000)], "settled"),
        ([(REFUND, 1000), (DISPUTE, 4000), (DISPUTE, -4000)], "partially_refunded"),
    ],
)
def test_what_becomes_of_a_settled_gift(organisation, moves, status):
    donation = DonationFactory(organisation=organisation)
    [entry] = gift_entries(organisation)
    services.settle(donation=donation, entry=entry)

    for service, amount in moves:
        service(organisation=organisation, donation_id=donation.id, amount=amount)

    donation.refresh_from_db()
    assert donation.status == status


def test_a_gift_of_others_is_left_alone(organisation):
    theirs = DonationFactory()

    for service, values in [*FACTS, (REFUND, {"amount": 1}), (DISPUTE, {"amount": 1})]:
        service(organisation=organisation, donation_id=theirs.id, **values)

    theirs.refresh_from_db()
    assert (theirs.status, theirs.refunded_amount, theirs.disputed_amount) == ("pending", 0, 0)


def test_several_payments_are_told_at_once_and_some_twice(organisation):
    first, second = DonationFactory.create_batch(2, organisation=organisation)
    payments = [
        Payment(first.id, NOON + timedelta(hours=1), donor_email="ann@example.org"),
        Payment(DonationFactory().id, NOON),
        Payment(second.id, NOON),
        Payment(first.id, NOON, donor_email="zoe@example.org", donor_name="Zoe"),
        Payment("don_unknown", NOON),
    ]

    for told in (payments, payments[::-1]):
        services.mark_paid(organisation=organisation, payments=told)

    paid = Donation.objects.filter(paid_at=NOON, status="paid").order_by("donor_email")
    known = list(paid.values_list("id", "donor_email", "donor_name"))
    assert known == [(second.id, "", ""), (first.id, "ann@example.org", "Zoe")]


def test_what_was_told_already_writes_nothing(organisation, django_assert_num_queries):
    donation = DonationFactory(organisation=organisation)
    told = {"organisation": organisation, "payments": [Payment(donation.id, NOON)]}
    services.mark_paid(**told)

    with django_assert_num_queries(3) as queries:  # a savepoint, one question, its release
        services.mark_paid(**told)

    assert not [query for query in queries if 'UPDATE "' in query["sql"]]


def test_a_charge_pays_the_gift_it_names(organisation):
    donation = DonationFactory(organisation=organisation)

    services.check_charge(donation, ChargeFacts(5000, "EUR"))
    for amount, currency in [(4999, "EUR"), (5001, "EUR"), (5000, "USD")]:
        with pytest.raises(GiftDiffers):
            services.check_charge(donation, ChargeFacts(amount, currency))
    [entry] = gift_entries(organisation)
    services.settle(donation=donation, entry=entry)
    with pytest.raises(GiftDiffers):
        services.check_charge(donation, ChargeFacts(5000, "EUR"))


def test_gifts_of_others_and_of_nobody_are_not_locked(organisation):
    own = DonationFactory(organisation=organisation)

    locked = services.lock_gifts(organisation, [own.id, DonationFactory().id, "don_unknown", ""])

    assert locked == {own.id: own}
