"""Rules that count tries and declines: below, at and above their limits, inside and outside."""

from datetime import timedelta

import pytest

from tests.factories import OrganisationFactory
from tests.reviews.screening import (
    BLOCKED,
    CHALLENGED,
    NOT_RUN,
    NOW,
    PASSED,
    TICK,
    came_out,
    declined,
    found,
    gift_of,
    keys,
    paid,
    promised,
)

pytestmark = pytest.mark.django_db
HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
ANN = {"address": "192.88.99.1", "session": "browser", "email": "ann@example.org"}


@pytest.fixture
def organisation():
    return OrganisationFactory()


# Pace


PACES = [("address_pace", "address", 5), ("email_pace", "email", 10), ("donor_pace", "email", 2)]


@pytest.mark.parametrize(("rule", "trait", "limit"), PACES)
def test_as_many_tries_as_the_limit_pass_and_the_next_is_one_too_many(
    organisation, rule, trait, limit
):
    who = {trait: ANN[trait]}
    for _ in range(limit - 1):
        promised(organisation, **who)

    allowed = found(rule, promised(organisation, **who))
    one_too_many = found(rule, promised(organisation, **who))

    assert came_out(allowed) == PASSED
    assert allowed["evidence"] == {"tries": limit, "limit": limit, "minutes": 60}
    assert came_out(one_too_many) == CHALLENGED
    assert one_too_many["evidence"]["tries"] == limit + 1


@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize(("age", "outcome"), [(HOUR - TICK, CHALLENGED), (HOUR, PASSED)])
def test_tries_of_an_hour_ago_are_forgotten(organisation, pace, age, outcome):
    rule, trait, limit = pace
    who = {trait: ANN[trait]}
    for _ in range(limit):
        promised(organisation, at=NOW - age, **who)

    assert came_out(found(rule, promised(organisation, **who))) == outcome


@pytest.mark.parametrize(("rule", "trait", "limit"), PACES)
def test_what_is_declined_or_paid_is_no_further_try(organisation, rule, trait, limit):
    who = {trait: ANN[trait]}
    for _ in range(limit):
        declined(organisation, at=NOW - MINUTE, **who)
        paid(organisation, at=NOW - MINUTE, **who)

    # Each of these was promised once, and this one as well.
    tries = found(rule, promised(organisation, **who))["evidence"]["tries"]
    assert tries == 2 * limit + 1


@pytest.mark.parametrize(("rule", "outcome"), [("email_pace", CHALLENGED), ("donor_pace", PASSED)])
def test_tries_elsewhere_count_for_the_address_and_not_for_the_donor_here(
    organisation, rule, outcome
):
    elsewhere = OrganisationFactory()
    for _ in range(10):
        promised(elsewhere, email="ann@example.org")

    assert came_out(found(rule, promised(organisation, email="ann@example.org"))) == outcome


@pytest.mark.parametrize(("rule", "trait", "limit"), PACES)
def test_who_is_not_known_has_no_pace(organisation, rule, trait, limit):
    result = found(rule, promised(organisation))

    assert came_out(result) == NOT_RUN
    assert result["evidence"] == {"why": f"The {trait} is not known."}


def test_traits_are_told_apart_by_kind(organisation):
    for _ in range(5):
        promised(organisation, session="192.88.99.1")

    assert came_out(found("address_pace", promised(organisation, address="192.88.99.1"))) == PASSED


# Declines one after the other


@pytest.mark.parametrize("trait", ANN)
@pytest.mark.parametrize(("declines", "outcome"), [(4, PASSED), (5, BLOCKED), (6, BLOCKED)])
def test_five_declines_block_whoever_had_them(organisation, trait, declines, outcome):
    for _ in range(declines):
        declined(OrganisationFactory(), **{trait: ANN[trait]})

    result = found("declined_cards", gift_of(organisation, traits=keys(**ANN)))

    assert came_out(result) == outcome
    assert result["evidence"]["declines"] == declines
    assert result["evidence"].get("by") == (trait if outcome == BLOCKED else None)


@pytest.mark.parametrize(("age", "outcome"), [(10 * MINUTE - TICK, BLOCKED), (10 * MINUTE, PASSED)])
def test_declines_are_forgotten_after_ten_minutes(organisation, age, outcome):
    for _ in range(5):
        declined(organisation, at=NOW - age, **ANN)

    result = found("declined_cards", gift_of(organisation, traits=keys(**ANN)))

    assert came_out(result) == outcome
    assert result["evidence"]["limit"] == 5


def test_declines_of_one_place_are_not_added_to_those_of_another(organisation):
    for _ in range(3):
        declined(organisation, address="192.88.99.1")
        declined(organisation, email="ann@example.org")

    result = found("declined_cards", gift_of(organisation, traits=keys(**ANN)))

    assert came_out(result) == PASSED


