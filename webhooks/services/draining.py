"""The drain: due events are claimed, their account is read, and what moved is booked."""

import logging
import random
import traceback
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import F, Func
from django.utils import timezone

from common.errors import TryAgainLater, in_words
from common.stripe_api import StripeRefused
from organisations.models import Organisation
from organisations.services.account_states import is_disconnected
from reviews.models import Case
from reviews.services.cases import open_case, overtake_of
from treasury.models import StripeReading
from treasury.services.booking import book
from treasury.services.payout_reading import PayoutReading, may_tell_of_payouts, read_payouts
from treasury.services.payouts import keep_payouts
from treasury.services.reading import Reading, read_account
from treasury.services.sweeping import import_at_once, order_sweep
from webhooks.errors import NotAgain
from webhooks.models import StripeEvent
from webhooks.services import account_events
from webhooks.services.handling import handle
from webhooks.services.inbox import addressee_of
from webhooks.services.recurring_events import (
    Failures,
    SubscriptionReading,
    learn_subscriptions,
    read_subscriptions,
)

logger = logging.getLogger("almoner.webhooks")
BATCH_MAX = 200
ATTEMPTS_MAX = 8
OUTAGE_PAUSE = timedelta(seconds=10)
# Who gave is kept with the gift alone, where it can be erased.
WITHOUT_PERSON = Func(F("payload"), function="webhooks_without_person_v2")


class Told(NamedTuple):
    """What Stripe said for a batch of events: what moved, subscriptions and payouts of theirs."""

    reading: Reading
    subscriptions: SubscriptionReading
    payouts: PayoutReading | None


def drain_due() -> int:
    """
    Take up the due events of one account; return how many, 0 when none is due.

    Reading Stripe happens outside any transaction; booking and marking the events done is one
    transaction. Nothing that fails is lost: it waits longer each time, then staff see it.
    """
    events = _claim()
    if not events:
        return 0
    organisation = events[0].organisation
    assert organisation
    try:
        account_events.take_note(organisation, events)
        told = None
        if organisation.is_public:
            if not import_at_once(organisation=organisation):
                _wait_for_history(organisation, events)
                return len(events)
            told = _read(organisation, events)
        _keep_and_finish(organisation, events, told)
    except TryAgainLater as error:
        _wait(events, str(error))
    except Exception as error:  # whatever it is, other accounts have their turn
        if account_events.is_gone(organisation, error):
            _let_go(organisation, events)
        else:
            _log("booking failed", error, organisation=organisation.id)
            _postpone(events, error)
    return len(events)


def _read(organisation: Organisation, events: Sequence[StripeEvent]) -> Told:
    reading = read_account(organisation)
    is_wanted = may_tell_of_payouts((event.type for event in events), reading)
    payouts = read_payouts(organisation) if is_wanted else None
    return Told(reading, read_subscriptions(organisation, events), payouts)


@transaction.atomic
def _keep_and_finish(
    organisation: Organisation, events: Sequence[StripeEvent], told: Told | None
) -> None:
    failures = _keep(organisation, told) if told else {}
    _finish(organisation, [event for event in events if event.id not in failures])
    for event in events:
        if event.id in failures:
            _fail(event, failures[event.id])


def _keep(organisation: Organisation, told: Told) -> Failures:
    book(organisation=organisation, reading=told.reading)
    standings, failures = told.subscriptions
    failures = failures | learn_subscriptions(organisation, standings)
    if told.payouts:
        keep_payouts(organisation=organisation, reading=told.payouts)
    return failures


@transaction.atomic
def process_again(*, event: StripeEvent) -> StripeEvent:
    """Put an event that was ignored, parked or done back in the queue. Raises `NotAgain`."""
    event = StripeEvent.objects.select_for_update().get(pk=event.pk)
    if event.status == StripeEvent.Status.PENDING:
        raise NotAgain
    event.organisation_id, event.note = addressee_of(event)
    event.attempts = 0
    event.status = StripeEvent.Status.IGNORED if event.note else StripeEvent.Status.PENDING
    event.next_attempt_at = timezone.now()
    event.save(update_fields=["organisation", "note", "attempts", "status", "next_attempt_at"])
    return event


