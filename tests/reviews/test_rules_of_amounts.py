"""Rules about amounts: below, at and above their limits, inside and outside, per currency."""

from datetime import timedelta

import pytest
from django.utils import timezone

from organisations.models import Organisation
from reviews.models import RuleVersion, Screening
from reviews.services.versions import activate, propose
from tests.factories import OrganisationFactory, UserFactory, gift_entries
from tests.reviews.screening import (
    NOT_RUN,
    NOW,
    PASSED,
    REVIEWED,
    TICK,
    came_out,
    found,
    found_settled,
    gift_of,
    holds,
    keys,
    paid,
)

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
ANN = {"email": "ann@example.org"}


@pytest.fixture
def organisation():
    return OrganisationFactory()


def soon():
    """Return a moment after everything that is in the ledger: entries are written now."""
    return timezone.now() + timedelta(seconds=1)


def of_age(organisation, age, at):
    """Let an organisation be public for so long at a moment."""
    Organisation.objects.filter(pk=organisation.pk).update(decided_at=at - age)
    organisation.refresh_from_db()


def in_force(rule, parameters, organisation=None):
    """Have parameters put in force by two people."""
    version = propose(
        rule=rule,
        organisation=organisation,
        parameters=parameters,
        mode=RuleVersion.Mode.ACTIVE,
        reason="Our gifts are others.",
        by=UserFactory(),
    )
    RuleVersion.objects.filter(pk=version.pk).update(backtest={})
    return activate(version=version, by=UserFactory())


# Far more than is usual


@pytest.mark.parametrize("occasion", ["promise", "settlement"])
@pytest.mark.parametrize(
    ("amount", "outcome"), [(50000, PASSED), (50001, REVIEWED), (49999, PASSED)]
)
def test_more_than_ten_times_the_median_is_reviewed(organisation, occasion, amount, outcome):
    gift_entries(organisation, 30)

    gift = gift_of(organisation, amount, at=soon())
    result = found("unusual_amount", gift, Screening.Occasion(occasion))

    assert came_out(result) == outcome
    assert result["evidence"]["least_amount"] == 50000
    if amount >= 50000:
        assert result["evidence"]["median_amount"] == 5000
        assert result["evidence"]["limit_amount"] == 50000


@pytest.mark.parametrize(("amount", "outcome"), [(49999, PASSED), (50000, REVIEWED)])
def test_what_is_small_is_never_unusual(organisation, amount, outcome):
    gift_entries(organisation, 30, amount=100)

    assert came_out(found("unusual_amount", gift_of(organisation, amount, at=soon()))) == outcome


@pytest.mark.parametrize(("gifts", "outcome"), [(29, NOT_RUN), (30, REVIEWED), (31, REVIEWED)])
def test_the_median_is_one_of_thirty_gifts_this_one_not_counted(organisation, gifts, outcome):
    gift = gift_of(organisation, 60000, at=soon())
    gift_entries(organisation, gifts, metadata={"donation": "don_other"})
    gift_entries(organisation, first=90, metadata={"donation": gift.id})
    gift_entries(organisation, 5, first=200, currency="USD")

    assert came_out(found_settled("unusual_amount", gift)) == outcome


def test_the_median_is_the_middle_one_and_of_what_was_there_at_the_time(organisation):
    for number, amount in enumerate([1000] * 16 + [9000] * 15):
        gift_entries(organisation, first=number, amount=amount)

    result = found("unusual_amount", gift_of(organisation, 60000, at=soon()))
    before = found("unusual_amount", gift_of(organisation, 60000, at=timezone.now() - DAY))

    assert result["evidence"]["median_amount"] == 1000
    assert came_out(before) == NOT_RUN


LEAST = [
    # A currency without decimals counts a hundred of its units as one.
    ("JPY", 49999, 50000),
    ("KWD", 499999, 500000),
    ("USD", 49999, 50000),
]


@pytest.mark.parametrize(("currency", "below", "at"), LEAST)
def test_currencies_have_their_own_small_amounts(organisation, currency, below, at):
    gift_entries(organisation, 30, amount=10, currency=currency)
    moment = soon()

    outcomes = [
        came_out(found("unusual_amount", gift_of(organisation, amount, currency, at=moment)))
        for amount in (below, at)
    ]

    assert outcomes == [PASSED, REVIEWED]


