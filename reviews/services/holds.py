"""Holds: opened with a case, carried out as it was decided, each end once."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone

from ledger.models import PUBLIC, Book, Entry
from ledger.operations import MoneyOperation
from ledger.services import Draft, append
from organisations.models import Organisation
from reviews.errors import HoldNotOpen
from reviews.models import Case, Decision, Hold, Note
from reviews.services.cases import add_note, open_twin, overtake, start_round
from reviews.signals import hold_changed

HELD = "held"
Status = Hold.Status


@dataclass(frozen=True, slots=True)
class Money:
    """What is held of a gift: `amount` minor units of `currency`, given for `purpose`."""

    organisation: Organisation
    gift: str
    amount: int
    currency: str
    purpose: str


def hold_before_capture(
    *, case: Case, money: Money, payment_intent: str, lapses_at: datetime
) -> Hold:
    """Note that a card is authorised for a gift under review, and not charged."""
    hold = Hold.objects.create(
        organisation=money.organisation,
        case=case,
        gift=money.gift,
        kind=Hold.Kind.CAPTURE,
        amount=money.amount,
        currency=money.currency,
        purpose=money.purpose,
        payment_intent=payment_intent,
        lapses_at=lapses_at,
        next_attempt_at=lapses_at,  # to see whether the bank has let it go
    )
    hold_changed.send(Hold, hold=hold)
    return hold


@transaction.atomic
def hold_in_ledger(*, case: Case, money: Money) -> Hold:
    """Move a settled gift's money from its fund to `held`, until it is decided."""
    hold = Hold(
        organisation=money.organisation,
        case=case,
        gift=money.gift,
        kind=Hold.Kind.LEDGER,
        amount=money.amount,
        currency=money.currency,
        purpose=money.purpose,
    )
    entry = _move(hold, hold.amount, MoneyOperation.DONATION_HELD, "held")
    hold.held_at_sequence = entry.sequence
    hold.save(force_insert=True)
    hold_changed.send(Hold, hold=hold)
    return hold


def carry_out(*, case: Case, decision: Decision) -> None:
    """
    Begin what was decided of a case's hold; without one there is nothing to do.

    Money in the ledger is released at once. What Stripe must do, whoever is told of the change asks
    for, after this transaction. Raises `HoldNotOpen`.
    """
    hold = Hold.objects.select_for_update(of=["self"]).filter(case=case).first()
    if hold is None:
        return
    assert hold.status == Status.OPEN  # an open case has no other
    if decision.choice == "refuse" and hold.kind == Hold.Kind.LEDGER and held_of(hold) <= 0:
        finish(hold=hold, status=Status.REFUSED)
        return
    hold.decided_at = timezone.now()
    hold.status = Status.RELEASING if decision.choice == "release" else Status.REFUSING
    hold.next_attempt_at = hold.decided_at if hold.kind == Hold.Kind.CAPTURE else None
    hold.save(update_fields=["status", "decided_at", "next_attempt_at"])
    if hold.kind == Hold.Kind.LEDGER and hold.status == Status.RELEASING:
        _release(hold)
    hold_changed.send(Hold, hold=hold)


@transaction.atomic
def finish(*, hold: Hold, status: Hold.Status, why: str = "") -> Hold:
    """
    Note how a hold ended in the world; told again, it changes nothing.

    A hold that ended though nobody had decided (the bank let the card go) closes its case, and says
    `why` in it.
    """
    hold = Hold.objects.select_for_update(of=["self"]).select_related("case").get(pk=hold.pk)
    if hold.ended_at:
        return hold
    hold.status, hold.ended_at, hold.next_attempt_at = status, timezone.now(), None
    hold.save(update_fields=["status", "ended_at", "next_attempt_at"])
    overtake(case=hold.case, reason=why or ENDS[status])
    hold_changed.send(Hold, hold=hold)
    return hold


