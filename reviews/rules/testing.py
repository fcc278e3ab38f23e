"""Card testing: programs that try stolen cards on a form, from one place or from many."""

from dataclasses import dataclass
from datetime import timedelta

from reviews.rules.facts import History
from reviews.rules.rule import Evidence, Finding, Rule, Verdict, hit, not_run, passed
from reviews.rules.velocity import AT_PROMISE, DECLINED, PAID, PROMISED

MINUTE = timedelta(minutes=1)
VISITOR = ("address", "session", "email")
PAYER = ("email", "address")


@dataclass(frozen=True, slots=True)
class Declines:
    """So many declines in so many minutes, all before this try, are too many."""

    declines: int
    minutes: int


def _judge_declines(history: History, parameters: Declines) -> Finding:
    window = timedelta(minutes=parameters.minutes)
    known = [trait for trait in VISITOR if getattr(history.gift.traits, trait)]
    if not known:
        return not_run("Nothing is known that tells this visitor from others.")
    counts = {trait: history.tries([DECLINED], trait=trait, within=window) for trait in known}
    facts: Evidence = {
        "declines": max(counts.values()),
        "limit": parameters.declines,
        "minutes": parameters.minutes,
    }
    bound = tuple(trait for trait in known if counts[trait] >= parameters.declines)
    if not bound:
        return passed(facts)
    return hit(Verdict.BLOCK, 90, {**facts, "by": ", ".join(bound)}, binds=bound)


@dataclass(frozen=True, slots=True)
class Rush:
    """So many declines before this try, or tries with this one, are too many in a minute."""

    declines: int
    attempts: int


def _judge_rush(history: History, parameters: Rush) -> Finding:
    declines = history.tries_here([DECLINED], within=MINUTE)
    attempts = history.tries_here([PROMISED], within=MINUTE)
    facts = {
        "declines": declines,
        "declines_limit": parameters.declines,
        "attempts": attempts,
        "attempts_limit": parameters.attempts,
        "minutes": 1,
    }
    if declines < parameters.declines and attempts < parameters.attempts:
        return passed(facts)
    return hit(Verdict.CHALLENGE, 40, facts, binds=("organisation",))


@dataclass(frozen=True, slots=True)
class Series:
    """
    From so many payments on, made before this try: that share failed, with that many cards.

    `cards_percent` is how many different cards there are for 100 payments.
    """

    payments: int
    days: int
    failed_percent: int
    cards_percent: int


def _judge_series(history: History, parameters: Series) -> Finding:
    if not any(getattr(history.gift.traits, trait) for trait in PAYER):
        return not_run("Neither the e-mail address nor the network address is known.")
    looked_at = [(_series_of(history, trait, parameters.days), trait) for trait in PAYER]
    bound = tuple(trait for facts, trait in looked_at if _is_testing(facts, parameters))
    worst = max((facts for facts, _ in looked_at), key=lambda facts: facts["payments"])
    shown: Evidence = {**worst, "limit": parameters.payments, "days": parameters.days}
    if not bound:
        return passed(shown)
    return hit(Verdict.BLOCK, 90, {**shown, "by": ", ".join(bound)}, binds=bound)


def _series_of(history: History, trait: str, days: int) -> dict[str, int]:
    window = timedelta(days=days)
    return {
        "payments": history.tries([DECLINED, PAID], trait=trait, within=window),
        "failed": history.tries([DECLINED], trait=trait, within=window),
        "cards": history.different("card", trait=trait, within=window),
    }


def _is_testing(facts: dict[str, int], parameters: Series) -> bool:
    payments = facts["payments"]
    return (
        payments >= parameters.payments
        and facts["failed"] * 100 >= payments * parameters.failed_percent
        and facts["cards"] * 100 >= payments * parameters.cards_percent
    )


DECLINED_CARDS = Rule(
    name="declined_cards",
    title="Cards declined one after the other",
    words="{declines} or more cards were declined in {minutes} minutes before: from one network "
    "address, in one browser, or with one e-mail address.",
    occasions=AT_PROMISE,
    defaults=Declines(declines=5, minutes=10),
    judge=_judge_declines,
)
ORGANISATION_RUSH = Rule(
    name="organisation_rush",
    title="A rush on one organisation",
    words="{declines} or more cards were declined before, or {attempts} or more gifts tried, at "
    "one organisation within a minute.",
    occasions=AT_PROMISE,
    defaults=Rush(declines=10, attempts=30),
    judge=_judge_rush,
)
CARD_SERIES = Rule(
    name="card_series",
    title="A series of failing cards",
    words="{payments} or more payments in {days} days before, with one e-mail address or from one "
    "network address, of which {failed_percent} % or more failed, with {cards_percent} or more "
    "different cards for 100 payments.",
    occasions=AT_PROMISE,
    defaults=Series(payments=10, days=5, failed_percent=80, cards_percent=80),
    judge=_judge_series,
)
RULES = (DECLINED_CARDS, ORGANISATION_RUSH, CARD_SERIES)