def test_an_amount_can_be_set_for_a_currency(organisation):
    gift_entries(organisation, 30, amount=10, currency="JPY")
    in_force("unusual_amount", {"least": {"*": 500, "JPY": 70000}}, organisation)
    moment = soon()

    outcomes = [
        came_out(found("unusual_amount", gift_of(organisation, amount, "JPY", at=moment)))
        for amount in (69999, 70000)
    ]

    assert outcomes == [PASSED, REVIEWED]


# A large first gift


@pytest.mark.parametrize("occasion", ["promise", "settlement"])
@pytest.mark.parametrize(
    ("currency", "amount", "outcome"),
    [
        ("EUR", 99999, PASSED),
        ("EUR", 100000, REVIEWED),
        ("EUR", 100001, REVIEWED),
        ("JPY", 99999, PASSED),
        ("JPY", 100000, REVIEWED),
        ("KWD", 999999, PASSED),
        ("KWD", 1000000, REVIEWED),
    ],
)
def test_a_first_gift_of_a_thousand_to_a_new_organisation_is_held(
    organisation, occasion, currency, amount, outcome
):
    gift = gift_of(organisation, amount, currency, at=soon(), traits=keys(**ANN))

    result = found("first_gift", gift, Screening.Occasion(occasion))

    assert came_out(result) == outcome
    assert holds(gift) == (outcome == REVIEWED)


@pytest.mark.parametrize(
    ("age", "gifts", "outcome"),
    [
        (30 * DAY, 10, PASSED),
        (30 * DAY - TICK, 10, REVIEWED),
        (30 * DAY, 9, REVIEWED),
        (30 * DAY + TICK, 11, PASSED),
        (29 * DAY, 11, REVIEWED),
    ],
)
def test_an_organisation_is_new_for_thirty_days_and_ten_gifts(organisation, age, gifts, outcome):
    gift = gift_of(organisation, 100000, at=soon(), traits=keys(**ANN))
    of_age(organisation, age, gift.at)
    gift_entries(organisation, gifts - 1)
    gift_entries(organisation, first=50, currency="USD")
    gift_entries(organisation, first=51, amount=100000, metadata={"donation": gift.id})

    result = found_settled("first_gift", gift)

    assert came_out(result) == outcome
    assert result["evidence"]["settled"] == min(gifts, 10)
    assert (result["evidence"]["days"], result["evidence"]["days_limit"]) == (age.days, 30)


def test_an_organisation_that_nobody_decided_on_is_new(organisation):
    gift = gift_of(organisation, 100000, at=soon())
    gift_entries(organisation, 10)
    Organisation.objects.filter(pk=organisation.pk).update(
        status=Organisation.Status.DRAFT, decided_at=None
    )
    organisation.refresh_from_db()

    assert came_out(found("first_gift", gift)) == REVIEWED


@pytest.mark.parametrize("trait", ["email", "card"])
def test_who_gave_here_before_is_known(organisation, trait):
    gift = gift_of(organisation, 100000, traits=keys(**{trait: "ann's"}))
    paid(organisation, gift=gift.id, **{trait: "ann's"})
    paid(OrganisationFactory(), **{trait: "ann's"})
    first = found_settled("first_gift", gift)
    paid(organisation, at=NOW - 90 * DAY, amount=1, **{trait: "ann's"})

    second = found_settled("first_gift", gift)

    assert (came_out(first), first["evidence"]["earlier"]) == (REVIEWED, 0)
    assert (came_out(second), second["evidence"]["earlier"]) == (PASSED, 1)


# Just below a limit


def below(organisation, count, amount=90000, at=NOW, currency="EUR", **traits):
    for _ in range(count):
        paid(organisation, at=at, amount=amount, currency=currency, **traits)


@pytest.mark.parametrize("trait", ["email", "card"])
@pytest.mark.parametrize(("others", "outcome"), [(1, PASSED), (2, REVIEWED), (3, REVIEWED)])
@pytest.mark.parametrize("is_written_down", [True, False])
def test_three_gifts_just_below_a_limit_are_reviewed(
    organisation, trait, others, outcome, is_written_down
):
    gift = gift_of(organisation, 90000, traits=keys(**{trait: "ann's"}))
    below(organisation, others, **{trait: "ann's"})
    below(OrganisationFactory(), 3, **{trait: "ann's"})
    if is_written_down:
        paid(organisation, gift=gift.id, amount=90000, **{trait: "ann's"})

    result = found_settled("just_below", gift)

    assert came_out(result) == outcome
    assert result["evidence"]["gifts"] == others + 1


