"""The log of tries: what apps above tell, with who promised the gift, each once, and forgotten."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from reviews.models import Attempt
from reviews.services.attempts import (
    Payment,
    forget_traits,
    record_declined,
    record_paid,
    record_promised,
)
from tests.factories import OrganisationFactory
from tests.reviews.screening import NOW, gift_of, keys

pytestmark = pytest.mark.django_db
ANN = {"address": "192.0.43.8", "session": "browser", "email": "ann@example.org"}
RECORDED = [(record_declined, "declined"), (record_paid, "paid")]


@pytest.fixture
def organisation():
    return OrganisationFactory()


def promised(organisation, **who):
    gift = gift_of(organisation, traits=keys(**who))
    record_promised(gift=gift, reference=f"form-{gift.id}")
    return gift


def payment(gift, reference="ch_1", **fields):
    later = NOW + timedelta(minutes=5)
    return Payment(gift=gift, reference=reference, at=later, amount=5000, currency="EUR", **fields)


@pytest.mark.parametrize(("record", "kind"), RECORDED)
def test_a_payment_is_kept_with_who_promised_the_gift(organisation, record, kind):
    gift, card = promised(organisation, **ANN), keys(card="fingerprint", name="Ann")
    promised(organisation, address="192.0.43.9")

    paid_for = payment(gift.id, card=card.card, name=card.name, country="BE")
    record(organisation=organisation, payments=[paid_for])

    attempt = Attempt.objects.get(kind=kind)
    assert (attempt.organisation, attempt.gift, attempt.reference) == (
        organisation,
        gift.id,
        "ch_1",
    )
    assert (attempt.at, attempt.amount, attempt.currency) == (paid_for.at, 5000, "EUR")
    known = keys(**ANN)
    assert (attempt.address, attempt.session, attempt.email) == (
        known.address,
        known.session,
        known.email,
    )
    assert (attempt.card, attempt.name, attempt.country) == (card.card, card.name, "BE")


@pytest.mark.parametrize(("record", "kind"), RECORDED)
def test_the_address_that_stripe_tells_counts_before_the_promised_one(organisation, record, kind):
    gift, bob = promised(organisation, **ANN), keys(email="bob@example.org")

    record(organisation=organisation, payments=[payment(gift.id, email=bob.email)])

    assert Attempt.objects.get(kind=kind).email == bob.email


@pytest.mark.parametrize(("record", "kind"), RECORDED)
def test_of_a_gift_that_nobody_promised_here_only_the_card_is_known(organisation, record, kind):
    elsewhere = promised(OrganisationFactory(), **ANN)

    record(organisation=organisation, payments=[payment(elsewhere.id, card="c" * 32)])

    attempt = Attempt.objects.get(kind=kind)
    assert (attempt.address, attempt.session, attempt.email) == ("", "", "")
    assert attempt.card == "c" * 32


@pytest.mark.parametrize(("record", "kind"), RECORDED)
def test_many_are_kept_by_one_statement_and_each_once(organisation, record, kind):
    gifts = [promised(organisation, **ANN) for _ in range(3)]
    many = [payment(gift.id, f"ch_{number}") for number, gift in enumerate(gifts)]
    record(organisation=organisation, payments=many[:1])

    with CaptureQueriesContext(
        connection,
    ) as asked:
        record(organisation=organisation, payments=[*many, many[0]])

    statements = [query["sql"].split()[0] for query in asked.captured_queries]
    assert statements == ["SELECT", "INSERT"]
    assert Attempt.objects.filter(kind=kind).count() == 3


def test_nothing_is_kept_of_nothing(organisation):
    record_paid(organisation=organisation, payments=[])

    assert not Attempt.objects.exists()


def test_who_gave_is_forgotten_and_that_they_tried_is_not(organisation):
    gift, other = promised(organisation, **ANN), promised(organisation, **ANN)
    named = payment(gift.id, card="c" * 32, name="n" * 32, country="BE")
    record_paid(organisation=organisation, payments=[named])
    record_declined(organisation=organisation, payments=[named])

    forget_traits(organisation=OrganisationFactory(), gift=gift.id)
    assert not Attempt.objects.filter(email="").exists()
    forget_traits(organisation=organisation, gift=gift.id)

    forgotten = Attempt.objects.filter(gift=gift.id)
    traits = forgotten.values_list("address", "session", "email", "card", "name")
    assert list(traits) == [("",) * 5] * 3
    assert {attempt.kind for attempt in forgotten} == {"promised", "paid", "declined"}
    assert Attempt.objects.get(gift=other.id).email
    assert str(forgotten.get(kind="paid")) == f"paid {gift.id}"
