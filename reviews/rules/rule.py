"""What a rule is: typed parameters, and a judgement of facts that says why."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar, cast, get_origin, get_type_hints

from common.money import CURRENCIES, exponent_of
from reviews.errors import ParametersUnusable

SubjectType = TypeVar("SubjectType")
ParametersType = TypeVar("ParametersType")
Evidence = Mapping[str, int | str]
WHOLE_MAX = 10**9


class Outcome(StrEnum):
    """How a rule came out. What could not be looked at is an error, never a pass."""

    PASS = "pass"  # noqa: S105 - a word
    HIT = "hit"
    ERROR = "error"
    NOT_RUN = "not_run"


class Verdict(StrEnum):
    """What follows, the mildest first."""

    APPROVE = "approve"
    CHALLENGE = "challenge"
    REVIEW = "review"
    BLOCK = "block"

    @property
    def weight(self) -> int:
        """Return its place: the worst wins."""
        return list(Verdict).index(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """
    What a rule found: `evidence` is facts without persons, `score` from 0 to 100.

    In the evidence, what is named `amount` or `…_amount` counts minor units of its `currency`, and
    `…_at` is a moment (ISO 8601). `…_keyed` are keyed hashes, for comparing alone.
    `holds` tells that a settled gift (or an account's payouts) are held until that is decided;
    `binds` names the traits that the verdict stands against for a while (`organisation`: against
    every visitor of it).
    """

    outcome: Outcome
    verdict: Verdict = Verdict.APPROVE
    score: int = 0
    evidence: Evidence = field(default_factory=dict)
    holds: bool = False
    binds: tuple[str, ...] = ()


Amounts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Rule(Generic[SubjectType, ParametersType]):
    """
    One rule: it judges on some occasions, with parameters that organisations may have of their own.

    What it judges is a gift with its `History`, or on the occasion `account` an `Account`. `name`
    is stable: versions, screenings and figures are kept by it. `words` says it to staff as a
    sentence with the parameters in it, `{limit}` for example.
    """

    name: str
    title: str
    words: str
    occasions: frozenset[str]
    defaults: ParametersType
    judge: Callable[[SubjectType, ParametersType], Finding]

    def parameters(self, given: Mapping[str, Any]) -> ParametersType:
        """Return the defaults with what is given instead. Raises `ParametersUnusable`."""
        assert not isinstance(self.defaults, type)
        kinds = get_type_hints(type(self.defaults))
        for name, value in given.items():
            if name not in kinds:
                known = ", ".join(kinds)
                raise ParametersUnusable(f"{self.title} has no parameter {name!r}, only {known}.")
            if get_origin(kinds[name]) is None:
                check_whole(name, value)
            else:
                check_amounts(name, value)
        return cast(ParametersType, replace(cast(Any, self.defaults), **given))

    def in_words(self, parameters: ParametersType) -> str:
        """Return the rule as a sentence."""
        spoken = {name: _spoken(value) for name, value in asdict(cast(Any, parameters)).items()}
        return self.words.format(**spoken)

    @property
    def parameter_names(self) -> list[str]:
        """Return what can be set."""
        return [each.name for each in fields(cast(Any, self.defaults))]


def passed(evidence: Evidence) -> Finding:
    """Return that all is well, and what was looked at."""
    return Finding(Outcome.PASS, evidence=evidence)


def not_run(why: str) -> Finding:
    """Return that there was nothing to look at."""
    return Finding(Outcome.NOT_RUN, evidence={"why": why})


def hit(
    verdict: Verdict,
    score: int,
    evidence: Evidence,
    *,
    holds: bool = False,
    binds: tuple[str, ...] = (),
) -> Finding:
    """Return that the rule applies, and why."""
    return Finding(Outcome.HIT, verdict, score, evidence, holds, binds)


def minor(amounts: Amounts, currency: str) -> int:
    """
    Return a parameter's amount in minor units of a currency.

    Parameters count whole units (euros, not cents): by currency, or "*" for every other one. There
    a currency without decimals counts a hundred of its units as one.
    """
    if currency in amounts:
        return int(amounts[currency] * 10 ** exponent_of(currency))
    return int(amounts["*"] * 10 ** max(exponent_of(currency), 2))


def check_amounts(name: str, value: Any) -> None:
    """Take amounts by currency, and one for every other. Raises `ParametersUnusable`."""
    if not isinstance(value, dict) or "*" not in value:
        raise ParametersUnusable(f'{name} needs an amount for "*", every other currency.')
    for currency, amount in value.items():
        if currency != "*" and currency not in CURRENCIES:
            raise ParametersUnusable(f"{name}: {currency!r} is no currency.")
        check_whole(f"{name} in {currency}", amount)


def check_whole(name: str, value: Any) -> None:
    """Take a whole number that says something. Raises `ParametersUnusable`."""
    if type(value) is not int or not 0 < value <= WHOLE_MAX:
        raise ParametersUnusable(f"{name} must be a whole number from 1 to {WHOLE_MAX}.")


def _spoken(value: int | Amounts) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    own = ", ".join(f"{code} {amount:,}" for code, amount in sorted(value.items()) if code != "*")
    return f"{value['*']:,} ({own})" if own else f"{value['*']:,}"