@transaction.atomic
def _claim() -> list[StripeEvent]:
    # A worker that was killed keeps its claim for a while; then another takes the events up.
    now, lease = timezone.now(), timedelta(seconds=settings.EVENT_LEASE_SECONDS)
    due = StripeEvent.objects.due(now).select_for_update(skip_locked=True, of=("self",))
    first = due.order_by("next_attempt_at").first()
    if first is None:
        return []
    same_account = due.filter(organisation_id=first.organisation_id)
    oldest_first = same_account.select_related("organisation").order_by("next_attempt_at", "id")
    events = list(oldest_first[:BATCH_MAX])
    for event in events:
        event.attempts += 1
    StripeEvent.objects.filter(id__in=[event.id for event in events]).update(
        next_attempt_at=now + lease, attempts=F("attempts") + 1
    )
    return events


def _finish(organisation: Organisation, events: Sequence[StripeEvent]) -> None:
    try:
        with transaction.atomic():
            handle(organisation, events)
        done = events
    except Exception:  # one by one they say which of them it was
        done = _handled_one_by_one(organisation, events)
    # Cases before events: whoever decides on one locks them in this order.
    overtake_of(
        kind=Case.Kind.PARKED_EVENT,
        subjects=[event.id for event in done],
        reason="The event was processed after all.",
    )
    StripeEvent.objects.filter(id__in=[event.id for event in done]).update(
        status=StripeEvent.Status.DONE,
        processed_at=timezone.now(),
        note="",
        payload=WITHOUT_PERSON,
    )


def _handled_one_by_one(
    organisation: Organisation, events: Sequence[StripeEvent]
) -> list[StripeEvent]:
    done = []
    for event in events:
        try:
            with transaction.atomic():
                handle(organisation, [event])
            done.append(event)
        except Exception as error:  # whatever it is, it must not stop the others
            _fail(event, error)
    return done


def _fail(event: StripeEvent, error: Exception) -> None:
    _log("event failed", error, id=event.id, type=event.type)
    _postpone([event], error)


@transaction.atomic
def _let_go(organisation: Organisation, events: Sequence[StripeEvent]) -> None:
    # Nothing can be read any more; what was said of the account itself has been taken note of.
    _finish(organisation, [event for event in events if event.type in account_events.TYPES])
    left = [event.id for event in events if event.type not in account_events.TYPES]
    StripeEvent.objects.filter(id__in=left).update(
        status=StripeEvent.Status.IGNORED,
        note="account is disconnected",
        payload=WITHOUT_PERSON,
    )


def _wait_for_history(organisation: Organisation, events: Sequence[StripeEvent]) -> None:
    # The sweep takes it from here, and other accounts have their turn.
    if is_disconnected(organisation):
        _let_go(organisation, events)
        return
    order_sweep(organisation=organisation)
    reading = StripeReading.objects.get(organisation=organisation)
    if reading.failing_since and reading.is_refused:
        # It will be refused the next time too: staff must hear of it in the end.
        _postpone(events, StripeRefused(reading.error))
    else:
        _wait(events, "The account's history is booked first.")


def _wait(events: Sequence[StripeEvent], note: str) -> None:
    # It is not the events' fault: it does not count, however long it lasts.
    StripeEvent.objects.filter(id__in=[event.id for event in events]).update(
        note=note, attempts=0, next_attempt_at=timezone.now() + OUTAGE_PAUSE * _jitter()
    )


def _postpone(events: Sequence[StripeEvent], error: Exception) -> None:
    for event in events:
        event.note = in_words(error)
        if event.attempts >= ATTEMPTS_MAX:
            _park(event)
        else:
            wait = timedelta(seconds=2**event.attempts) * _jitter()
            event.next_attempt_at = timezone.now() + wait
            event.save(update_fields=["note", "next_attempt_at"])


def _park(event: StripeEvent) -> None:
    event.status = StripeEvent.Status.PARKED
    event.save(update_fields=["note", "status"])
    open_case(
        organisation=event.organisation,
        kind=Case.Kind.PARKED_EVENT,
        subject=event.id,
        summary=f"{event.type} failed {event.attempts} times. {event.note}",
        again=True,
    )


def _jitter() -> float:
    return random.uniform(0.5, 1)  # noqa: S311 - no secret


def _log(message: str, error: Exception, **facts: str) -> None:
    where = "".join(traceback.format_tb(error.__traceback__))
    logger.error(message, extra={**facts, "reason": in_words(error), "where": where})
