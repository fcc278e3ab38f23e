"""How much is given, by whom, and how soon it is asked back."""

from dataclasses import dataclass, field
from datetime import timedelta

from reviews.rules.facts import Gift, History
from reviews.rules.rule import (
    Amounts,
    Evidence,
    Finding,
    Rule,
    Verdict,
    hit,
    minor,
    not_run,
    passed,
)

AT_PROMISE_AND_SETTLEMENT = frozenset({"promise", "settlement"})
IDENTITY = ("email", "card")


def _amount_of(gift: Gift) -> dict[str, int | str]:
    return {"amount": gift.amount, "currency": gift.currency}


@dataclass(frozen=True, slots=True)
class Unusual:
    """Beside so many gifts before this one: more than so many times their median, from least on."""

    times: int
    gifts: int
    least: Amounts = field(default_factory=lambda: {"*": 500})


def _judge_unusual(history: History, parameters: Unusual) -> Finding:
    gift, least = history.gift, minor(parameters.least, history.gift.currency)
    facts: Evidence = {**_amount_of(gift), "least_amount": least}
    if gift.amount < least:
        return passed(facts)
    gifts, median = history.gifts_here()
    if gifts < parameters.gifts:
        return not_run(f"Fewer than {parameters.gifts} gifts settled here in this currency.")
    facts = {**facts, "median_amount": median, "limit_amount": parameters.times * median}
    if gift.amount <= parameters.times * median:
        return passed(facts)
    return hit(Verdict.REVIEW, 60, facts)


@dataclass(frozen=True, slots=True)
class First:
    """A donor's first gift from least on, where the organisation is young or has few others."""

    days: int
    gifts: int
    least: Amounts = field(default_factory=lambda: {"*": 1000})


def _judge_first(history: History, parameters: First) -> Finding:
    gift, least = history.gift, minor(parameters.least, history.gift.currency)
    facts: Evidence = {**_amount_of(gift), "least_amount": least}
    if gift.amount < least:
        return passed(facts)
    # Of whom nothing is known, nothing says that they gave before.
    earlier = max(history.gifts_of(trait) for trait in IDENTITY)
    since = history.known_since()
    age = gift.at - since if since else timedelta()
    settled = history.settled_here(most=parameters.gifts)
    facts = {**facts, "earlier": earlier, "days": age.days, "days_limit": parameters.days}
    facts = {**facts, "settled": settled, "settled_limit": parameters.gifts}
    is_new = age < timedelta(days=parameters.days) or settled < parameters.gifts
    if earlier or not is_new:
        return passed(facts)
    return hit(Verdict.REVIEW, 60, facts, holds=True)


@dataclass(frozen=True, slots=True)
class JustBelow:
    """So many gifts in so many days, this one too: each so many percent of a limit, up to all."""

    gifts: int
    days: int
    percent: int
    limit: Amounts = field(default_factory=lambda: {"*": 1000})


def _judge_just_below(history: History, parameters: JustBelow) -> Finding:
    gift, most = history.gift, minor(parameters.limit, history.gift.currency)
    least = -(-most * parameters.percent // 100)
    facts: Evidence = {**_amount_of(gift), "least_amount": least, "most_amount": most}
    if not any(getattr(gift.traits, trait) for trait in IDENTITY):
        return not_run("Neither the e-mail address nor the card is known.")
    if not least <= gift.amount <= most:
        return passed(facts)
    window = timedelta(days=parameters.days)
    gifts = 1 + max(
        history.gifts_alike(trait=trait, within=window, least=least, most=most)
        for trait in IDENTITY
    )
    facts = {**facts, "gifts": gifts, "limit": parameters.gifts, "days": parameters.days}
    return hit(Verdict.REVIEW, 60, facts) if gifts >= parameters.gifts else passed(facts)


@dataclass(frozen=True, slots=True)
class Soon:
    """Less than so many days after a gift from least on, however much of it is asked back."""

    days: int
    least: Amounts = field(default_factory=lambda: {"*": 250})


def _judge_refund(history: History, parameters: Soon) -> Finding:
    gift, least = history.gift, minor(parameters.least, history.gift.currency)
    if gift.paid_at is None:
        return not_run("It is not known when the gift was paid.")
    age = gift.at - gift.paid_at
    facts: Evidence = {**_amount_of(gift), "least_amount": least}
    facts = {**facts, "days": age.days, "days_limit": parameters.days}
    if gift.amount < least or age >= timedelta(days=parameters.days):
        return passed(facts)
    return hit(Verdict.REVIEW, 60, facts)


UNUSUAL_AMOUNT = Rule(
    name="unusual_amount",
    title="Far more than is usual here",
    words="More than {times} times the organisation's median gift, and {least} or more, where "
    "{gifts} or more gifts settled in this currency before.",
    occasions=AT_PROMISE_AND_SETTLEMENT,
    defaults=Unusual(times=10, gifts=30),
    judge=_judge_unusual,
)
FIRST_GIFT = Rule(
    name="first_gift",
    title="Large first gift to a new organisation",
    words="A donor's first gift of {least} or more, to an organisation that is public for less "
    "than {days} days or had fewer than {gifts} gifts before.",
    occasions=AT_PROMISE_AND_SETTLEMENT,
    defaults=First(days=30, gifts=10),
    judge=_judge_first,
)
JUST_BELOW = Rule(
    name="just_below",
    title="Gifts just below a limit",
    words="{gifts} or more gifts of one donor in {days} days, each from {percent} to 100 % of "
    "{limit}.",
    occasions=frozenset({"settlement"}),
    defaults=JustBelow(gifts=3, days=7, percent=80),
    judge=_judge_just_below,
)
SOON_REFUNDED = Rule(
    name="soon_refunded",
    title="Refund soon after a large gift",
    words="A refund is asked for less than {days} days after a gift of {least} or more.",
    occasions=frozenset({"refund"}),
    defaults=Soon(days=7),
    judge=_judge_refund,
)
RULES = (UNUSUAL_AMOUNT, FIRST_GIFT, JUST_BELOW, SOON_REFUNDED)
