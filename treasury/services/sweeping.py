"""
Sweeping: all that moved on an account, in the order of time, whatever webhooks told of it.

A span is read outside any transaction; booking it and moving the cursor is one, and so is what the
book begins with. So a sweep that is cut off goes on where it was, and one that races the events
changes nothing that they booked.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from common.errors import TryAgainLater
from common.money import format_money
from ledger.models import Account
from ledger.services import Draft
from organisations.models import Organisation
from reviews.models import Case
from reviews.services.cases import open_case, overtake_of
from treasury.errors import AlreadyImported, OpeningAhead
from treasury.models import BalanceTransaction, StripeReading
from treasury.services.booking import book
from treasury.services.legs import STRIPE
from treasury.services.openings import book_opening, read_opening
from treasury.services.payouts import catch_up
from treasury.services.reading import Balances, Reading, Span, lock_readings, read_span

# Before there was a Stripe account at all.
BEGINNING = datetime(2010, 1, 1, tzinfo=UTC)
# Transactions may come late, under the moment of what they belong to.
OVERLAP = timedelta(days=1)
ROWS_MAX = 1_000
COMPARED_EVERY = timedelta(days=1)
COMPARISONS_MAX = 3


@dataclass(frozen=True, slots=True)
class Step:
    """One span that was booked: where the next begins and how long it may be, and what was told."""

    until: datetime
    width: timedelta
    booked: int
    is_last: bool
    balances: Balances


def sweep(*, organisation: Organisation, since: datetime | None = None) -> int:
    """
    Read and book what moved since the last sweep, or since a moment; return how many were new.

    A moment after the end of the last sweep leaves nothing out: it begins there all the same. In
    the end the ledger is compared with the balance. Where they differ, the whole history is
    gone through, once a day; where they still do, staff get a case, which ends by itself once they
    agree again. Then payouts are read. Raises
    `TryAgainLater`, `StripeRefused`.
    """
    booked, balances = _sweep_from(organisation, since)
    state = StripeReading.objects.get(organisation=organisation)
    differs = bool(_differences(organisation, balances))
    if not differs:
        overtake_of(
            kind=Case.Kind.DRIFT,
            subjects=[str(organisation.stripe_account)],
            reason="Ledger and Stripe balance agree again.",
        )
    elif _is_due(state):
        booked += _sweep_from(organisation, state.opened_at or BEGINNING)[0]
        _note_comparison(organisation)
        booked += _report_drift(organisation)
    catch_up(organisation=organisation)
    return booked


def import_at_once(*, organisation: Organisation) -> bool:
    """
    Return whether an account's history is in the book; a short one is booked now.

    A long one is for a sweep of its own. Raises `TryAgainLater`, `StripeRefused`.
    """
    state, _ = StripeReading.objects.get_or_create(organisation=organisation)
    if state.imported_at or state.swept_until:
        return state.imported_at is not None
    span = Span(_start(state), opened_at=state.opened_at)
    reading = read_span(organisation, span, rows_max=ROWS_MAX)
    if reading is None:
        return False
    _keep(organisation, reading, timezone.now(), is_last=True)
    return True


def order_sweep(*, organisation: Organisation) -> None:
    """Have the worker sweep an account soon, once however often it is ordered."""
    turn = f"sweep {organisation.pk}"
    job = app.configure_task("treasury.tasks.sweep_account", lock=turn, queueing_lock=turn)
    with suppress(AlreadyEnqueued):
        job.defer(organisation_id=organisation.pk)


def plan_opening(*, organisation: Organisation, opened_at: datetime) -> StripeReading:
    """
    Let an account's book begin at a moment, in whole seconds, with what was on the balance then.

    Raises `OpeningAhead`, and `AlreadyImported` once anything of the account is in the book.
    """
    if opened_at > timezone.now():
        raise OpeningAhead
    with transaction.atomic():
        lock_readings(organisation)
        state = StripeReading.objects.get(organisation=organisation)
        if state.swept_until or BalanceTransaction.objects.of(organisation).exists():
            raise AlreadyImported
        state.opened_at = opened_at.replace(microsecond=0)
        state.save(update_fields=["opened_at"])
    return state


def _sweep_from(organisation: Organisation, since: datetime | None) -> tuple[int, Balances]:
    state, _ = StripeReading.objects.get_or_create(organisation=organisation)
    start = _start(state)
    step = _step(organisation, Span(min(since or start, start), opened_at=state.opened_at))
    booked = step.booked
    while not step.is_last:
        step = _step(organisation, Span(step.until, opened_at=state.opened_at), step.width)
        booked += step.booked
    return booked, step.balances


def _start(state: StripeReading) -> datetime:
    if state.swept_until is None:
        return state.opened_at or BEGINNING
    return state.swept_until - (OVERLAP if state.imported_at else timedelta())


def _step(organisation: Organisation, rest: Span, width: timedelta | None = None) -> Step:
    since, now = rest.since.replace(microsecond=0), timezone.now().replace(microsecond=0)
    width = min(width or now - since, now - since)
    while True:
        until = since + width
        span = replace(rest, since=since, until=None if until >= now else until)
        reading = read_span(organisation, span, rows_max=ROWS_MAX)
        if reading:
            booked = _keep(organisation, reading, min(until, now), is_last=span.until is None)
            # Twice as long, where that has prospects: each that holds too much is read in vain.
            width *= 2 if reading.rows_seen < ROWS_MAX // 2 else 1
            return Step(until, width, booked, span.until is None, reading.balances)
        width = timedelta(seconds=max(1, int(width.total_seconds()) // 2))


def _keep(organisation: Organisation, reading: Reading, until: datetime, *, is_last: bool) -> int:
    opening: Sequence[Draft] = ()
    state = StripeReading.objects.get(organisation=organisation)
    if reading.opened_at and not state.swept_until:
        opening = read_opening(organisation=organisation, opened_at=reading.opened_at)
    return _book(organisation, opening, reading, until, is_last=is_last)


@transaction.atomic
def _book(
    organisation: Organisation,
    opening: Sequence[Draft],
    reading: Reading,
    until: datetime,
    *,
    is_last: bool,
) -> int:
    lock_readings(organisation)
    state = StripeReading.objects.get(organisation=organisation)
    if state.opened_at != reading.opened_at:
        raise TryAgainLater("Another day was named while the account was read. Sweep it again.")
    if not state.swept_until:
        book_opening(organisation=organisation, drafts=opening)
    booked = book(organisation=organisation, reading=reading)
    state.swept_until = max(state.swept_until or until, until)
    if is_last:
        state.imported_at = state.imported_at or timezone.now()
    state.save(update_fields=["swept_until", "imported_at"])
    return booked


def _differences(organisation: Organisation, balances: Balances) -> list[str]:
    """Return in words where the ledger's place `stripe` differs from balances, by currency."""
    accounts: Iterable[Any] = Account.objects.of(organisation).money().filter(name=STRIPE)
    ledger = {account.currency: account.amount for account in accounts}
    stripe = {currency: sum(parts) for currency, parts in balances.items()}
    return [
        f"The ledger has {format_money(ledger.get(currency, 0), currency)}, "
        f"Stripe {format_money(stripe.get(currency, 0), currency)}."
        for currency in sorted(ledger.keys() | stripe.keys())
        if ledger.get(currency, 0) != stripe.get(currency, 0)
    ]


def _is_due(state: StripeReading) -> bool:
    return not state.compared_at or state.compared_at < timezone.now() - COMPARED_EVERY


def _note_comparison(organisation: Organisation) -> None:
    state = StripeReading.objects.get(organisation=organisation)
    state.compared_at = timezone.now()
    state.save(update_fields=["compared_at"])


def _report_drift(organisation: Organisation) -> int:
    # Only what stands still can be compared: where money moves meanwhile, once more.
    booked, balances = _sweep_from(organisation, None)
    for _ in range(COMPARISONS_MAX):
        before = balances
        more, balances = _sweep_from(organisation, None)
        booked += more
        if balances == before:
            break
    else:
        return booked
    if differences := _differences(organisation, balances):
        open_case(
            organisation=organisation,
            kind=Case.Kind.DRIFT,
            subject=str(organisation.stripe_account),
            summary="\n".join(differences),
            again=True,
        )
    return booked