RANGES = [
    ("EUR", 79999, PASSED),
    ("EUR", 80000, REVIEWED),
    ("EUR", 100000, REVIEWED),
    ("EUR", 100001, PASSED),
    ("JPY", 79999, PASSED),
    ("JPY", 80000, REVIEWED),
    ("KWD", 799999, PASSED),
    ("KWD", 1000000, REVIEWED),
    ("KWD", 1000001, PASSED),
]


@pytest.mark.parametrize(("currency", "amount", "outcome"), RANGES)
def test_only_gifts_from_80_to_100_percent_are_just_below(organisation, currency, amount, outcome):
    within = {"EUR": 90000, "JPY": 90000, "KWD": 900000}[currency]
    below(organisation, 1, amount, currency=currency, **ANN)
    below(organisation, 1, within, currency=currency, **ANN)
    gift = gift_of(organisation, within, currency, traits=keys(**ANN))

    by_another = found_settled("just_below", gift)
    below(organisation, 1, within, currency=currency, **ANN)
    by_itself = found_settled(
        "just_below", gift_of(organisation, amount, currency, traits=keys(**ANN))
    )

    assert came_out(by_another) == outcome
    assert came_out(by_itself) == outcome


def test_a_part_of_a_minor_unit_is_below_the_range(organisation):
    in_force("just_below", {"percent": 33, "limit": {"*": 1}}, organisation)
    below(organisation, 2, 34, currency="KWD", **ANN)
    below(organisation, 2, 330, currency="KWD", **ANN)

    gift = gift_of(organisation, 330, "KWD", traits=keys(**ANN))

    assert found_settled("just_below", gift)["evidence"]["least_amount"] == 330
    in_force("just_below", {"percent": 33, "limit": {"*": 1, "JPY": 10}}, organisation)
    gift = gift_of(organisation, 4, "JPY", traits=keys(**ANN))
    assert found_settled("just_below", gift)["evidence"]["least_amount"] == 4


@pytest.mark.parametrize(("age", "outcome"), [(7 * DAY - TICK, REVIEWED), (7 * DAY, PASSED)])
def test_gifts_of_last_week_are_forgotten(organisation, age, outcome):
    below(organisation, 2, at=NOW - age, **ANN)
    gift = gift_of(organisation, 90000, traits=keys(**ANN))

    assert came_out(found_settled("just_below", gift)) == outcome


def test_gifts_in_other_currencies_and_of_nobody_are_not_just_below(organisation):
    below(organisation, 3, currency="USD", **ANN)
    below(organisation, 3)

    known = found_settled("just_below", gift_of(organisation, 90000, traits=keys(**ANN)))
    unknown = found_settled("just_below", gift_of(organisation, 90000))

    assert (came_out(known), came_out(unknown)) == (PASSED, NOT_RUN)


# Asked back soon


def asked_back(organisation, amount=25000, currency="EUR", age=DAY):
    gift = gift_of(organisation, amount, currency, paid_at=NOW - age)
    return found("soon_refunded", gift, Screening.Occasion.REFUND)


@pytest.mark.parametrize(
    ("currency", "amount", "outcome"),
    [
        ("EUR", 24999, PASSED),
        ("EUR", 25000, REVIEWED),
        ("EUR", 25001, REVIEWED),
        ("JPY", 24999, PASSED),
        ("JPY", 25000, REVIEWED),
        ("KWD", 249999, PASSED),
        ("KWD", 250000, REVIEWED),
    ],
)
def test_a_large_gift_that_is_asked_back_is_reviewed(organisation, currency, amount, outcome):
    assert came_out(asked_back(organisation, amount, currency)) == outcome


@pytest.mark.parametrize(
    ("age", "outcome"), [(7 * DAY - TICK, REVIEWED), (7 * DAY, PASSED), (0 * DAY, REVIEWED)]
)
def test_a_week_later_it_is_usual(organisation, age, outcome):
    result = asked_back(organisation, age=age)

    assert came_out(result) == outcome
    assert (result["evidence"]["days"], result["evidence"]["days_limit"]) == (age.days, 7)


def test_without_the_day_it_was_paid_nobody_can_tell(organisation):
    result = found("soon_refunded", gift_of(organisation, 25000), Screening.Occasion.REFUND)

    assert came_out(result) == NOT_RUN
