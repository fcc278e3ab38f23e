"""Opening cases, and what people do with them until they are decided."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from organisations.models import Membership, Organisation, User
from reviews.choices import DUE_AFTER
from reviews.errors import (
    CaseClosed,
    CaseSettled,
    CaseStillOpen,
    NotStaff,
    OwnCase,
    ReasonMissing,
    SnoozedIntoThePast,
    SnoozedPastLapse,
)
from reviews.models import Case, Hold, Note, PayoutHold
from reviews.models.cases import OVERTAKEN
from reviews.services import applying
from reviews.traits import key_of

SNOOZE_MAX = timedelta(days=30)
# As much is left of an authorised card's time when its case is due, or comes back to the queue.
LAPSE_SPARE = timedelta(hours=12)


def open_case(
    *,
    organisation: Organisation | None,
    kind: Case.Kind,
    subject: str,
    summary: str,
    again: bool = False,
    gift: str = "",
    donor_key: str = "",
    amount: int | None = None,
    currency: str = "",
    due_at: datetime | None = None,
    people_needed: int = 1,
) -> Case:
    """
    Put something before staff; the same subject again returns the case that is there.

    `amount` minor units of `currency` are at stake; from the limit on two people are needed, of
    whom `people_needed` may ask for less money, too. A case that was closed stays so, unless it is
    news that the thing is there `again`: then a new one is opened.
    """
    known = Case.objects.filter(kind=kind, subject=subject)
    newest = known.order_by(F("closed_at").desc(nulls_first=True)).first()
    if newest and not (again and newest.closed_at):
        return newest
    usual = DUE_AFTER.get(kind)
    fields = {
        "organisation": organisation,
        "summary": summary,
        "gift": gift,
        "donor_key": donor_key,
        "amount": amount,
        "currency": currency,
        "due_at": due_at or (usual and timezone.now() + usual),
        "people_needed": people_needed,
    }
    # Whoever opens it at the same time returns the same case.
    case, _ = known.get_or_create(kind=kind, subject=subject, closed_at=None, defaults=fields)
    return case


@transaction.atomic
def take(*, case: Case, by: User) -> Case:
    """Let a person answer for a case, whoever did before. Raises `CaseClosed`, `OwnCase`."""
    case = lock_open(case)
    check_is_of_others(case, by)
    if case.assigned_to != by:
        _assign(case, by)
        add_note(case, Note.Kind.TAKEN, by)
    return case


@transaction.atomic
def hand_over(*, case: Case, by: User, to: User, text: str = "") -> Case:
    """
    Give a case to somebody else who may decide it.

    Raises `CaseClosed`, `NotStaff`, and `OwnCase` where it is about either one's own.
    """
    if not (to.is_active and to.is_staff and to.has_perm("reviews.decide_case")):
        raise NotStaff
    case = lock_open(case)
    check_is_of_others(case, by)
    if is_own(case, to):
        raise OwnCase(f"This case is about {to}’s own organisation or gift. Choose somebody else.")
    if case.assigned_to != to:
        _assign(case, to)
        add_note(case, Note.Kind.HANDED_OVER, by, text=text, to=to)
    return case


@transaction.atomic
def put_back(*, case: Case, by: User) -> Case:
    """Leave a case to whoever takes it next. Raises `CaseClosed`, `OwnCase`."""
    case = lock_open(case)
    check_is_of_others(case, by)
    if case.assigned_to:
        _assign(case, None)
        add_note(case, Note.Kind.PUT_BACK, by)
    return case


def comment(*, case: Case, by: User, text: str) -> Note:
    """Say something about a case, also when it is closed. Raises `ReasonMissing`."""
    if not text.strip():
        raise ReasonMissing("Write what you want to say.")
    return add_note(case, Note.Kind.COMMENT, by, text=text)


@transaction.atomic
def snooze(*, case: Case, by: User, until: datetime, text: str = "") -> Case:
    """
    Put a case off until a moment.

    Raises `CaseClosed`, `OwnCase`, `SnoozedIntoThePast`, and `SnoozedPastLapse` where an authorised
    card would be let go before anybody looks again.
    """
    now = timezone.now()
    if not now < until <= now + SNOOZE_MAX:
        raise SnoozedIntoThePast
    case = lock_open(case)
    check_is_of_others(case, by)
    _check_is_before_lapse(case, until)
    case.snoozed_until = until
    case.save(update_fields=["snoozed_until"])
    said = f"until {until:%d %B %Y, %H:%M} UTC. {text}".strip()
    add_note(case, Note.Kind.SNOOZED, by, text=said)
    return case


@transaction.atomic
def say_more(*, case: Case, text: str) -> None:
    """
    Let an open case be decided by what was found since: what was proposed before counts no more.

    Raises `CaseClosed`.
    """
    case = lock_open(case)
    case.round += 1
    case.save(update_fields=["round"])
    add_note(case, Note.Kind.MORE, None, text=text)


@transaction.atomic
def reopen(*, case: Case, by: User, reason: str) -> Case:
    """
    Open a decided case for another round.

    Raises `CaseStillOpen`, `ReasonMissing`, `OwnCase`, `CaseSettled` where the decision moved
    money, and `AlreadyDecided` where it is an application that was not rejected.
    """
    if not reason.strip():
        raise ReasonMissing
    case = Case.objects.select_for_update().get(pk=case.pk)
    check_is_of_others(case, by)
    if not case.closed_at or open_twin(case):
        raise CaseStillOpen
    held = Hold.objects.filter(case=case), PayoutHold.objects.filter(case=case)
    if case.choice == "refuse" or any(rows.exists() for rows in held):
        raise CaseSettled
    applying.take_back(case=case, by=by)
    start_round(case)
    add_note(case, Note.Kind.REOPENED, by, text=reason)
    return case


def start_round(case: Case) -> None:
    """Open a locked, closed case for another decision; what was decided before stays."""
    case.round += 1
    case.closed_at, case.closed_by, case.choice, case.reason = None, None, "", ""
    case.snoozed_until = None
    case.save(
        update_fields=["round", "closed_at", "closed_by", "choice", "reason", "snoozed_until"]
    )


def open_twin(case: Case) -> Case | None:
    """Return the open case about the same thing, if it came up again meanwhile."""
    return Case.objects.open().filter(kind=case.kind, subject=case.subject).first()


@transaction.atomic
def overtake(*, case: Case, reason: str) -> Case:
    """Close a case that has nothing left to decide, by nobody; a closed one stays as it is."""
    case = Case.objects.select_for_update().get(pk=case.pk)
    if case.closed_at is None:
        case.closed_at, case.choice, case.reason = timezone.now(), OVERTAKEN, reason
        case.save(update_fields=["closed_at", "choice", "reason"])
        add_note(case, Note.Kind.OVERTAKEN, None, text=reason)
    return case


def overtake_of(*, kind: Case.Kind, subjects: Iterable[str], reason: str) -> None:
    """Close the open cases about things that need nobody's decision any more."""
    found = Case.objects.open().filter(kind=kind, subject__in=list(subjects))
    for case in found.order_by("id"):
        overtake(case=case, reason=reason)


