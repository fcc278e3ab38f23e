"""Versions of rules: proposed, run in the shadow, put in force by somebody else, withdrawn."""

from datetime import timedelta

import pytest
from django.utils import timezone

from organisations.models import Membership
from reviews.errors import (
    NotBacktested,
    OwnCase,
    ParametersUnusable,
    ReasonMissing,
    RuleUnknown,
    RuleVersionClosed,
    SecondPersonNeeded,
)
from reviews.models import Case, RuleVersion, Screening
from reviews.rules.register import RULES
from reviews.rules.rule import Rule
from reviews.rules.velocity import Pace
from reviews.services.backtests import backtest
from reviews.services.cases import open_case
from reviews.services.screening import screen
from reviews.services.versions import activate, propose, withdraw
from tests.factories import MembershipFactory, OrganisationFactory, UserFactory
from tests.reviews.screening import gift_of, keys, promised

pytestmark = pytest.mark.django_db
Mode = RuleVersion.Mode


def proposed(rule="address_pace", organisation=None, parameters=None, **fields):
    given = {"per_hour": 1} if parameters is None else parameters
    proposal = {"mode": Mode.ACTIVE, "reason": "Attacks are slower now.", **fields}
    by = proposal.pop("by", None) or UserFactory()
    return propose(rule=rule, organisation=organisation, parameters=given, by=by, **proposal)


def in_force(*args, **fields):
    version = proposed(*args, **fields)
    backtest(version=version)
    return activate(version=version, by=UserFactory())


def results(organisation, rule="address_pace"):
    """Return what each version found of a second try within an hour."""
    who = {"address": "192.0.43.8"}
    gift = promised(organisation, **who)
    screened = screen(occasion=Screening.Occasion.PROMISE, gift=gift)
    return [
        (result["version"], result["mode"], result["outcome"])
        for result in screened.kept.results
        if result["rule"] == rule
    ]


# Proposed


def test_a_proposal_keeps_everything_that_two_people_agree_on():
    person, organisation = UserFactory(), OrganisationFactory()

    version = proposed("just_below", organisation, {"gifts": 4}, by=person, reason=" More. ")

    version.refresh_from_db()
    assert version.parameters == {"gifts": 4, "days": 7, "percent": 80, "limit": {"*": 1000}}
    assert (version.proposed_by, version.reason, version.mode) == (person, "More.", Mode.ACTIVE)
    assert (version.number, version.organisation, version.backtest) == (1, organisation, None)
    assert str(version) == "just_below 1"


def test_versions_are_numbered_for_each_rule_and_organisation():
    organisation = OrganisationFactory()
    wanted = [("address_pace", None), ("address_pace", organisation), ("email_pace", None)] * 2

    numbers = [proposed(rule, whose).number for rule, whose in wanted]

    assert numbers == [1, 1, 1, 2, 2, 2]


UNUSABLE = [
    ("address_pace", {"per_day": 1}, "no parameter 'per_day', only per_hour"),
    ("address_pace", {"per_hour": 0}, "per_hour must be a whole number from 1"),
    ("address_pace", {"per_hour": -1}, "whole number"),
    ("address_pace", {"per_hour": 10**9 + 1}, "to 1000000000"),
    ("address_pace", {"per_hour": 1.5}, "whole number"),
    ("address_pace", {"per_hour": "5"}, "whole number"),
    ("address_pace", {"per_hour": True}, "whole number"),
    ("first_gift", {"least": 1000}, 'an amount for "\\*"'),
    ("first_gift", {"least": {"EUR": 1000}}, 'an amount for "\\*"'),
    ("first_gift", {"least": {"*": 1000, "EURO": 1}}, "'EURO' is no currency"),
    ("first_gift", {"least": {"*": 1000, "EUR": 0}}, "least in EUR must be a whole number"),
    ("two_people", {"EUR": 1}, 'an amount for "\\*"'),
    ("two_people", {"*": 0}, "whole number"),
    ("two_people", {"*": 1, "gold": 1}, "'gold' is no currency"),
]


