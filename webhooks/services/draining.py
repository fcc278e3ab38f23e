"""The drain: due events are claimed, their account is read, and what moved is booked."""

import logging
import random
from collections.abc import Sequence
from datetime import timedelta

from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import timezone

from common.errors import DomainError, TryAgainLater
from organisations.models import Organisation
from reviews.models import Case
from reviews.services import open_case
from treasury.services.booking import book
from treasury.services.reading import read_account
from webhooks.errors import NotAgain
from webhooks.models import StripeEvent
from webhooks.services.handling import handle
from webhooks.services.inbox import addressee_of

logger = logging.getLogger("almoner.webhooks")
BATCH_MAX = 200
# A worker that was killed keeps its claim for this long; then another takes the events up.
LEASE = timedelta(seconds=20)
ATTEMPTS_MAX = 8
BACK_OFF_MAX = timedelta(minutes=10)
OUTAGE_BACK_OFF_MAX = timedelta(seconds=30)


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
        reading = read_account(organisation)
    except TryAgainLater as error:
        _postpone(events, error, OUTAGE_BACK_OFF_MAX, parks=False)
        return len(events)
    except DomainError as error:
        _postpone(events, error, BACK_OFF_MAX)
        return len(events)
    try:
        with transaction.atomic():
            book(organisation=organisation, reading=reading)
            _finish(events)
    except DatabaseError as error:
        logger.exception("booking failed", extra={"organisation": organisation.id})
        _postpone(events, error, BACK_OFF_MAX)
    return len(events)


def process_again(*, event: StripeEvent) -> None:
    """Put an event that was ignored, parked or done back in the queue. Raises `NotAgain`."""
    if event.status == StripeEvent.Status.PENDING:
        raise NotAgain
    organisation, note = addressee_of(event)
    event.organisation, event.note, event.attempts = organisation, note, 0
    event.status = StripeEvent.Status.PENDING if organisation else StripeEvent.Status.IGNORED
    event.next_attempt_at = timezone.now()
    event.save(update_fields=["organisation", "note", "attempts", "status", "next_attempt_at"])


@transaction.atomic
def _claim() -> list[StripeEvent]:
    now = timezone.now()
    due = StripeEvent.objects.due(now).select_for_update(skip_locked=True)
    first = due.order_by("next_attempt_at").first()
    if first is None:
        return []
    same_account = due.filter(organisation_id=first.organisation_id)
    events = list(same_account.order_by("next_attempt_at", "id")[:BATCH_MAX])
    ids = [event.id for event in events]
    StripeEvent.objects.filter(id__in=ids).update(
        next_attempt_at=now + LEASE, attempts=F("attempts") + 1
    )
    return list(StripeEvent.objects.filter(id__in=ids).select_related("organisation"))


def _finish(events: Sequence[StripeEvent]) -> None:
    done = []
    for event in events:
        try:
            with transaction.atomic():
                handle(event)
            done.append(event.id)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not stop the others
            logger.exception("event failed", extra={"id": event.id, "type": event.type})
            _postpone([event], error, BACK_OFF_MAX)
    StripeEvent.objects.filter(id__in=done).update(
        status=StripeEvent.Status.DONE, processed_at=timezone.now(), note=""
    )


def _postpone(
    events: Sequence[StripeEvent], error: Exception, back_off_max: timedelta, *, parks: bool = True
) -> None:
    note = f"{type(error).__name__}: {error}"[:500] if parks else str(error)
    for event in events:
        event.note = note
        if parks and event.attempts >= ATTEMPTS_MAX:
            _park(event)
        else:
            wait = min(timedelta(seconds=2**event.attempts), back_off_max)
            event.next_attempt_at = timezone.now() + wait * random.uniform(0.5, 1)  # noqa: S311
        event.save(update_fields=["note", "status", "next_attempt_at"])


def _park(event: StripeEvent) -> None:
    event.status = StripeEvent.Status.PARKED
    open_case(
        organisation=event.organisation,
        kind=Case.Kind.PARKED_EVENT,
        subject=event.id,
        summary=f"{event.type} failed {event.attempts} times. {event.note}",
    )
