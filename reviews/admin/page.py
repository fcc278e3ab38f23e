"""What the page of a case shows: everything that a reviewer needs, on one screen."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.timesince import timesince, timeuntil

from common.money import format_money
from ledger.models import Entry
from organisations.models import User
from reviews.admin.queue import age_of, due_of
from reviews.admin.reasons import alike, screened
from reviews.choices import Choice, choice_of, choices_of, needs_two
from reviews.forms import UNTIL, deciders
from reviews.models import Case, Hold, Note
from reviews.models.cases import OVERTAKEN
from reviews.panels import panels_of
from reviews.services.cases import is_own
from reviews.services.deciding import newest_proposal
from reviews.services.holds import held_of

HOLD_WORDS = {
    Hold.Kind.CAPTURE: (
        "The card is authorised and not charged. Released, it is charged; given back, its bank "
        "lets the money go."
    ),
    Hold.Kind.LEDGER: (
        "The gift is settled, and its money stands in “held” in the public book: it counts nowhere "
        "until it is released or refunded."
    ),
}


@dataclass(frozen=True, slots=True)
class Option:
    """One way to decide: what its button says, what follows, and whether it can be pressed."""

    choice: Choice
    label: str
    note: str = ""
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of what happened to a case."""

    note: Note
    words: str
    text: str


def page_of(case: Case, user: User, *, may_decide: bool) -> dict[str, Any]:
    """Return what the template of the page needs."""
    now, left = timezone.now(), _left(case)
    return {
        "case": case,
        "left": left,
        "age": age_of(case.opened_at, now),
        "due": due_of(case, now),
        "needs_two": needs_two(case),
        "is_put_off": bool(case.snoozed_until and case.snoozed_until > now),
        "decided_as": _decided_as(case),
        "screenings": screened(case),
        "alike": [(each, _decided_as(each)) for each in alike(case)],
        "panels": panels_of(case, user),
        "entries": _entries(case),
        "names": {},
        "happenings": _happenings(case),
        **_hold(case, now),
        **_desk(case, user, left, may_decide=may_decide),
    }


def _desk(case: Case, user: User, left: int | None, *, may_decide: bool) -> dict[str, Any]:
    if not may_decide:
        return {"bar": "Your account may look at cases, and not decide them."}
    if is_own(case, user):
        bar = "This case is about your own organisation or gift: somebody else decides it."
        return {"may_decide": True, "is_own": True, "bar": bar}
    if case.closed_at:
        return {"may_decide": True}
    desk = {
        "may_decide": True,
        "deciders": deciders().exclude(pk=user.pk),
        "untils": UNTIL.items(),
    }
    proposal = newest_proposal(case) if needs_two(case) else None
    proposed = choice_of(case, proposal.choice) if proposal else None
    return desk | {
        "proposal": proposal,
        "proposed_as": proposed.label if proposed else "",
        "is_own_proposal": bool(proposal and proposal.by_id == user.pk),
        "options": [_option(case, each, proposal, user, left) for each in choices_of(case)],
    }


def _option(case: Case, choice: Choice, proposal: Any, user: User, left: int | None) -> Option:
    label = choice.label
    if case.amount and case.gift and choice.key in {"release", "refuse"}:
        label = f"{label}: {format_money(case.amount if left is None else left, case.currency)}"
    if choice.changes_nothing or not needs_two(case):
        return Option(choice, label)
    if not proposal:
        return Option(choice, f"Propose: {label}", "Somebody else has to confirm it.")
    if proposal.choice != choice.key:
        return Option(choice, f"Propose otherwise: {label}", "Somebody else has to confirm it.")
    if proposal.by_id == user.pk:
        return Option(choice, label, "You proposed it: it waits for somebody else.", is_open=False)
    return Option(choice, f"Confirm: {label}", f"{proposal.by} proposed it; you are the second.")


def _decided_as(case: Case) -> str:
    if case.choice == OVERTAKEN:
        return "Overtaken by events"
    choice = choice_of(case, case.choice)
    return choice.label if choice else case.choice


def _entries(case: Case) -> list[Entry]:
    if not (case.gift and case.organisation):
        return []
    return list(Entry.objects.of(case.organisation).of_gift(case.gift))


def _left(case: Case) -> int | None:
    """Return how much is still in `held` of what a case holds there, in minor units."""
    hold = Hold.objects.under_way().filter(case=case, kind=Hold.Kind.LEDGER).first()
    return max(held_of(hold), 0) if hold else None


def _hold(case: Case, now: datetime) -> dict[str, Any]:
    hold = Hold.objects.filter(case=case).first()
    if hold is None:
        return {}
    lapses = ""
    if hold.lapses_at and not hold.ended_at:
        is_over = hold.lapses_at <= now
        span = timesince(hold.lapses_at, now, depth=1) if is_over else ""
        left = timeuntil(hold.lapses_at, now, depth=2)
        lapses = f"lapsed {span} ago" if is_over else f"lapses in {left}"
    return {"hold": hold, "hold_words": HOLD_WORDS[Hold.Kind(hold.kind)], "lapses": lapses}


def _happenings(case: Case) -> list[Happening]:
    found = Note.objects.filter(case=case).select_related("by", "to")
    return [_happening(case, note) for note in found]


def _happening(case: Case, note: Note) -> Happening:
    if note.kind not in {Note.Kind.PROPOSED, Note.Kind.DECIDED}:
        return Happening(note, note.get_kind_display(), note.text)
    # A decision's text begins with its key, which people never see.
    key, _, reason = note.text.partition(": ")
    choice = choice_of(case, key)
    label = choice.label if choice else key
    return Happening(note, f"{note.get_kind_display()}: {label}", reason)