@pytest.mark.parametrize(("rule", "parameters", "why"), UNUSABLE)
def test_parameters_that_a_rule_does_not_take_are_refused(rule, parameters, why):
    with pytest.raises(ParametersUnusable, match=why):
        proposed(rule, parameters=parameters)

    assert not RuleVersion.objects.exists()


@pytest.mark.parametrize("value", [1, 10**9])
def test_the_least_and_the_most_are_taken(value):
    assert proposed(parameters={"per_hour": value}).parameters == {"per_hour": value}


def test_a_proposal_needs_a_rule_and_a_reason():
    with pytest.raises(RuleUnknown):
        proposed("gut_feeling")
    with pytest.raises(ReasonMissing):
        proposed(reason=" ")


def test_nobody_sets_the_rules_of_their_own_organisation():
    membership = MembershipFactory(role=Membership.Role.VIEWER)
    own, person = membership.organisation, membership.user
    of_another = proposed(organisation=own)
    backtest(version=of_another)

    for attempt in (
        lambda: proposed(organisation=own, by=person),
        lambda: activate(version=of_another, by=person),
        lambda: withdraw(version=of_another, by=person),
    ):
        with pytest.raises(OwnCase, match="their own organisation"):
            attempt()
    assert proposed(organisation=OrganisationFactory(), by=person)
    assert proposed(organisation=None, by=person)


# In the shadow


def test_a_proposal_runs_in_the_shadow_of_what_is_in_force():
    organisation = OrganisationFactory()
    proposed(organisation=organisation)
    results(organisation)

    assert results(organisation) == [("shipped", "active", "pass"), ("1", "shadow", "hit")]
    kept = Screening.objects.latest("at")
    assert (kept.verdict, kept.score, kept.hits) == ("approve", 0, [])
    assert results(OrganisationFactory()) == [("shipped", "active", "pass")]


def test_a_proposal_for_all_runs_in_every_shadow_until_it_is_withdrawn():
    organisation = OrganisationFactory()
    version = proposed()
    assert ("1", "shadow", "pass") in results(organisation)

    withdraw(version=version, by=UserFactory())

    assert results(organisation) == [("shipped", "active", "pass")]


def test_switching_off_casts_no_shadow():
    organisation = OrganisationFactory()
    proposed(mode=Mode.OFF)

    assert results(organisation) == [("shipped", "active", "pass")]


# In force


def test_what_is_in_force_counts():
    organisation = OrganisationFactory()
    in_force(organisation=organisation)
    results(organisation)

    assert results(organisation) == [("1", "active", "hit")]
    assert Screening.objects.latest("at").hits == ["address_pace"]


def test_an_organisations_own_version_goes_before_that_of_all_and_the_newest_first():
    own, other = OrganisationFactory.create_batch(2)
    in_force()
    in_force(organisation=own, parameters={"per_hour": 9})
    in_force(organisation=own, parameters={"per_hour": 8})

    assert results(own) == [("2", "active", "pass")]
    assert results(other) == [("1", "active", "hit")]


def test_a_rule_is_switched_off_for_an_organisation():
    organisation = OrganisationFactory()
    in_force(organisation=organisation, mode=Mode.OFF, parameters={})

    assert results(organisation) == [("1", "active", "not_run")]
    assert results(OrganisationFactory()) == [("shipped", "active", "pass")]


def test_who_proposes_does_not_put_in_force():
    person = UserFactory()
    version = proposed(by=person)
    backtest(version=version)

    with pytest.raises(SecondPersonNeeded):
        activate(version=version, by=person)

    version.refresh_from_db()
    assert version.activated_at is None
    other = UserFactory()
    activated = activate(version=version, by=other)
    assert (activated.activated_by, bool(activated.activated_at)) == (other, True)


def test_nothing_is_in_force_that_was_not_tested():
    version = proposed()

    with pytest.raises(NotBacktested):
        activate(version=version, by=UserFactory())


def test_what_is_in_force_or_withdrawn_stays_so():
    active, withdrawn = in_force(), withdraw(version=proposed(), by=UserFactory())

    for version in (active, withdrawn):
        with pytest.raises(RuleVersionClosed):
            activate(version=version, by=UserFactory())
        with pytest.raises(RuleVersionClosed):
            withdraw(version=version, by=UserFactory())


