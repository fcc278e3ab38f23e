"""Why rules fired: what each found at a gift, in words, and how cases alike ended."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from reviews.admin.facts import facts_of
from reviews.errors import ParametersUnusable
from reviews.models import Case, RuleVersion, Screening
from reviews.rules.register import RULES
from reviews.rules.rule import Outcome, Verdict

SCREENINGS_MAX = 5
ALIKE_MAX = 3
# Cases alike are looked for among the newest of their kind: older ones say less.
ALIKE_AMONG = 200
WORDS = {
    Outcome.HIT: "hit",
    Outcome.ERROR: "could not look",
    Outcome.PASS: "passed",
    Outcome.NOT_RUN: "not run",
}
Versions = dict[tuple[str, str], RuleVersion]


@dataclass(frozen=True, slots=True)
class Reason:
    """What one version of a rule found: `facts` are its values beside their thresholds."""

    title: str
    sentence: str
    outcome: str
    words: str
    verdict: str
    score: int
    version: str
    is_shadow: bool
    facts: list[tuple[str, str]]

    @property
    def matters(self) -> bool:
        """Tell whether it is shown at once: hits, and what could not be looked at."""
        return self.outcome in {Outcome.HIT, Outcome.ERROR}

    @property
    def asks_for(self) -> str:
        """Return what a hit asks for; nothing where it counts for the score alone."""
        return "" if self.verdict == Verdict.APPROVE else self.verdict


@dataclass(frozen=True, slots=True)
class Screened:
    """A screening with what its rules found, what matters first."""

    screening: Screening
    matter: list[Reason]
    rest: list[Reason]


def screened(case: Case) -> list[Screened]:
    """Return the newest screenings of what a case is about."""
    newest = _screenings(case).order_by("-at", "-id")[:SCREENINGS_MAX]
    return read(list(newest))


def read(screenings: list[Screening]) -> list[Screened]:
    """Return screenings in words."""
    versions = _versions(screenings)
    return [_read(screening, versions) for screening in screenings]


def alike(case: Case) -> list[Case]:
    """Return the last three decided cases of this kind in which the same rules hit."""
    decided = Case.objects.filter(kind=case.kind, closed_at__isnull=False).exclude(pk=case.pk)
    newest = decided.order_by("-closed_at").values("pk")[:ALIKE_AMONG]
    found = Case.objects.filter(pk__in=newest).select_related("organisation", "closed_by")
    hits = {name for each in _screenings(case).values_list("hits", flat=True) for name in each}
    if hits:
        same = Screening.objects.filter(subject=OuterRef("gift"), hits__overlap=sorted(hits))
        found = found.filter(Exists(same))
    return list(found.order_by("-closed_at")[:ALIKE_MAX])


def _screenings(case: Case) -> QuerySet[Screening]:
    return Screening.objects.filter(subject__in={case.gift or case.subject, case.subject})


def _versions(screenings: list[Screening]) -> Versions:
    numbers: dict[str, set[int]] = {}
    for screening in screenings:
        for result in screening.results:
            if result["version"].isdecimal():
                numbers.setdefault(result["rule"], set()).add(int(result["version"]))
    if not numbers:
        return {}
    wanted = Q()
    for rule, chosen in numbers.items():
        wanted |= Q(rule=rule, number__in=chosen)
    organisations = {screening.organisation_id for screening in screenings}
    anybody = Q(organisation__in=organisations) | Q(organisation__isnull=True)
    kept = RuleVersion.objects.filter(anybody, wanted)
    # An organisation's own version comes last, and wins.
    kept = kept.order_by(F("organisation").asc(nulls_first=True))
    return {(version.rule, str(version.number)): version for version in kept}


def _read(screening: Screening, versions: Versions) -> Screened:
    reasons = [_reason(result, versions) for result in screening.results]
    return Screened(
        screening,
        [reason for reason in reasons if reason.matters],
        [reason for reason in reasons if not reason.matters],
    )


def _reason(result: dict[str, Any], versions: Versions) -> Reason:
    name = result["rule"]
    rule = RULES.get(name)
    return Reason(
        title=rule.title if rule else name.replace("_", " "),
        sentence=_sentence(name, versions.get((name, result["version"]))),
        outcome=result["outcome"],
        words=WORDS[result["outcome"]],
        verdict=result["verdict"],
        score=result["score"],
        version=result["version"],
        is_shadow=result["mode"] != "active",
        facts=facts_of(result["evidence"]),
    )


def _sentence(name: str, version: RuleVersion | None) -> str:
    rule = RULES.get(name)
    if rule is None:
        return ""
    with suppress(ParametersUnusable):
        return rule.in_words(rule.parameters(version.parameters if version else {}))
    return ""
