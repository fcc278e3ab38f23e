"""Screening: every rule looks at a gift, what each found is kept, and the worst verdict wins."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, transaction

from common.errors import in_words
from organisations.models import Organisation
from reviews.models import RuleVersion, Screening
from reviews.rules.facts import Account, Gift
from reviews.rules.register import RULES
from reviews.rules.rule import Finding, Outcome, Rule, Verdict, not_run
from reviews.services.history import PastOf

logger = logging.getLogger("almoner.reviews")
SHIPPED = "shipped"
SCORE_MAX = 100


@dataclass(frozen=True, slots=True)
class Version:
    """
    With which parameters a rule runs; `number` is "shipped" for what stands in the code.

    `given` are the parameters as they were kept. A rule that is off looks at nothing.
    """

    rule: Rule[Any, Any]
    number: str
    given: Mapping[str, Any]
    is_active: bool
    is_off: bool = False

    @property
    def parameters(self) -> Any:
        """Return the rule's own. Raises `ParametersUnusable` where it takes others by now."""
        return self.rule.parameters(self.given)


@dataclass(frozen=True, slots=True)
class Result:
    """What one version of a rule found."""

    version: Version
    finding: Finding
    duration_us: int

    @property
    def counts(self) -> bool:
        """Tell whether it weighs: a version that runs in the shadow is only written down."""
        return self.version.is_active and self.finding.outcome == Outcome.HIT

    def as_kept(self) -> dict[str, Any]:
        """Return it as a screening keeps it."""
        return {
            "rule": self.version.rule.name,
            "version": self.version.number,
            "mode": "active" if self.version.is_active else "shadow",
            "outcome": self.finding.outcome,
            "verdict": self.finding.verdict,
            "score": self.finding.score,
            "evidence": dict(self.finding.evidence),
            "duration_us": self.duration_us,
        }


@dataclass(frozen=True, slots=True)
class Subject:
    """What is screened: `subject` is its id in the log."""

    organisation: Organisation
    occasion: Screening.Occasion
    subject: str


@dataclass(frozen=True, slots=True)
class Screened:
    """A screening that was kept, with what each rule found."""

    kept: Screening
    results: list[Result]

    @property
    def verdict(self) -> Verdict:
        """Return what follows."""
        return Verdict(self.kept.verdict)

    @property
    def holds(self) -> bool:
        """Tell whether a settled gift, or an account's payouts, must be held."""
        return any(result.counts and result.finding.holds for result in self.results)


def screen(*, occasion: Screening.Occasion, gift: Gift, passes_challenge: bool = False) -> Screened:
    """
    Let every rule of an occasion look at a gift, and keep what they found.

    Who `passes_challenge` has shown what a challenge asks for. A rule that fails is an error in the
    log, and the others go on.
    """
    about = Subject(gift.organisation, occasion, gift.id)
    return _screen(about, PastOf(gift), passes_challenge=passes_challenge)


def keep_turned_away(*, gift: Gift, verdict: Verdict, rule: str) -> None:
    """Keep that no rule looked at a gift: what one found before stands against who promised it."""
    why = not_run("What a rule found before stands against this visitor.")
    running = versions(gift.organisation, Screening.Occasion.PROMISE)
    Screening.objects.create(
        organisation=gift.organisation,
        occasion=Screening.Occasion.PROMISE,
        subject=gift.id,
        verdict=verdict,
        score=0,
        results=[Result(version, why, 0).as_kept() for version in running],
        hits=[rule],
        duration_us=0,
    )


def screen_account(account: Account) -> Screened:
    """Let every rule of accounts look at how one stands; `holds` says that payouts must wait."""
    organisation = account.organisation
    return _screen(Subject(organisation, Screening.Occasion.ACCOUNT, organisation.pk), account)


def versions(organisation: Organisation, occasion: str) -> Iterator[Version]:
    """Yield every rule's version in force at an organisation on an occasion, and its shadows."""
    rules = {name: rule for name, rule in RULES.items() if occasion in rule.occasions}
    kept = RuleVersion.objects.for_organisation(organisation).filter(rule__in=rules)
    by_rule: dict[str, list[RuleVersion]] = {}
    for version in kept:
        by_rule.setdefault(version.rule, []).append(version)
    for name, rule in rules.items():
        own = by_rule.get(name, [])
        in_force = next((version for version in own if version.activated_at), None)
        if in_force is None:
            yield Version(rule, SHIPPED, {}, is_active=True)
        else:
            yield version_of(rule, in_force)
        for each in own:
            if not each.activated_at and each.mode == RuleVersion.Mode.ACTIVE:
                yield version_of(rule, each)


def version_of(rule: Rule[Any, Any], kept: RuleVersion) -> Version:
    """Return a version that was proposed, as it runs."""
    is_off = kept.mode == RuleVersion.Mode.OFF
    return Version(rule, str(kept.number), kept.parameters, bool(kept.activated_at), is_off)


def judge(version: Version, subject: Any) -> Result:
    """Let a version of a rule judge; where it fails, that is its result, and the others go on."""
    try:
        with transaction.atomic():  # what fails in the database fails alone
            return _judged(version, subject)
    except DatabaseError as error:
        return Result(version, _failed(version, error), 0)


def _judged_all(running: Sequence[Version], subject: Any) -> list[Result]:
    try:
        with transaction.atomic():
            return [_judged(version, subject) for version in running]
    except DatabaseError:  # all over again, each by itself: that costs what few screenings need
        return [judge(version, subject) for version in running]


def _judged(version: Version, subject: Any) -> Result:
    if version.is_off:
        return Result(version, not_run("It is switched off."), 0)
    started = time.perf_counter_ns()
    try:
        finding = version.rule.judge(subject, version.parameters)
    except DatabaseError:
        raise
    except Exception as error:  # whatever it is, the others judge, and staff can see it
        finding = _failed(version, error)
    return Result(version, finding, (time.perf_counter_ns() - started) // 1000)


def _failed(version: Version, error: Exception) -> Finding:
    facts = {"rule": version.rule.name, "version": version.number, "reason": in_words(error)}
    logger.error("a rule failed", extra=facts)
    return Finding(Outcome.ERROR, evidence={"why": type(error).__name__})


def _screen(about: Subject, subject: Any, *, passes_challenge: bool = False) -> Screened:
    running = list(versions(about.organisation, about.occasion))
    results = _judged_all(running, subject)
    counting = [result.finding for result in results if result.counts]
    verdict = max((found.verdict for found in counting), key=_weight, default=Verdict.APPROVE)
    if verdict == Verdict.CHALLENGE and passes_challenge:
        verdict = Verdict.APPROVE
    kept = Screening.objects.create(
        organisation=about.organisation,
        occasion=about.occasion,
        subject=about.subject,
        verdict=verdict,
        score=min(sum(found.score for found in counting), SCORE_MAX),
        results=[result.as_kept() for result in results],
        hits=[result.version.rule.name for result in results if result.counts],
        duration_us=sum(result.duration_us for result in results),
    )
    return Screened(kept, results)


def _weight(verdict: Verdict) -> int:
    return verdict.weight
