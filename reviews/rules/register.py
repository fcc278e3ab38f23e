"""Every rule there is, by its name."""

from typing import Any

from reviews.errors import RuleUnknown
from reviews.rules import accounts, amounts, cards, identity, sanctions, testing, velocity
from reviews.rules.rule import Rule

BY_SUBJECT = (velocity, testing, cards, amounts, identity, sanctions, accounts)
RULES: dict[str, Rule[Any, Any]] = {
    rule.name: rule for subject in BY_SUBJECT for rule in subject.RULES
}


def rule_named(name: str) -> Rule[Any, Any]:
    """Return a rule. Raises `RuleUnknown`."""
    if name not in RULES:
        raise RuleUnknown
    return RULES[name]