@transaction.atomic
def follow_money(*, organisation: Organisation, gift: str, is_gone: bool) -> None:
    """
    Let a gift's hold follow what was booked of it: ended where all was given back (`is_gone`).

    What the rates of two days left over goes back to the fund (or is taken from it), so that
    nothing stays in `held` of a gift that is gone. A refund that came back opens the hold again.
    """
    holds = Hold.objects.of(organisation).filter(gift=gift, kind=Hold.Kind.LEDGER)
    hold = holds.select_for_update(of=["self"]).select_related("case", "organisation").first()
    if hold is None or hold.status == Status.RELEASED:
        return
    if is_gone and not hold.ended_at:
        _clear(hold, held_of(hold))
        finish(hold=hold, status=Status.REFUSED)
    elif not is_gone and hold.ended_at and held_of(hold) > 0:
        undo(case=hold.case, why="The money came back, and is held again.")


@transaction.atomic
def undo(*, case: Case, why: str) -> None:
    """
    Open a decided case again, since what was decided did not come about, and say `why` in it.

    A case that is open, or was opened again for it, stays as it is.
    """
    case = Case.objects.select_for_update().get(pk=case.pk)
    hold = Hold.objects.select_for_update(of=["self"]).filter(case=case).first()
    if case.closed_at is None or open_twin(case):
        return
    start_round(case)
    add_note(case, Note.Kind.REOPENED, None, text=why)
    if hold and hold.status in (Status.REFUSING, Status.REFUSED):
        _open_again(hold)


def gifts_held(organisation: Organisation, gifts: set[str]) -> set[str]:
    """Return which of these gifts' money is in `held`, or would come back there."""
    holds = Hold.objects.of(organisation).filter(gift__in=gifts, kind=Hold.Kind.LEDGER)
    return set(holds.exclude(status=Status.RELEASED).values_list("gift", flat=True))


def held_of(hold: Hold) -> int:
    """Return how much of a hold's gift is in `held` now, in minor units of its currency."""
    entries = Entry.objects.of(hold.organisation_id).of_gift(hold.gift)
    sums = entries.filter(currency=hold.currency).aggregate(
        into=Sum("amount", filter=Q(credit=HELD), default=0),
        out=Sum("amount", filter=Q(debit=HELD), default=0),
    )
    return int(sums["into"] - sums["out"])


def _release(hold: Hold) -> None:
    left = held_of(hold)
    if left <= 0:
        raise HoldNotOpen("Nothing is held of this gift any more: its bank has taken it back.")
    entry = _move(hold, left, MoneyOperation.HOLD_RELEASED, "released")
    hold.status, hold.ended_at = Status.RELEASED, timezone.now()
    hold.released_at_sequence = entry.sequence
    hold.save(update_fields=["status", "ended_at", "released_at_sequence"])


def _clear(hold: Hold, left: int) -> None:
    if left > 0:
        _move(hold, left, MoneyOperation.HOLD_RELEASED, "rest")
    elif left < 0:
        _move(hold, -left, MoneyOperation.DONATION_HELD, "rest")


def _open_again(hold: Hold) -> None:
    hold.status, hold.ended_at, hold.decided_at = Status.OPEN, None, None
    hold.save(update_fields=["status", "ended_at", "decided_at"])
    hold_changed.send(Hold, hold=hold)


def _move(hold: Hold, amount: int, operation: MoneyOperation, leg: str) -> Entry:
    debit, credit = hold.purpose, HELD
    if operation == MoneyOperation.HOLD_RELEASED:
        debit, credit = credit, debit
    # A hold that was opened again is released under a name of its own.
    again = f":{hold.case.round}" if hold.case.round > 1 else ""
    draft = Draft(
        operation=operation,
        amount=amount,
        currency=hold.currency,
        debit=debit,
        credit=credit,
        nonce=f"hold:{hold.id}:{leg}{again}",
        metadata={"donation": hold.gift},
    )
    book = Book.objects.get(organisation=hold.organisation_id, book=PUBLIC)
    [entry] = append(book=book, drafts=[draft])
    return entry


ENDS = {
    Status.RELEASED: "The card was charged.",
    Status.REFUSED: "The gift was given back.",
    Status.LAPSED: "Nobody decided in time: the donor’s bank has let the payment go.",
}
