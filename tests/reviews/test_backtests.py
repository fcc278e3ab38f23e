"""Backtests: what a version would have found in the last 90 days, each gift as of its moment."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from reviews.models import Case, RuleVersion
from reviews.services import backtests
from reviews.services.cases import open_case
from reviews.services.versions import activate, order_backtest, propose, withdraw
from reviews.tasks import backtest_version
from tests.factories import OrganisationFactory, UserFactory
from tests.reviews.screening import paid, promised

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def organisation():
    return OrganisationFactory()


@pytest.fixture
def now():
    return timezone.now()


def backtested(rule, parameters, organisation=None, mode=RuleVersion.Mode.ACTIVE):
    """Have parameters proposed and tested as the worker does; return what came out."""
    version = propose(
        rule=rule,
        organisation=organisation,
        parameters=parameters,
        mode=mode,
        reason="Let us see.",
        by=UserFactory(),
    )
    backtest_version(version_id=version.pk)
    version.refresh_from_db()
    return version


def figures(version):
    """Return what was counted, without the span."""
    return {name: value for name, value in version.backtest.items() if name not in SPAN}


SPAN = ("since", "until")
NOTHING = {
    "gifts": 0,
    "hits": 0,
    "errors": 0,
    "held_gifts": 0,
    "held_amounts": {},
    "by_verdict": {},
}


def test_a_proposal_is_tested_by_the_worker_once(organisation):
    version = backtested("address_pace", {"per_hour": 1}, organisation)

    order_backtest(version=version)

    [job] = ProcrastinateJob.objects.filter(task_name="reviews.tasks.backtest_version")
    assert job.args == {"version_id": version.pk}


def test_tries_are_judged_as_of_their_moment(organisation, now):
    for minutes in (0, 10, 20, 90, 95):
        promised(organisation, at=now - DAY + timedelta(minutes=minutes), address="192.0.43.8")
    promised(OrganisationFactory(), at=now - DAY, address="192.0.43.8")

    version = backtested("address_pace", {"per_hour": 2}, organisation)

    counted = {"gifts": 5, "hits": 2, "by_verdict": {"challenge": 2}}
    # One more was elsewhere at the first of these moments: it counts for the second and third.
    assert figures(version) == {**NOTHING, **counted}


def test_the_last_90_days_are_looked_at(organisation, now):
    for age in (90 * DAY + timedelta(minutes=1), 90 * DAY - timedelta(minutes=1), -DAY):
        promised(organisation, at=now - age, address="192.0.43.8")

    version = backtested("address_pace", {"per_hour": 1}, organisation)

    assert version.backtest["gifts"] == 1
    since, until = (timezone.datetime.fromisoformat(version.backtest[name]) for name in SPAN)
    assert until - since == 90 * DAY
    assert until >= now


def test_gifts_that_would_have_been_held_are_counted_by_currency(organisation, now):
    for amount, currency in [(100000, "EUR"), (150000, "EUR"), (100000, "JPY"), (99999, "EUR")]:
        email = f"{amount}{currency}@example.org"
        paid(organisation, at=now - DAY, amount=amount, currency=currency, email=email)

    version = backtested("first_gift", {}, organisation)

    assert figures(version) == {
        "gifts": 4,
        "hits": 3,
        "errors": 0,
        "held_gifts": 3,
        "held_amounts": {"EUR": 250000, "JPY": 100000},
        "by_verdict": {"review": 3},
    }


def test_who_is_looked_at_before_paying_is_held_and_who_is_after_is_not(organisation, now):
    for number in range(3):
        paid(organisation, at=now - DAY, amount=900, card=f"card {number}", email="a@example.org")

    before = backtested("many_cards", {}, organisation)
    after = backtested("just_below", {"limit": {"*": 10}}, organisation)

    found = {**NOTHING, "gifts": 3, "hits": 3, "by_verdict": {"review": 3}}
    assert figures(before) == {**found, "held_gifts": 3, "held_amounts": {"EUR": 2700}}
    assert figures(after) == found


def test_a_version_for_all_is_tested_where_it_would_run(organisation, now):
    with_own = OrganisationFactory()
    own = backtested("card_abroad", {"score": 1}, with_own)
    activate(version=own, by=UserFactory())
    backtested("card_abroad", {"score": 3}, organisation)
    for each in (organisation, with_own, OrganisationFactory()):
        paid(each, at=now - DAY, country="FR")

    version = backtested("card_abroad", {"score": 2})

    assert figures(version) == {**NOTHING, "gifts": 2, "hits": 2, "by_verdict": {"approve": 2}}


@pytest.mark.parametrize("rule", ["soon_refunded", "bank_shared"])
def test_rules_that_look_at_no_gifts_count_none(organisation, now, rule):
    paid(organisation, at=now - DAY)

    assert figures(backtested(rule, {}, organisation)) == NOTHING


def test_a_rule_that_fails_is_counted_and_not_passed_over(organisation, now, caplog):
    paid(organisation, at=now - DAY, email="a@example.org")
    version = backtested("just_below", {}, organisation)

    version.parameters = {"unknown": 1}
    backtests.backtest(version=version)

    version.refresh_from_db()
    assert figures(version) == {**NOTHING, "gifts": 1, "errors": 1}


def test_gifts_are_read_page_by_page(organisation, now, monkeypatch):
    monkeypatch.setattr(backtests, "CHUNK", 2)
    for _ in range(5):
        promised(organisation, at=now - DAY)

    with CaptureQueriesContext(connection) as asked:
        version = backtested("address_pace", {}, organisation)

    assert version.backtest["gifts"] == 5
    pages = [each for each in asked.captured_queries if each["sql"].endswith("ASC LIMIT 2")]
    assert len(pages) == 4


def test_what_was_decided_meanwhile_stays_as_it_is(organisation):
    version = backtested("address_pace", {}, organisation)
    known = version.backtest
    withdraw(version=version, by=UserFactory())

    backtest_version(version_id=version.pk)

    version.refresh_from_db()
    assert version.backtest == known


def about(organisation, amount, currency="EUR", kind=Case.Kind.GIFT):
    return open_case(
        organisation=organisation,
        kind=kind,
        subject=f"don_{Case.objects.count()}",
        summary="A gift.",
        amount=amount,
        currency=currency,
    )


def test_limits_for_two_people_are_tested_on_cases(organisation, now, monkeypatch):
    amounts = [(4999, "EUR"), (5000, "EUR"), (100000, "EUR"), (699, "JPY"), (700, "JPY")]
    for amount, currency in amounts:
        about(organisation, amount, currency)
    about(None, 100000)
    # Nobody moves money by closing a dispute, however large.
    about(organisation, 100000, kind=Case.Kind.DISPUTE)
    open_case(organisation=organisation, kind=Case.Kind.DRIFT, subject="stripe", summary="Odd.")
    with monkeypatch.context() as patch:
        patch.setattr(timezone, "now", lambda: now - 91 * DAY)
        about(organisation, 100000)

    here = backtested("two_people", {"*": 5000, "JPY": 700}, organisation)
    everywhere = backtested("two_people", {"*": 200000})

    assert figures(here) == {"cases": 5, "doubled": 3, "doubled_before": 1}
    assert figures(everywhere) == {"cases": 6, "doubled": 0, "doubled_before": 2}
