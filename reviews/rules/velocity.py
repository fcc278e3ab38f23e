"""How often somebody tries: the rules that count tries from one place or by one person."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from reviews.rules.facts import History
from reviews.rules.rule import Finding, Rule, Verdict, hit, not_run, passed

PROMISED, DECLINED, PAID = "promised", "declined", "paid"
AT_PROMISE = frozenset({"promise"})
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Pace:
    """So many tries are allowed in an hour, this one among them; the next is one too many."""

    per_hour: int


def _pace(trait: str, *, here: bool = False) -> Callable[[History, Pace], Finding]:
    def judge(history: History, parameters: Pace) -> Finding:
        if not getattr(history.gift.traits, trait):
            return not_run(f"The {trait} is not known.")
        tries = history.tries([PROMISED], trait=trait, within=HOUR, here=here)
        facts = {"tries": tries, "limit": parameters.per_hour, "minutes": 60}
        if tries <= parameters.per_hour:
            return passed(facts)
        return hit(Verdict.CHALLENGE, 40, facts)

    return judge


ADDRESS_PACE = Rule(
    name="address_pace",
    title="Gifts from one network address",
    words="More than {per_hour} gifts are tried from one network address in an hour.",
    occasions=AT_PROMISE,
    defaults=Pace(per_hour=5),
    judge=_pace("address"),
)
EMAIL_PACE = Rule(
    name="email_pace",
    title="Gifts with one e-mail address",
    words="More than {per_hour} gifts are tried with one e-mail address in an hour, anywhere.",
    occasions=AT_PROMISE,
    defaults=Pace(per_hour=10),
    judge=_pace("email"),
)
DONOR_PACE = Rule(
    name="donor_pace",
    title="Gifts of one donor to one organisation",
    words="One donor tries more than {per_hour} gifts to this organisation in an hour.",
    occasions=AT_PROMISE,
    defaults=Pace(per_hour=2),
    judge=_pace("email", here=True),
)
RULES = (ADDRESS_PACE, EMAIL_PACE, DONOR_PACE)
