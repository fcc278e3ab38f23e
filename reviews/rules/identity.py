"""Who pays: what a card says of its holder, beside what is known here. It only scores."""

from dataclasses import dataclass

from reviews.rules.facts import History
from reviews.rules.rule import Finding, Rule, Verdict, hit, not_run, passed

AT_SETTLEMENT = frozenset({"settlement"})


@dataclass(frozen=True, slots=True)
class Abroad:
    """How much a card of another country scores."""

    score: int


def _judge_country(history: History, parameters: Abroad) -> Finding:
    card, here = history.gift.traits.country, history.gift.organisation.country
    if not card:
        return not_run("The card's country is not known.")
    facts = {"card": card, "organisation": here}
    return passed(facts) if card == here else hit(Verdict.APPROVE, parameters.score, facts)


@dataclass(frozen=True, slots=True)
class OtherNames:
    """How many other names on the same card, at this organisation, score how much."""

    names: int
    score: int


def _judge_donor(history: History, parameters: OtherNames) -> Finding:
    traits = history.gift.traits
    if not (traits.card or traits.email or traits.name):
        return not_run("Nothing is known of who paid.")
    names = _others(history, "name")
    facts = {
        "gifts_with_card": history.gifts_of("card"),
        "gifts_with_email": history.gifts_of("email"),
        "gifts_with_name": history.gifts_of("name"),
        "other_names": names,
        "other_names_limit": parameters.names,
        "other_emails": _others(history, "email"),
    }
    if names < parameters.names:
        return passed(facts)
    return hit(Verdict.APPROVE, parameters.score, facts)


def _others(history: History, what: str) -> int:
    seen = history.different(what, trait="card", here=True)
    own = history.gift.traits.card and getattr(history.gift.traits, what)
    return seen - 1 if own else seen


CARD_ABROAD = Rule(
    name="card_abroad",
    title="Card of another country",
    words="The card is of another country than the organisation: it scores {score}, and no more.",
    occasions=AT_SETTLEMENT,
    defaults=Abroad(score=20),
    judge=_judge_country,
)
KNOWN_DONOR = Rule(
    name="known_donor",
    title="Who paid, as far as it is known here",
    words="Earlier gifts here with the same card, e-mail address or name are shown; {names} or "
    "more other names on the same card score {score}, and no more.",
    occasions=AT_SETTLEMENT,
    defaults=OtherNames(names=1, score=20),
    judge=_judge_donor,
)
RULES = (CARD_ABROAD, KNOWN_DONOR)