def lock_open(case: Case) -> Case:
    """Return an open case, locked for a change. Raises `CaseClosed`."""
    case = Case.objects.select_for_update(of=["self"]).get(pk=case.pk)
    if case.closed_at:
        raise CaseClosed
    return case


def is_own(case: Case, person: User) -> bool:
    """Tell whether a case is about a person's own organisation or gift."""
    if case.donor_key and case.donor_key == key_of("email", person.email):
        return True
    members = Membership.objects.filter(organisation=case.organisation_id, user=person)
    return case.organisation_id is not None and members.exists()


def check_is_of_others(case: Case, person: User) -> None:
    """Refuse whoever would act on a case about themselves. Raises `OwnCase`."""
    if is_own(case, person):
        raise OwnCase


def add_note(
    case: Case, kind: Note.Kind, by: User | None, *, text: str = "", to: User | None = None
) -> Note:
    """Write a line into a case's history."""
    return Note.objects.create(case=case, kind=kind, by=by, to=to, text=text.strip())


def _check_is_before_lapse(case: Case, until: datetime) -> None:
    under_way = Hold.objects.under_way().filter(case=case)
    lapses_at = under_way.values_list("lapses_at", flat=True).first()
    if lapses_at and until > (latest := lapses_at - LAPSE_SPARE):
        raise SnoozedPastLapse(
            f"The bank lets the card go on {lapses_at:%d %B %Y, %H:%M} UTC. Put it off until "
            f"{latest:%d %B %Y, %H:%M} UTC at most."
        )


def _assign(case: Case, person: User | None) -> None:
    case.assigned_to = person
    case.save(update_fields=["assigned_to"])