def test_tries_and_payments_are_no_declines(organisation):
    for _ in range(6):
        paid(organisation, **ANN)

    result = found("declined_cards", gift_of(organisation, traits=keys(**ANN)))

    assert came_out(result) == PASSED
    assert came_out(found("declined_cards", gift_of(organisation))) == NOT_RUN


# A rush


@pytest.mark.parametrize(("declines", "outcome"), [(9, PASSED), (10, CHALLENGED), (11, CHALLENGED)])
def test_ten_declines_in_a_minute_are_a_rush(organisation, declines, outcome):
    for number in range(declines):
        declined(organisation, at=NOW - MINUTE + TICK, address=f"192.88.99.{number}")

    assert came_out(found("organisation_rush", promised(organisation))) == outcome


@pytest.mark.parametrize(("others", "outcome"), [(28, PASSED), (29, CHALLENGED), (30, CHALLENGED)])
def test_thirty_tries_in_a_minute_are_a_rush_this_one_among_them(organisation, others, outcome):
    for number in range(others):
        promised(organisation, at=NOW - MINUTE + TICK, address=f"192.88.99.{number}")

    result = found("organisation_rush", promised(organisation, session="browser"))

    assert came_out(result) == outcome
    assert (result["evidence"]["attempts"], result["evidence"]["declines"]) == (others + 1, 0)


def test_a_rush_is_over_after_a_minute(organisation):
    for _ in range(30):
        promised(organisation, at=NOW - MINUTE)
        declined(organisation, at=NOW - MINUTE)

    assert came_out(found("organisation_rush", promised(organisation))) == PASSED


def test_what_programs_promise_is_no_rush_and_what_banks_decline_for_them_is(organisation):
    for _ in range(30):
        promised(organisation)
    assert came_out(found("organisation_rush", promised(organisation))) == PASSED

    for _ in range(10):
        declined(organisation)
    assert came_out(found("organisation_rush", promised(organisation))) == CHALLENGED


def test_gifts_that_are_paid_are_no_further_tries(organisation):
    for number in range(20):
        paid(organisation, session=f"browser {number}")

    result = found("organisation_rush", promised(organisation, session="browser"))

    assert (came_out(result), result["evidence"]["attempts"]) == (PASSED, 21)


def test_a_rush_elsewhere_is_not_here(organisation):
    elsewhere = OrganisationFactory()
    for _ in range(30):
        promised(elsewhere)

    assert came_out(found("organisation_rush", promised(organisation))) == PASSED


# A series of failing cards


def series(organisation, failed, cards, of=10, *, at=NOW - HOUR, **who):
    for number in range(of):
        pay = declined if number < failed else paid
        pay(organisation, at=at, card=f"card {min(number, cards - 1)}", **who)


@pytest.mark.parametrize("trait", ["address", "email"])
@pytest.mark.parametrize(
    ("made", "outcome"),
    [
        ((9, 9, 9), PASSED),
        ((10, 10, 10), BLOCKED),
        ((11, 11, 11), BLOCKED),
        ((10, 7, 10), PASSED),
        ((10, 8, 10), BLOCKED),
        ((10, 9, 10), BLOCKED),
        ((29, 23, 29), PASSED),
        ((10, 10, 7), PASSED),
        ((29, 29, 23), PASSED),
        ((10, 10, 8), BLOCKED),
        ((10, 10, 9), BLOCKED),
    ],
)
def test_a_series_of_different_cards_that_fail_blocks(organisation, trait, made, outcome):
    of, failed, cards = made
    series(organisation, failed, cards, of, **{trait: ANN[trait]})

    result = found("card_series", gift_of(organisation, traits=keys(**ANN)))

    assert came_out(result) == outcome
    expected = {"payments": of, "failed": failed, "cards": cards, "limit": 10, "days": 5}
    blocked_by = {"by": trait} if outcome == BLOCKED else {}
    assert result["evidence"] == {**expected, **blocked_by}


@pytest.mark.parametrize(("age", "outcome"), [(5 * DAY - TICK, BLOCKED), (5 * DAY, PASSED)])
def test_a_series_is_forgotten_after_five_days(organisation, age, outcome):
    series(organisation, 10, 10, at=NOW - age, **ANN)

    result = found("card_series", gift_of(organisation, traits=keys(**ANN)))

    assert came_out(result) == outcome


def test_who_is_not_known_has_no_series(organisation):
    gift = gift_of(organisation, traits=keys(session="browser"))

    assert came_out(found("card_series", gift)) == NOT_RUN
