"""Testing a version of a rule on the past: what it would have found in the last 90 days."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q
from django.utils import timezone

from organisations.models import Organisation
from reviews.choices import MOVING_KINDS
from reviews.models import Attempt, Case, RuleVersion, Screening
from reviews.rules.facts import Gift
from reviews.rules.limits import TWO_PEOPLE
from reviews.rules.register import rule_named
from reviews.rules.rule import Outcome, Rule, Verdict
from reviews.services.history import PastOf, traits_of_attempt
from reviews.services.screening import Result, judge, version_of

LOOKS_BACK = timedelta(days=90)
CHUNK = 500
Occasion = Screening.Occasion


@dataclass(slots=True)
class Tally:
    """What a version found: `held_amounts` counts minor units by currency."""

    gifts: int = 0
    hits: int = 0
    errors: int = 0
    held_gifts: int = 0
    held_amounts: Counter[str] = field(default_factory=Counter)
    by_verdict: Counter[str] = field(default_factory=Counter)

    def add(self, result: Result, gift: Gift) -> None:
        """Count one gift."""
        finding = result.finding
        self.gifts += 1
        self.errors += finding.outcome == Outcome.ERROR
        if finding.outcome != Outcome.HIT:
            return
        self.hits += 1
        self.by_verdict[finding.verdict] += 1
        # Who is looked at before paying has the card authorised only.
        before_paying = Occasion.PROMISE in result.version.rule.occasions
        if finding.holds or (before_paying and finding.verdict == Verdict.REVIEW):
            self.held_gifts += 1
            self.held_amounts[gift.currency] += gift.amount


def backtest(*, version: RuleVersion) -> None:
    """
    Judge the gifts of the last 90 days by a version, each as of its moment, and keep what came out.

    A rule that looks at payments is tested on gifts that were paid, another one on every try to
    give; one of refunds or accounts has no gifts to be tested on, and counts none. Limits from
    which on two people decide are tested on cases. What was decided on meanwhile stays as it is.
    """
    until = timezone.now()
    since = until - LOOKS_BACK
    found = _of_cases if version.rule == TWO_PEOPLE else _of_gifts
    span = {"since": since.isoformat(), "until": until.isoformat()}
    result = {**found(version, since, until), **span}
    undecided = RuleVersion.objects.filter(activated_at=None, withdrawn_at=None)
    undecided.filter(pk=version.pk).update(backtest=result)


def _of_gifts(version: RuleVersion, since: datetime, until: datetime) -> dict[str, Any]:
    rule = rule_named(version.rule)
    runs, tally = version_of(rule, version), Tally()
    for organisation in _where_it_would_run(version):
        for gift in _gifts(organisation, _kind_for(rule), since, until):
            tally.add(judge(runs, PastOf(gift)), gift)
    return {
        "gifts": tally.gifts,
        "hits": tally.hits,
        "errors": tally.errors,
        "held_gifts": tally.held_gifts,
        "held_amounts": dict(tally.held_amounts),
        "by_verdict": dict(tally.by_verdict),
    }


def _kind_for(rule: Rule[Any, Any]) -> str:
    if Occasion.SETTLEMENT in rule.occasions:
        return Attempt.Kind.PAID
    return Attempt.Kind.PROMISED if Occasion.PROMISE in rule.occasions else ""


def _where_it_would_run(version: RuleVersion) -> Iterator[Organisation]:
    if version.organisation:
        yield version.organisation
        return
    own = RuleVersion.objects.filter(rule=version.rule, activated_at__isnull=False)
    with_own = own.exclude(organisation=None).values("organisation")
    yield from Organisation.objects.exclude(pk__in=with_own).order_by("pk")


def _gifts(
    organisation: Organisation, kind: str, since: datetime, until: datetime
) -> Iterator[Gift]:
    """Yield gifts page by page: there may be more than the memory holds."""
    tried = Attempt.objects.of(organisation).filter(kind=kind, at__gt=since, at__lte=until)
    last = 0
    while page := list(tried.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        yield from (_gift(attempt, organisation) for attempt in page)
        last = page[-1].pk


def _gift(attempt: Attempt, organisation: Organisation) -> Gift:
    return Gift(
        id=attempt.gift,
        organisation=organisation,
        amount=attempt.amount or 0,
        currency=attempt.currency,
        at=attempt.at,
        paid_at=attempt.at if attempt.kind == Attempt.Kind.PAID else None,
        traits=traits_of_attempt(attempt),
    )


def _of_cases(version: RuleVersion, since: datetime, until: datetime) -> dict[str, Any]:
    """Count the cases whose decision moves money, and those that two people would have decided."""
    moving = Case.objects.filter(kind__in=MOVING_KINDS, amount__isnull=False)
    cases = moving.filter(opened_at__gt=since, opened_at__lte=until)
    if version.organisation:
        cases = cases.filter(organisation=version.organisation)
    return {
        "cases": cases.count(),
        "doubled": cases.filter(_reaches(version.parameters)).count(),
        "doubled_before": cases.filter(people_needed=2).count(),
    }


def _reaches(limits: dict[str, int]) -> Q:
    own = [code for code in limits if code != "*"]
    others = ~Q(currency__in=own) & Q(amount__gte=limits["*"])
    reached = (Q(currency=code, amount__gte=limits[code]) for code in own)
    return reduce(or_, reached, others)
