"""
Timing the payouts of accounts whose losses the platform bears, and of no others.

While anything of an account is held, Stripe pays out nothing of its own accord. Where gifts are
held, what is free of them is ordered once a day; where the whole account is, nothing is. Nothing
here remembers what to do next: what ought to be is compared with what was brought about, so who
takes it up after a crash finds the same. One job at a time has an account; where something else is
held meanwhile, it stops, and what ought to be is compared anew.
(https://docs.stripe.com/connect/manual-payouts)
"""

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from common.errors import TryAgainLater, in_words
from common.stripe_api import StripeRefused, client, on_account, translated_errors
from ledger.models import PUBLIC, Account
from organisations.models import Organisation, StripeAccountState
from reviews.models import Case, PayoutHold
from reviews.services.cases import open_case, overtake_of
from reviews.services.holds import HELD
from treasury.models import PayoutControl
from treasury.services.ordering import end_orders, is_held, order_what_is_free

if TYPE_CHECKING:
    from stripe.params import AccountUpdateParams

logger = logging.getLogger("almoner.treasury")
MANUAL = "manual"
# How long Stripe lets money wait on a balance: https://docs.stripe.com/connect/manual-payouts
WAITS_AT_MOST = timedelta(days=90)
WAITS_ELSEWHERE = {"TH": timedelta(days=10), "US": timedelta(days=730)}
FIRST_PAUSE, DOUBLINGS_MAX = timedelta(minutes=2), 5
# Longer than the calls take, with all that our client tries again.
CLAIM_LASTS = timedelta(minutes=5)
# Staff hear of a schedule that Stripe refuses still after so many tries.
TOLD_AFTER = 3


def time_payouts() -> None:
    """Bring about what ought to be, at every account that has something to it; failures wait."""
    for organisation in _concerned():
        try:
            time_payouts_of(organisation=organisation)
        except Exception as error:  # whatever it is, the others have their turn
            facts = {"organisation": organisation.id, "reason": in_words(error)}
            logger.error("payouts not timed", extra=facts)


def time_payouts_of(*, organisation: Organisation) -> None:
    """
    Stop an account's payouts, order what is free, or let them go on, as what is held asks for.

    Talks to Stripe and must not run within a transaction. Whoever else does it meanwhile is left
    to it; a refusal is kept for staff to see, and tried again.
    """
    control = _claim(organisation)
    if control is None:
        return
    try:
        with translated_errors(str(organisation.stripe_account)):
            _bring_about(control)
    except TryAgainLater:
        return  # It is logged, and the claim says when somebody tries again.
    except StripeRefused as error:
        _note_refusal(control, str(error))
    else:
        now = timezone.now()
        _ours(control).update(trouble="", is_told=False, attempts=0, next_attempt_at=now)
        overtake_of(
            kind=Case.Kind.PAYOUT,
            subjects=[_subject(organisation)],
            reason="Stripe takes the schedule of payouts again.",
        )
    finally:
        _end_claim(control)


def look_again(organisation: Organisation) -> None:
    """
    Have what ought to be compared soon: something else is held, or no more.

    Who is at it keeps it until the end, and finds that its attempt is another by then.
    """
    PayoutControl.objects.filter(organisation=organisation).update(
        next_attempt_at=timezone.now(), attempts=0
    )


def let_wait_until(organisation: Organisation, since: datetime) -> datetime:
    """Return until when Stripe lets money that came at a moment wait on a balance."""
    states = StripeAccountState.objects.filter(organisation=organisation)
    country = states.values_list("country", flat=True).first() or ""
    return since + WAITS_ELSEWHERE.get(country, WAITS_AT_MOST)


def _concerned() -> list[Organisation]:
    """Return those where anything is held and payouts are ours, and those that we stopped."""
    held = Account.objects.filter(book=PUBLIC, name=HELD, credits__gt=F("debits"))
    ours = Q(account_state__controls_payouts=True) & (
        Q(pk__in=PayoutHold.objects.in_force().values("organisation"))
        | Q(pk__in=held.values("organisation"))
    )
    stopped = Q(payout_control__schedule__isnull=False)
    return list(
        Organisation.objects.public().readable().filter(ours | stopped).order_by("created_at")
    )


@transaction.atomic
def _claim(organisation: Organisation) -> PayoutControl | None:
    PayoutControl.objects.get_or_create(organisation=organisation)
    now = timezone.now()
    due = PayoutControl.objects.filter(organisation=organisation, next_attempt_at__lte=now)
    free = due.filter(Q(claimed_until=None) | Q(claimed_until__lte=now))
    control = free.select_for_update(skip_locked=True).first()
    if control:
        control.claimed_until = now + CLAIM_LASTS
        control.next_attempt_at = now + FIRST_PAUSE * 2 ** min(control.attempts, DOUBLINGS_MAX)
        control.attempts += 1
        control.save(update_fields=["claimed_until", "next_attempt_at", "attempts"])
    return control


