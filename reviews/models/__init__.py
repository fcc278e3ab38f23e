"""What people must decide: cases with their decisions, rules with what they found, holds."""

from reviews.models.cases import Case, CaseQuerySet, Decision, Note
from reviews.models.holds import Hold, HoldQuerySet
from reviews.models.payout_holds import PayoutHold
from reviews.models.rules import RuleVersion
from reviews.models.sanctions import ClearedPair, ListedName, SanctionList
from reviews.models.screenings import Attempt, Screening, Watched

__all__ = [
    "Attempt",
    "Case",
    "CaseQuerySet",
    "ClearedPair",
    "Decision",
    "Hold",
    "HoldQuerySet",
    "ListedName",
    "Note",
    "PayoutHold",
    "RuleVersion",
    "SanctionList",
    "Screening",
    "Watched",
]
