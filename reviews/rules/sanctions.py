"""Whether a donor's name stands on a list of sanctions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reviews.names import ENOUGH
from reviews.rules.facts import History
from reviews.rules.rule import Finding, Outcome, Rule, Verdict, hit, not_run, passed
from reviews.sanctions import SanctionsResult, screen_name

MATCHES_SHOWN = 3
BETWEEN = "; "


@dataclass(frozen=True, slots=True)
class Names:
    """The lists and what is alike are settings of the instance: `docs/sanctions.md`."""


def found_in(result: SanctionsResult) -> Finding:
    """Return what screening a name came to; a hit is for people to look at, and holds a gift."""
    outcome = Outcome(result.outcome)
    if outcome == Outcome.NOT_RUN:
        return not_run("No list is set up, or the name is not known.")
    if outcome == Outcome.ERROR:
        return Finding(Outcome.ERROR, evidence={"why": " ".join(result.problems)})
    if outcome == Outcome.PASS:
        return passed({"score": result.score})
    return hit(Verdict.REVIEW, result.score, _evidence(result), holds=True)


def _evidence(result: SanctionsResult) -> dict[str, int | str]:
    # The listed party is public; how somebody here is called stands nowhere in the log.
    open_matches = [match for match in result.matches if not match.is_cleared][:MATCHES_SHOWN]
    listed = BETWEEN.join(f"{match.list} {match.uid}" for match in open_matches)
    return {"score": result.score, "limit": ENOUGH, "listed": listed}


def parties_in(evidence: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the parties that evidence names, by source and uid."""
    named = str(evidence.get("listed", "")).split(BETWEEN)
    return [(source, uid) for source, _, uid in (each.partition(" ") for each in named) if uid]


def _judge_name(history: History, _parameters: Names) -> Finding:
    gift = history.gift
    return found_in(screen_name(gift.donor_name, kind="any", asked=gift.asked))


LISTED_NAME = Rule(
    name="listed_name",
    title="Name like one on a list of sanctions",
    words="The donor's name is alike to one on the lists that are set up, 85 of 100 or more. It "
    "is never rejected for that alone.",
    occasions=frozenset({"settlement"}),
    defaults=Names(),
    judge=_judge_name,
)
RULES = (LISTED_NAME,)