def test_an_older_version_does_not_come_after_a_newer_one():
    older, elsewhere = proposed(), proposed(organisation=OrganisationFactory())
    for version in (older, elsewhere):
        backtest(version=version)
    in_force()

    with pytest.raises(RuleVersionClosed, match="newer version is in force"):
        activate(version=older, by=UserFactory())
    assert activate(version=elsewhere, by=UserFactory()).activated_at


def test_parameters_that_a_rule_takes_no_longer_are_an_error_of_this_rule_alone(caplog):
    organisation = OrganisationFactory()
    RuleVersion.objects.create(
        rule="address_pace",
        number=1,
        parameters={"per_fortnight": 3},
        reason="Of an older release.",
        proposed_by=UserFactory(),
        backtest={},
    )
    RuleVersion.objects.update(activated_by=UserFactory(), activated_at=timezone.now())

    assert results(organisation) == [("1", "active", "error")]

    kept = Screening.objects.get()
    assert (kept.verdict, kept.hits) == ("approve", [])
    assert [each["outcome"] for each in kept.results].count("error") == 1
    [logged] = [record for record in caplog.records if record.message == "a rule failed"]
    assert "no parameter 'per_fortnight'" in logged.reason
    assert RuleVersion.objects.get().parameters == {"per_fortnight": 3}


def test_a_rule_that_fails_in_the_database_fails_alone(monkeypatch, caplog):
    def judge(history, parameters):
        return RuleVersion.objects.raw("SELECT nothing")[0]

    broken = Rule(
        name="broken",
        title="Broken",
        words="It fails.",
        occasions=frozenset({"promise"}),
        defaults=Pace(per_hour=1),
        judge=judge,
    )
    monkeypatch.setitem(RULES, "broken", broken)

    kept = screen(occasion=Screening.Occasion.PROMISE, gift=gift_of(OrganisationFactory())).kept

    outcomes = {each["rule"]: each["outcome"] for each in kept.results}
    assert outcomes.pop("broken") == "error"
    assert set(outcomes.values()) == {"pass", "not_run"}
    assert [record.message for record in caplog.records] == ["a rule failed"]


# Two people


def about_money(amount, currency="EUR", organisation=None):
    """Return how many people a case about an amount needs."""
    number = Case.objects.count()
    case = open_case(
        organisation=organisation,
        kind=Case.Kind.GIFT,
        subject=f"don_{number}",
        summary="A gift.",
        amount=amount,
        currency=currency,
    )
    case.refresh_from_db()
    return case.people_needed


def test_the_limits_for_two_people_are_set_by_two_people():
    organisation = OrganisationFactory()
    proposed("two_people", organisation, {"*": 5000, "JPY": 700})
    assert about_money(5000, organisation=organisation) == 1

    in_force("two_people", organisation, {"*": 5000, "JPY": 700})

    asked = [(4999, "EUR"), (5000, "EUR"), (699, "JPY"), (700, "JPY")]
    needed = [about_money(*money, organisation=organisation) for money in asked]
    assert needed == [1, 2, 1, 2]
    assert about_money(5000, organisation=OrganisationFactory()) == 1
    assert about_money(5000) == 1


def test_the_limits_for_two_people_cannot_be_switched_off():
    with pytest.raises(ParametersUnusable, match="Set a limit"):
        proposed("two_people", parameters={"*": 1}, mode=Mode.OFF)


# In words


def test_a_version_says_its_rule_with_its_own_numbers():
    organisation = OrganisationFactory()
    in_force("first_gift", organisation, {"least": {"*": 1500, "JPY": 200000}, "days": 60})

    gift = gift_of(organisation, 150000, at=timezone.now() + timedelta(1), traits=keys(email="a"))
    screened = screen(occasion=Screening.Occasion.SETTLEMENT, gift=gift)

    [found] = [each for each in screened.results if each.version.rule.name == "first_gift"]
    assert found.version.rule.in_words(found.version.parameters) == (
        "A donor's first gift of 1,500 (JPY 200,000) or more, to an organisation that is public "
        "for less than 60 days or had fewer than 10 gifts before."
    )
    assert found.version.rule.parameter_names == ["days", "gifts", "least"]
