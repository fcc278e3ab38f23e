"""What staff do with one case: each act is one call of a service, and says what was done."""

from collections.abc import Callable, Mapping
from typing import Any

from organisations.models import User
from reviews.choices import choice_of
from reviews.forms import until
from reviews.models import Case
from reviews.services import cases
from reviews.services.deciding import decide

Given = Mapping[str, Any]


def act(case: Case, by: User, given: Given) -> str:
    """Do what was asked, and return it in words."""
    return ACTS[given["act"]](case, by, given)


def decide_so(case: Case, by: User, choice: str, reason: str, of_round: int | None = None) -> str:
    """Decide or propose; return which it was."""
    outcome = decide(case=case, by=by, choice=choice, reason=reason, of_round=of_round)
    chosen = choice_of(case, choice)
    label = chosen.label.lower() if chosen else choice
    if outcome.is_final:
        return f"decided: {label}"
    return f"proposed: {label}. Somebody else has to confirm it"


def _decide(case: Case, by: User, given: Given) -> str:
    return decide_so(case, by, given["choice"], given["reason"], given["round"])


def _take(case: Case, by: User, given: Given) -> str:
    cases.take(case=case, by=by)
    return "taken: it is yours"


def _put_back(case: Case, by: User, given: Given) -> str:
    cases.put_back(case=case, by=by)
    return "put back: it waits for anybody"


def _hand_over(case: Case, by: User, given: Given) -> str:
    cases.hand_over(case=case, by=by, to=given["to"], text=given["reason"])
    return f"handed over to {given['to']}"


def _comment(case: Case, by: User, given: Given) -> str:
    cases.comment(case=case, by=by, text=given["reason"])
    return "your comment is kept"


def _snooze(case: Case, by: User, given: Given) -> str:
    moment = until(given["until"], given["on"])
    cases.snooze(case=case, by=by, until=moment, text=given["reason"])
    return f"put off until {moment:%d %B %Y, %H:%M} UTC"


def _reopen(case: Case, by: User, given: Given) -> str:
    cases.reopen(case=case, by=by, reason=given["reason"])
    return "opened again"


ACTS: dict[str, Callable[[Case, User, Given], str]] = {
    "decide": _decide,
    "take": _take,
    "put_back": _put_back,
    "hand_over": _hand_over,
    "comment": _comment,
    "snooze": _snooze,
    "reopen": _reopen,
}
