"""Rules about an organisation's account: below, at and above their limits."""

from datetime import timedelta

import pytest

from reviews.models import Screening
from tests.factories import OrganisationFactory
from tests.reviews.screening import (
    NOT_RUN,
    NOW,
    PASSED,
    REVIEWED,
    TICK,
    came_out,
    found_of_account,
)

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("settled", "disputed", "warned", "outcome", "is_held"),
    [
        (1000, 4, 0, PASSED, False),
        (1000, 5, 0, REVIEWED, False),
        (1000, 2, 3, REVIEWED, False),
        (1000, 0, 5, REVIEWED, False),
        (1001, 5, 0, PASSED, False),
        (1000, 8, 0, REVIEWED, False),
        (1000, 9, 0, REVIEWED, True),
        (1000, 4, 5, REVIEWED, True),
        (1001, 9, 0, REVIEWED, False),
        (1000, 10, 0, REVIEWED, True),
        (0, 0, 0, PASSED, False),
    ],
)
def test_disputes_and_warnings_are_looked_at_and_then_stop_payouts(
    settled, disputed, warned, outcome, is_held
):
    result, holds = found_of_account(
        "troubled_gifts", OrganisationFactory(), settled=settled, disputed=disputed, warned=warned
    )

    assert (came_out(result), holds) == (outcome, is_held)
    assert (result["evidence"]["disputed"], result["evidence"]["warned"]) == (disputed, warned)


@pytest.mark.parametrize(
    ("settled", "disputed", "outcome", "is_held", "counted_as"),
    [
        (3, 1, REVIEWED, False, 200),
        (3, 2, REVIEWED, True, 200),
        (199, 1, REVIEWED, False, 200),
        (200, 1, REVIEWED, False, 200),
        (201, 1, PASSED, False, 201),
        (222, 2, REVIEWED, True, 222),
        (223, 2, REVIEWED, False, 223),
    ],
)
def test_one_dispute_of_few_gifts_stops_no_payouts_and_two_do(
    settled, disputed, outcome, is_held, counted_as
):
    result, holds = found_of_account(
        "troubled_gifts", OrganisationFactory(), settled=settled, disputed=disputed
    )

    assert (came_out(result), holds) == (outcome, is_held)
    assert result["evidence"]["counted_as"] == counted_as


@pytest.mark.parametrize(
    ("age", "outcome"), [(0 * HOUR, REVIEWED), (72 * HOUR - TICK, REVIEWED), (72 * HOUR, PASSED)]
)
def test_new_bank_details_stop_payouts_for_three_days(age, outcome):
    result, holds = found_of_account(
        "bank_changed", OrganisationFactory(), bank_changed_at=NOW - age
    )

    assert (came_out(result), holds) == (outcome, outcome == REVIEWED)
    assert result["evidence"] == {
        "changed_at": (NOW - age).isoformat(timespec="microseconds"),
        "age_in_hours": age // HOUR,
        "age_in_hours_limit": 72,
    }


def test_bank_details_that_never_changed_stop_nothing():
    result, holds = found_of_account("bank_changed", OrganisationFactory())

    assert (came_out(result), holds) == (PASSED, False)


@pytest.mark.parametrize(("others", "outcome"), [(0, PASSED), (1, REVIEWED), (2, REVIEWED)])
def test_a_bank_account_of_two_organisations_stops_payouts(others, outcome):
    result, holds = found_of_account("bank_shared", OrganisationFactory(), bank_shared_with=others)

    assert (came_out(result), holds) == (outcome, others > 0)
    assert result["evidence"] == {"others_paid_there": others}


@pytest.mark.parametrize("rule", ["bank_changed", "bank_shared"])
def test_where_stripe_does_not_tell_the_bank_no_rule_of_it_runs(rule):
    result, holds = found_of_account(
        rule, OrganisationFactory(), bank_shared_with=None, bank_changed_at=NOW
    )

    assert (came_out(result), holds) == (NOT_RUN, False)
    assert result["evidence"] == {"why": "Stripe does not tell where its payouts go."}


def test_an_account_is_screened_by_the_rules_of_accounts_alone():
    organisation = OrganisationFactory()

    found_of_account("bank_shared", organisation)

    kept = Screening.objects.get()
    assert (kept.occasion, kept.subject) == ("account", organisation.pk)
    assert [result["rule"] for result in kept.results] == [
        "troubled_gifts",
        "bank_changed",
        "bank_shared",
    ]
