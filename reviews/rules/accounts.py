"""
How an organisation's account stands: disputes, warnings, and where its payouts go.

What each rule found is named in its evidence: what was decided about is no news, and the rest is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from reviews.rules.facts import Account
from reviews.rules.rule import Evidence, Finding, Rule, Verdict, hit, not_run, passed
from reviews.traits import key_of

AT_ACCOUNT = frozenset({"account"})
UNTOLD = "Stripe does not tell where its payouts go."
# What of the evidence names that which was found, in words apart. The newest are named: the others
# were, when they were the newest.
NAMED = ("disputed_keyed", "warned_keyed", "paid_there_too", "changed_at")
GIFTS_NAMED, KEY_LENGTH, ORGANISATIONS_NAMED = 30, 10, 12


def named_in(evidence: Mapping[str, int | str]) -> set[str]:
    """Return the names of what was found."""
    return {word for name in NAMED for word in str(evidence.get(name, "")).split()}


@dataclass(frozen=True, slots=True)
class Share:
    """
    Of 1,000 settled gifts so many troubled ones are looked at, and so many stop payouts.

    Fewer settled gifts than `least_settled` count as that many. With 200 one dispute is 5 in 1,000:
    somebody looks, and payouts go on; of few gifts it takes two to stop them.
    """

    review_per_mille: int
    hold_per_mille: int
    least_settled: int


def _judge_share(account: Account, parameters: Share) -> Finding:
    troubled = len(account.disputed) + len(account.warned)
    of = max(account.settled, parameters.least_settled)
    facts: Evidence = {
        "disputed": len(account.disputed),
        "warned": len(account.warned),
        "settled": account.settled,
        "counted_as": of,
        "review_per_mille": parameters.review_per_mille,
        "hold_per_mille": parameters.hold_per_mille,
        "disputed_keyed": _keyed(account.disputed),
        "warned_keyed": _keyed(account.warned),
    }
    if troubled * 1000 >= of * parameters.hold_per_mille:
        return hit(Verdict.REVIEW, 90, facts, holds=True)
    if troubled * 1000 >= of * parameters.review_per_mille:
        return hit(Verdict.REVIEW, 60, facts)
    return passed(facts)


@dataclass(frozen=True, slots=True)
class Recent:
    """Less than so many hours ago is too recent."""

    hours: int


def _judge_changed(account: Account, parameters: Recent) -> Finding:
    if account.bank_shared_with is None:
        return not_run(UNTOLD)
    if account.bank_changed_at is None:
        return passed({"changed": "never, as far as is known"})
    age = account.at - account.bank_changed_at
    facts: Evidence = {
        "changed_at": account.bank_changed_at.isoformat(timespec="microseconds"),
        "age_in_hours": age // timedelta(hours=1),
        "age_in_hours_limit": parameters.hours,
    }
    if age >= timedelta(hours=parameters.hours):
        return passed(facts)
    return hit(Verdict.REVIEW, 60, facts, holds=True)


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to set."""


def _judge_shared(account: Account, parameters: Nothing) -> Finding:
    if account.bank_shared_with is None:
        return not_run(UNTOLD)
    others = account.bank_shared_with
    if not others:
        return passed({"others_paid_there": 0})
    facts: Evidence = {
        "others_paid_there": len(others),
        "paid_there_too": " ".join(others[:ORGANISATIONS_NAMED]),
    }
    return hit(Verdict.REVIEW, 60, facts, holds=True)


def _keyed(gifts: Sequence[str]) -> str:
    # Who knows a gift's id may open its page, so the ids stay out of the log.
    return " ".join(key_of("gift", gift)[:KEY_LENGTH] for gift in gifts[:GIFTS_NAMED])


TROUBLED_GIFTS = Rule(
    name="troubled_gifts",
    title="Disputes and warnings",
    words="{review_per_mille} or more of 1,000 gifts that settled in the last 30 days are disputed "
    "or warned of; from {hold_per_mille} on payouts are held. Fewer than {least_settled} gifts "
    "count as {least_settled}.",
    occasions=AT_ACCOUNT,
    defaults=Share(review_per_mille=5, hold_per_mille=9, least_settled=200),
    judge=_judge_share,
)
BANK_CHANGED = Rule(
    name="bank_changed",
    title="New bank details",
    words="The bank details that payouts go to changed less than {hours} hours ago.",
    occasions=AT_ACCOUNT,
    defaults=Recent(hours=72),
    judge=_judge_changed,
)
BANK_SHARED = Rule(
    name="bank_shared",
    title="Bank account of two organisations",
    words="Payouts go to a bank account that another organisation is paid to as well.",
    occasions=AT_ACCOUNT,
    defaults=Nothing(),
    judge=_judge_shared,
)
RULES = (TROUBLED_GIFTS, BANK_CHANGED, BANK_SHARED)
