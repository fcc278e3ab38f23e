"""Rules about an organisation's account: below, at and above their limits."""

from datetime import timedelta

import pytest

from reviews.admin.facts import facts_of
from reviews.models import Screening
from reviews.rules.accounts import named_in
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


def gifts(number, first=0):
    return [f"don_{first + each}" for each in range(number)]


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
        "troubled_gifts",
        OrganisationFactory(),
        settled=settled,
        disputed=gifts(disputed),
        warned=gifts(warned, first=disputed),
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
        "troubled_gifts", OrganisationFactory(), settled=settled, disputed=gifts(disputed)
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


@pytest.mark.parametrize("others", [1, 2])
def test_a_bank_account_of_two_organisations_stops_payouts(others):
    ids = ["org_2", "org_1"][:others]

    result, holds = found_of_account("bank_shared", OrganisationFactory(), bank_shared_with=ids)

    assert (came_out(result), holds) == (REVIEWED, True)
    named = " ".join(ids)
    assert result["evidence"] == {"others_paid_there": others, "paid_there_too": named}


def test_a_bank_account_of_ones_own_stops_nothing():
    result, holds = found_of_account("bank_shared", OrganisationFactory(), bank_shared_with=[])

    assert (came_out(result), holds) == (PASSED, False)
    assert result["evidence"] == {"others_paid_there": 0}


def test_which_gifts_it_were_can_be_compared_and_not_read():
    one, _ = found_of_account("troubled_gifts", OrganisationFactory(), disputed=["don_1"])
    more, _ = found_of_account(
        "troubled_gifts", OrganisationFactory(), disputed=["don_2"], warned=["don_1"]
    )

    [known] = named_in(one["evidence"])
    assert len(known) == 10
    assert "don_1" not in str(one["evidence"])
    assert len(named_in(more["evidence"])) == 2
    assert known in named_in(more["evidence"])
    assert [name for name, _ in facts_of(one["evidence"]) if "keyed" in name] == []


def test_of_many_the_newest_are_named():
    many, _ = found_of_account("troubled_gifts", OrganisationFactory(), disputed=gifts(1000))
    newest, _ = found_of_account("troubled_gifts", OrganisationFactory(), disputed=gifts(30))
    ids = [f"org_01m8244579ensrbz44j4157j{number:02}" for number in range(100)]
    shared, _ = found_of_account("bank_shared", OrganisationFactory(), bank_shared_with=ids)

    assert named_in(many["evidence"]) == named_in(newest["evidence"])
    assert named_in(shared["evidence"]) == set(ids[:12])
    assert max(len(str(value)) for value in (many["evidence"] | shared["evidence"]).values()) < 400


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
