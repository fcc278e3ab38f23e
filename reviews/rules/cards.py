"""Who pays with which card: the rules that tell cards apart by their fingerprints."""

from dataclasses import dataclass
from datetime import timedelta

from reviews.rules.facts import History
from reviews.rules.rule import Evidence, Finding, Rule, Verdict, hit, not_run, passed
from reviews.rules.testing import PAYER


@dataclass(frozen=True, slots=True)
class Cards:
    """So many different cards in so many hours, this gift's among them, are too many."""

    cards: int
    hours: int


def _judge_cards(history: History, parameters: Cards) -> Finding:
    window = timedelta(hours=parameters.hours)
    known = [trait for trait in PAYER if getattr(history.gift.traits, trait)]
    if not known:
        return not_run("Neither the e-mail address nor the network address is known.")
    counts = {trait: history.different("card", trait=trait, within=window) for trait in known}
    most = max(known, key=lambda trait: counts[trait])
    facts: Evidence = {
        "cards": counts[most],
        "limit": parameters.cards,
        "hours": parameters.hours,
        "by": most,
    }
    if counts[most] < parameters.cards:
        return passed(facts)
    return hit(Verdict.REVIEW, 60, facts)


@dataclass(frozen=True, slots=True)
class Emails:
    """So many different e-mail addresses in so many days, this gift's too, are odd, or too many."""

    review: int
    block: int
    days: int


def _judge_emails(history: History, parameters: Emails) -> Finding:
    if not history.gift.traits.card:
        return not_run("The card is not known.")
    window = timedelta(days=parameters.days)
    emails = history.different("email", trait="card", within=window)
    facts = {
        "emails": emails,
        "limit": parameters.review,
        "block_limit": parameters.block,
        "days": parameters.days,
    }
    if emails >= parameters.block:
        return hit(Verdict.BLOCK, 90, facts, holds=True)
    if emails >= parameters.review:
        return hit(Verdict.REVIEW, 60, facts)
    return passed(facts)


MANY_CARDS = Rule(
    name="many_cards",
    title="Many cards of one donor",
    words="{cards} or more different cards in {hours} hours with one e-mail address or from one "
    "network address.",
    occasions=frozenset({"promise", "settlement"}),
    defaults=Cards(cards=3, hours=24),
    judge=_judge_cards,
)
MANY_EMAILS = Rule(
    name="many_emails",
    title="One card, many e-mail addresses",
    words="{review} or more e-mail addresses with one card in {days} days; from {block} on the "
    "gift is held at once.",
    occasions=frozenset({"settlement"}),
    defaults=Emails(review=3, block=5, days=7),
    judge=_judge_emails,
)
RULES = (MANY_CARDS, MANY_EMAILS)
