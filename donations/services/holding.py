"""Gifts that are held: before their capture and in the ledger, as reviews decide."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone

from common.money import format_money
from donations.models import Donation
from donations.services.gifts import learn_donor, lock_gifts, save_facts
from donations.services.refunds import unbooked_refunds
from ledger.models import Entry
from ledger.operations import MoneyOperation
from organisations.models import Organisation
from reviews.choices import DUE_AFTER
from reviews.models import Case, Hold, Screening
from reviews.services import holds
from reviews.services.cases import LAPSE_SPARE, open_case
from reviews.services.holds import HELD, Money
from reviews.services.wording import why_in_words
from reviews.traits import key_of

LIVES_FOR = timedelta(days=7)  # as Stripe has it
CHARGED_ELSEWHERE = "The organisation charged the card itself, in Stripe’s dashboard."
LEFT_OVER = "Not all of the gift was given back: another refund of it failed."
FEES = (MoneyOperation.PROCESSING_FEE, MoneyOperation.DISPUTE_FEE)


@dataclass(frozen=True, slots=True)
class Authorisation:
    """What Stripe says of a card that is authorised for a gift, and not charged."""

    payment_intent: str
    lapses_at: datetime | None = None
    donor_email: str = ""
    donor_name: str = ""


@transaction.atomic
def note_authorised(
    *, organisation: Organisation, donation_id: str, authorisation: Authorisation
) -> None:
    """Put a gift whose card is authorised before staff; told again, it changes nothing."""
    donation = lock_gifts(organisation, [donation_id]).get(donation_id)
    if donation is None or not donation.authorise_only or donation.paid_at:
        return
    if donation.ended_as == Donation.Status.CANCELED:
        return  # It is told late.
    learn_donor(
        donation, donor_email=authorisation.donor_email, donor_name=authorisation.donor_name
    )
    save_facts(donation, "donor_email", "donor_name")
    if Hold.objects.of(organisation).filter(gift=donation.id).exists():
        return
    # Another card was declined before, or an earlier page expired: that was not the end.
    donation.ended_at, donation.ended_as = None, ""
    save_facts(donation, "ended_at", "ended_as")
    now = timezone.now()
    lapses_at = authorisation.lapses_at or now + LIVES_FOR
    due_at = min(lapses_at - LAPSE_SPARE, now + DUE_AFTER[Case.Kind.GIFT])
    holds.hold_before_capture(
        case=open_gift_case(donation, due_at=due_at),
        money=Money(
            organisation, donation.id, donation.amount, donation.currency, donation.purpose
        ),
        payment_intent=authorisation.payment_intent,
        lapses_at=lapses_at,
    )


@transaction.atomic
def note_let_go(*, organisation: Organisation, payment_intent: str, is_lapsed: bool) -> None:
    """Note that a card that was authorised is free again: canceled here or there, or lapsed."""
    hold = _before_capture(organisation, payment_intent)
    if hold is None:
        return
    donation = lock_gifts(organisation, [hold.gift])[hold.gift]
    donation.ended_at = timezone.now()
    donation.ended_as = Donation.Status.EXPIRED if is_lapsed else Donation.Status.CANCELED
    save_facts(donation, "ended_at", "ended_as")
    holds.finish(hold=hold, status=Hold.Status.LAPSED if is_lapsed else Hold.Status.REFUSED)


def note_captured(*, organisation: Organisation, payment_intent: str) -> None:
    """
    Note that a card was charged.

    Where nobody here had decided that, the organisation did it in Stripe's dashboard: the gift is
    screened and held in the ledger then.
    """
    hold = _before_capture(organisation, payment_intent)
    if hold and hold.status == Hold.Status.RELEASING:
        holds.finish(hold=hold, status=Hold.Status.RELEASED)
    elif hold:
        holds.finish(hold=hold, status=Hold.Status.LAPSED, why=CHARGED_ELSEWHERE)


def note_settled(donation: Donation) -> None:
    """Note that a gift's card was charged, where its settlement is heard of first."""
    own = Hold.objects.of(donation.organisation).filter(gift=donation.id)
    hold = own.under_way().filter(kind=Hold.Kind.CAPTURE).first()
    if hold:
        note_captured(organisation=donation.organisation, payment_intent=hold.payment_intent)


def open_gift_case(donation: Donation, *, due_at: datetime | None = None) -> Case:
    """Put a gift before staff, with why."""
    screenings = Screening.objects.filter(subject=donation.id).order_by("-at")
    why = next(filter(None, map(why_in_words, screenings)), "")
    return open_case(
        organisation=donation.organisation,
        kind=Case.Kind.GIFT,
        subject=donation.id,
        summary=f"A gift of {format_money(donation.amount, donation.currency)}. {why}".strip(),
        gift=donation.id,
        donor_key=key_of("email", donation.donor_email),
        amount=donation.settled_amount or donation.amount,
        currency=donation.settled_currency or donation.currency,
        due_at=due_at,
        again=True,
    )


def hold_settled(donation: Donation) -> Hold | None:
    """Move what is left of a locked, settled gift to `held`; None where nothing is left."""
    amount = _left_of(donation)
    if amount <= 0:
        return None
    return holds.hold_in_ledger(
        case=open_gift_case(donation),
        money=Money(
            donation.organisation,
            donation.id,
            amount,
            donation.settled_currency,
            donation.purpose,
        ),
    )


def purpose_now(organisation: Organisation, donation_id: str, purpose: str) -> str:
    """Return where a gift's money is, `held` or its own purpose; its row is locked for that."""
    lock_gifts(organisation, [donation_id])
    return HELD if holds.gifts_held(organisation, {donation_id}) else purpose


@transaction.atomic
def follow_gift(*, organisation: Organisation, donation_id: str) -> None:
    """
    Let a gift's hold follow what was booked of it, and what became of its refunds.

    Where staff refused it and its refunds ended without giving all of it back, since somebody
    else's failed meanwhile, the case is theirs again.
    """
    donation = lock_gifts(organisation, [donation_id])[donation_id]
    is_gone = donation.refunded_amount >= donation.amount
    holds.follow_money(organisation=organisation, gift=donation_id, is_gone=is_gone)
    own = Hold.objects.of(organisation).filter(gift=donation_id, kind=Hold.Kind.LEDGER)
    refused = own.filter(status=Hold.Status.REFUSING).select_related("case").first()
    if refused is None:
        return
    entries = Entry.objects.of(organisation).of_gift(donation_id)
    if not unbooked_refunds(donation, entries):
        holds.undo(case=refused.case, why=LEFT_OVER)


def _before_capture(organisation: Organisation, payment_intent: str) -> Hold | None:
    own = Hold.objects.of(organisation).under_way().select_related("organisation")
    return own.filter(kind=Hold.Kind.CAPTURE, payment_intent=payment_intent).first()


def _left_of(donation: Donation) -> int:
    entries = Entry.objects.of(donation.organisation).of_gift(donation.id)
    own = entries.filter(currency=donation.settled_currency).exclude(operation__in=FEES)
    sums = own.aggregate(
        into=Sum("amount", filter=Q(credit=donation.purpose), default=0),
        out=Sum("amount", filter=Q(debit=donation.purpose), default=0),
    )
    return int(sums["into"] - sums["out"])
