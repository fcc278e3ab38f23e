"""
Booking: every balance transaction becomes entries of the public book, once.

The nonce of an entry is `stripe:<account>:<balance transaction>:<leg>`, so that events that are
lost, doubled, late or in another order cannot change the books.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import DataError, IntegrityError, transaction

from common.errors import DomainError, in_words
from donations.errors import GiftDiffers
from donations.models import Donation
from donations.services import gifts
from donations.services.gifts import ChargeFacts
from donations.services.holding import follow_gift, purpose_now
from donations.services.recurring import payment_of
from ledger.commitments import Detail, details_of
from ledger.models import PUBLIC, Book, Entry
from ledger.services import Draft, append
from ledger.services.openings import keep_details
from ledger.services.retrying import retried
from organisations.models import Organisation
from reviews.models import Case
from reviews.services.attempts import Payment, record_paid
from reviews.services.cases import open_case
from reviews.traits import key_of
from treasury.errors import (
    ApplicationFeeFound,
    ChargeNotBooked,
    TransactionMalformed,
    WrongLivemode,
)
from treasury.models import BalanceTransaction, StripeBalance, StripeReading
from treasury.services.legs import (
    EXTERNAL,
    UNKNOWN,
    account_of,
    drafts_of,
    follows_a_charge,
    meaning_of,
)
from treasury.services.reading import Movement, Reading, lock_readings

# What is wrong with one transaction, as against with the database or the network.
UNBOOKABLE = (DomainError, IntegrityError, DataError)
Gifts = Mapping[str, Donation]


@dataclass(slots=True)
class Plan:
    """One movement on its way into the book: what it is for, and its entries to be."""

    movement: Movement
    purpose: str
    donation: str
    gift: Donation | None
    drafts: list[Draft]
    details: list[Detail]


@retried
@transaction.atomic
def book(*, organisation: Organisation, reading: Reading) -> int:
    """
    Book what was read and is not in the ledger yet, in one transaction; return how many.

    A transaction that cannot be booked becomes a case for staff and holds up none of the others.
    """
    lock_readings(organisation)
    told = reading.movements
    movements = _unbooked(organisation, [one for one in told if isinstance(one, Movement)])
    for malformed in (one for one in told if isinstance(one, TransactionMalformed)):
        _report(organisation, str(malformed).split(":")[0], malformed)
    try:
        _book_all(organisation, movements)
    except UNBOOKABLE:
        _book_one_by_one(organisation, movements)
    _keep_balances(organisation, reading)
    return len(movements)


def _unbooked(organisation: Organisation, movements: Sequence[Movement]) -> list[Movement]:
    ids = [movement.id for movement in movements]
    booked = BalanceTransaction.objects.of(organisation).filter(stripe_id__in=ids)
    known = set(booked.values_list("stripe_id", flat=True))
    return [movement for movement in movements if movement.id not in known]


@transaction.atomic
def _book_all(organisation: Organisation, movements: Sequence[Movement]) -> None:
    plans: dict[str, Plan] = {}
    locked = gifts.lock_gifts(
        organisation, (one.donation_id for one in movements if one.donation_id)
    )
    for movement in movements:
        plans[movement.id] = _plan(organisation, movement, locked, plans.values())
    drafts = [draft for plan in plans.values() for draft in plan.drafts]
    public = Book.objects.get(organisation=organisation, book=PUBLIC)
    entries = {entry.nonce: entry for entry in append(book=public, drafts=drafts)}
    rows = [_row(organisation, plan, entries) for plan in plans.values()]
    BalanceTransaction.objects.bulk_create(rows)
    keep_details(
        details=[
            (entries[plan.drafts[0].nonce], detail)
            for plan in plans.values()
            for detail in plan.details
        ]
    )
    record_paid(
        organisation=organisation,
        payments=[_payment(plan.gift, plan.movement) for plan in plans.values() if plan.gift],
    )
    for plan in plans.values():
        _tell(organisation, plan, entries)
    for donation in sorted({plan.donation for plan in plans.values() if not plan.gift} - {""}):
        follow_gift(organisation=organisation, donation_id=donation)


def _book_one_by_one(organisation: Organisation, movements: Sequence[Movement]) -> None:
    # What came of one second stands in no order, so that one may need what is listed after it.
    left: Sequence[Movement] = movements
    while left:
        failed = [(one, error) for one in left if (error := _error_of(organisation, one))]
        if len(failed) == len(left):
            for movement, error in failed:
                _report(organisation, movement.id, error)
            return
        left = [movement for movement, _ in failed]


def _error_of(organisation: Organisation, movement: Movement) -> Exception | None:
    try:
        _book_all(organisation, [movement])
    except UNBOOKABLE as error:
        return error
    return None


def _report(organisation: Organisation, transaction_id: str, error: Exception) -> None:
    open_case(
        organisation=organisation,
        kind=Case.Kind.UNBOOKED,
        subject=transaction_id,
        summary=in_words(error),
    )


def _plan(
    organisation: Organisation, movement: Movement, locked: Gifts, before: Iterable[Plan]
) -> Plan:
    _check(movement)
    gift = None
    if not follows_a_charge(movement):
        purpose, donation = account_of(movement), ""
        _flag_unknown(organisation, movement)
    elif movement.category == "charge":
        gift = _gift(organisation, movement, locked, before)
        purpose, donation = (f"fund:{gift.fund}", gift.id) if gift else (EXTERNAL, "")
    else:
        purpose, donation = _purpose_of_charge(organisation, movement, before)
    drafts = drafts_of(
        movement,
        account=str(organisation.stripe_account),
        # The fee of a gift that is held stays its fund's.
        purpose=_place(organisation, movement, purpose, donation),
        fee_purpose=purpose,
        donation_id=donation,
    )
    details = _details(gift, movement) if gift else []
    if details:
        said = {detail.key: detail.commitment for detail in details}
        drafts[0] = replace(drafts[0], metadata={**drafts[0].metadata, **said})
    return Plan(movement, purpose, donation, gift, drafts, details)


def _place(organisation: Organisation, movement: Movement, purpose: str, donation: str) -> str:
    if not donation or movement.category == "charge":
        return purpose
    return purpose_now(organisation, donation, purpose)


def _details(gift: Donation, movement: Movement) -> list[Detail]:
    gifts.learn_donor(gift, donor_email=movement.donor_email, donor_name=movement.donor_name)
    return list(details_of({"email": gift.donor_email, "name": gift.donor_name}))


def _check(movement: Movement) -> None:
    if movement.has_application_fee:
        raise ApplicationFeeFound
    if movement.livemode not in (None, settings.STRIPE_LIVEMODE):
        raise WrongLivemode
    if movement.net != movement.amount - movement.fee:
        raise TransactionMalformed(f"{movement.id}: net is not amount less fee.")


def _gift(
    organisation: Organisation, movement: Movement, locked: Gifts, before: Iterable[Plan]
) -> Donation | None:
    try:
        gift = _claimed_gift(organisation, movement, locked)
        if gift and any(plan.gift and plan.gift.id == gift.id for plan in before):
            raise GiftDiffers
        if gift and not movement.amount:
            raise GiftDiffers("The charge names a gift, but brought nothing.")
        return gift
    except GiftDiffers as error:
        open_case(
            organisation=organisation,
            kind=Case.Kind.MISMATCH,
            subject=movement.id,
            summary=f"{error} Gift {movement.claim}, charge {movement.charge}.",
        )
        return None


def _claimed_gift(organisation: Organisation, movement: Movement, locked: Gifts) -> Donation | None:
    charge = ChargeFacts(movement.given, movement.given_currency)
    if movement.invoice and movement.amount:
        return payment_of(organisation=organisation, invoice=movement.invoice, charge=charge)
    gift = locked.get(movement.donation_id)
    if gift:
        gifts.check_charge(gift, charge)
    return gift


def _purpose_of_charge(
    organisation: Organisation, movement: Movement, before: Iterable[Plan]
) -> tuple[str, str]:
    for plan in before:
        if plan.movement.category == "charge" and plan.movement.charge == movement.charge:
            return plan.purpose, plan.donation
    charges = BalanceTransaction.objects.of(organisation).filter(
        charge=movement.charge, reporting_category="charge"
    )
    charge = charges.exclude(charge="").first()
    if charge is None and movement.predates_book:
        return EXTERNAL, ""
    if charge is None:
        raise ChargeNotBooked(f"{movement.category} of charge {movement.charge or 'unknown'}.")
    return charge.purpose, charge.donation


def _flag_unknown(organisation: Organisation, movement: Movement) -> None:
    if meaning_of(movement) is UNKNOWN:
        open_case(
            organisation=organisation,
            kind=Case.Kind.UNCLASSIFIED,
            subject=movement.id,
            summary=f"Stripe calls it {movement.category} ({movement.type}).",
        )


def _row(organisation: Organisation, plan: Plan, entries: dict[str, Entry]) -> BalanceTransaction:
    movement = plan.movement
    return BalanceTransaction(
        organisation=organisation,
        stripe_id=movement.id,
        type=movement.type,
        reporting_category=movement.category,
        amount=movement.amount,
        fee=movement.fee,
        net=movement.net,
        currency=movement.currency,
        source=movement.source,
        charge=movement.charge,
        donation=plan.donation,
        purpose=plan.purpose,
        occurred_at=movement.occurred_at,
        sequence=entries[plan.drafts[0].nonce].sequence if plan.drafts else None,
    )


def _payment(gift: Donation, movement: Movement) -> Payment:
    return Payment(
        gift=gift.id,
        reference=movement.charge,
        at=movement.occurred_at,
        amount=movement.amount,
        currency=movement.currency,
        card=key_of("card", movement.card),
        email=key_of("email", gift.donor_email),
        name=key_of("name", movement.donor_name),
        country=movement.card_country,
    )


def _tell(organisation: Organisation, plan: Plan, entries: dict[str, Entry]) -> None:
    movement = plan.movement
    if plan.gift:
        gifts.settle(donation=plan.gift, entry=entries[plan.drafts[0].nonce])
    elif plan.donation:
        add, sign = CONSEQUENCES[movement.category]
        add(organisation=organisation, donation_id=plan.donation, amount=sign * movement.given)


CONSEQUENCES: dict[str, tuple[Callable[..., None], int]] = {
    "refund": (gifts.add_refund, 1),
    "refund_failure": (gifts.add_refund, -1),
    "charge_failure": (gifts.add_refund, 1),
    "dispute": (gifts.add_dispute, 1),
    "dispute_reversal": (gifts.add_dispute, -1),
}


def _keep_balances(organisation: Organisation, reading: Reading) -> None:
    state = StripeReading.objects.get(organisation=organisation)
    if state.read_at and state.read_at > reading.read_at:
        return
    kept = StripeBalance.objects.filter(organisation=organisation)
    for currency in {*kept.values_list("currency", flat=True), *reading.balances}:
        # What Stripe lists no more is used up.
        available, pending = reading.balances.get(currency, (0, 0))
        StripeBalance.objects.update_or_create(
            organisation=organisation,
            currency=currency,
            defaults={"available": available, "pending": pending, "read_at": reading.read_at},
        )
    state.read_at, state.failing_since, state.error = reading.read_at, None, ""
    state.save(update_fields=["read_at", "failing_since", "error"])
