"""Facts that a rule found, as people read them: each value against its own threshold."""

from collections.abc import Mapping
from datetime import datetime

from common.money import format_money
from ledger.templatetags.figures import moment

Facts = Mapping[str, int | str]
WINDOWS = ("minutes", "hours", "days")
THRESHOLDS = ("limit", "least_amount", "most_amount", "limit_amount")


def facts_of(evidence: Facts) -> list[tuple[str, str]]:
    """Return facts in words: values first, then what they are held against."""
    shown = [name for name in evidence if not _is_hidden(name) and not _is_beside(name, evidence)]
    shown.sort(key=lambda name: (name in WINDOWS, _is_threshold(name), name))
    return [(name.replace("_", " "), _against(name, evidence)) for name in shown]


def _is_hidden(name: str) -> bool:
    return name == "currency" or name.endswith("_keyed")


def _is_beside(name: str, evidence: Facts) -> bool:
    return name.endswith("_limit") and name.removesuffix("_limit") in evidence


def _is_threshold(name: str) -> bool:
    return name in THRESHOLDS or name.endswith(("_limit", "_per_mille"))


def _against(name: str, evidence: Facts) -> str:
    words, own = _in_words(name, evidence), f"{name}_limit"
    return f"{words} against {_in_words(own, evidence)}" if own in evidence else words


def _in_words(name: str, evidence: Facts) -> str:
    value = evidence[name]
    if not isinstance(value, int):
        return moment(datetime.fromisoformat(value)) if name.endswith("_at") else value
    if name.endswith("amount") and "currency" in evidence:
        return format_money(value, str(evidence["currency"]))
    return f"{value:,}"