def _end_claim(control: PayoutControl) -> None:
    _ours(control).update(claimed_until=None)


def _ours(control: PayoutControl) -> QuerySet[PayoutControl]:
    """Return the row while the claim is ours: who took too long finds nothing."""
    return PayoutControl.objects.filter(pk=control.pk, claimed_until=control.claimed_until)


def _bring_about(control: PayoutControl) -> None:
    organisation = control.organisation
    waits = PayoutHold.objects.of(organisation).in_force().exists()
    if not (waits or is_held(organisation)):
        if control.schedule:
            end_orders(organisation)
            _let_go_on(control, control.schedule)
        return
    if not control.stopped_at or _was_changed(control, control.stopped_at):
        _stop(control)
    if waits:
        end_orders(organisation)
    elif not control.is_by_hand:
        order_what_is_free(control)


def _stop(control: PayoutControl) -> None:
    account = str(control.organisation.stripe_account)
    if not control.schedule:
        told = client().v1.accounts.retrieve_current(options=on_account(account))
        # Kept before anything is changed: by then it is Stripe's to say no more.
        _keep(control, schedule=told.to_dict(for_json=True)["settings"]["payouts"]["schedule"])
    _change(control, {"interval": MANUAL}, stopped_at=timezone.now())


def _was_changed(control: PayoutControl, stopped_at: datetime) -> bool:
    """Tell whether Stripe pays out again though we had it stop: somebody set it there."""
    read = StripeAccountState.objects.filter(
        organisation=control.organisation, read_at__gt=stopped_at
    )
    return read.exclude(payout_interval__in=["", MANUAL]).exists()


def _let_go_on(control: PayoutControl, schedule: dict[str, Any]) -> None:
    # From here on it may go on, whoever hears of it: what is held next stops it again.
    _keep(control, stopped_at=None)
    _change(control, _as_taken(schedule), schedule=None)


def _change(control: PayoutControl, schedule: dict[str, Any], /, **outcome: Any) -> None:
    """Have Stripe go by a schedule, and keep what came of it. Raises `TryAgainLater`."""
    _set_schedule(str(control.organisation.stripe_account), schedule)
    try:
        _keep(control, **outcome)
    except TryAgainLater:
        if not _ours(control).exists():
            # We took too long, so another job changed it before us or after: nobody knows.
            PayoutControl.objects.filter(pk=control.pk).update(
                schedule=control.schedule, stopped_at=None, next_attempt_at=timezone.now()
            )
        raise


def _keep(control: PayoutControl, **changes: Any) -> None:
    """Keep what we know. Raises `TryAgainLater` when somebody had it looked at again meanwhile."""
    as_claimed = _ours(control).filter(next_attempt_at=control.next_attempt_at)
    if not as_claimed.update(**changes):
        raise TryAgainLater("What is held has changed meanwhile.")
    for name, value in changes.items():
        setattr(control, name, value)


def _as_taken(schedule: dict[str, Any]) -> dict[str, Any]:
    """Return of a schedule that Stripe told what it takes: the days are named in one way only."""
    interval = schedule["interval"]
    for name in (f"{interval}_payout_days", f"{interval}_anchor"):
        if schedule.get(name):
            return {"interval": interval, name: schedule[name]}
    return {"interval": interval}


def _set_schedule(account: str, schedule: dict[str, Any]) -> None:
    changes: AccountUpdateParams = {"settings": {"payouts": {"schedule": schedule}}}  # type: ignore[typeddict-item]
    client().v1.accounts.update(account, changes)


@transaction.atomic
def _note_refusal(control: PayoutControl, trouble: str) -> None:
    is_noted = _ours(control).update(trouble=trouble[:500])
    if not is_noted or control.attempts < TOLD_AFTER or control.is_told:
        return
    _ours(control).update(is_told=True)
    open_case(
        organisation=control.organisation,
        kind=Case.Kind.PAYOUT,
        subject=_subject(control.organisation),
        summary=f"{trouble} So payouts cannot be stopped, or cannot go on, as was decided. It "
        "is tried again by itself; in Stripe’s dashboard the schedule can be set by hand.",
        again=True,
    )


def _subject(organisation: Organisation) -> str:
    return f"{organisation.stripe_account}: schedule"
