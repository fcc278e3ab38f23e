"""What is told to subscribers: facts become messages, and one delivery for each who listens."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Subquery
from django.utils import timezone

from common.ids import make_id
from donations.models import Donation
from ledger.models import PUBLIC, Book, Entry
from webhooks.errors import EndpointDisabled
from webhooks.models import OF_ENTRIES, TEST, BookReading, Delivery, Endpoint, Message, Topic

ENTRIES_MAX = 500
IS_HEARD = """
    SELECT FROM webhooks_endpoint
    WHERE organisation_id = %s AND disabled_at IS NULL AND deleted_at IS NULL LIMIT 1
"""
# Ids and amounts alone: nothing here says who gave.
OF_GIFT = ("status", "amount", "currency", "fund", "refunded_amount")
OF_ENTRY = ("sequence", "operation", "amount", "currency", "debit", "credit", "entry_hash")


class Fact(NamedTuple):
    """Something that happened; `subject` is what it is told once for. `known` names nobody."""

    topic: str
    subject: str
    happened_at: datetime
    known: dict[str, Any]


def tell(*, organisation_id: str, facts: Sequence[Fact]) -> None:
    """
    Write the messages and deliveries of facts that somebody listens to and that are news.

    Whoever tells the same facts at the same time waits for a lock of the caller's.
    """
    if not _is_heard(organisation_id):
        return
    endpoints = list(Endpoint.objects.active().filter(organisation=organisation_id))
    heard = [fact for fact in facts if any(fact.topic in each.events for each in endpoints)]
    if not heard:
        return
    told = Message.objects.filter(
        organisation=organisation_id, subject__in={fact.subject for fact in heard}
    )
    known = set(told.values_list("type", "subject"))
    news = [
        _message(organisation_id, fact) for fact in heard if (fact.topic, fact.subject) not in known
    ]
    Message.objects.bulk_create(news)
    _queue(
        (message, endpoint)
        for message in news
        for endpoint in endpoints
        if message.type in endpoint.events
    )


def tell_of_gift(*, donation: Donation, topic: Topic, happened_at: datetime) -> None:
    """Tell once what became of a gift; the caller has its lock."""
    fact = Fact(topic, donation.id, happened_at, _gift(donation))
    tell(organisation_id=donation.organisation_id, facts=[fact])


def tell_of_payout(*, payout: Any) -> None:
    """Tell once that a payout arrived; the caller has its lock."""
    known = {
        "organisation": payout.organisation_id,
        "payout": payout.stripe_id,
        "amount": payout.amount,
        "currency": payout.currency,
    }
    fact = Fact(Topic.PAYOUT_ARRIVED, payout.stripe_id, payout.paid_at, known)
    tell(organisation_id=payout.organisation_id, facts=[fact])


def tell_entries() -> int:
    """
    Tell what came into public books since the last time; return how many entries were read.

    Nobody who writes to a book waits for it, and the books of which nobody hears are not read.
    """
    size = Book.objects.filter(organisation=OuterRef("organisation"), book=PUBLIC).values("size")
    listening = Endpoint.objects.active().filter(organisation=OuterRef("organisation"))
    readings = BookReading.objects.filter(Exists(listening), told__lt=Subquery(size))
    return sum(_tell_book(organisation) for organisation in readings.values_list("pk", flat=True))


@transaction.atomic
def send_test(*, endpoint: Endpoint) -> Delivery:
    """Send an endpoint a message that tells nothing. Raises `EndpointDisabled`."""
    check_active(endpoint)
    fact = Fact(TEST, make_id("test"), timezone.now(), {"endpoint": endpoint.id})
    message = _message(endpoint.organisation_id, fact)
    message.save(force_insert=True)
    [delivery] = _queue([(message, endpoint)])
    return delivery


@transaction.atomic
def resend(*, delivery: Delivery) -> Delivery:
    """
    Send a message again, now, with the same id and as many attempts as a new one.

    Raises `EndpointDisabled`.
    """
    delivery = Delivery.objects.select_for_update().get(pk=delivery.pk)
    check_active(delivery.endpoint)
    delivery.status, delivery.attempts = Delivery.Status.DUE, 0
    delivery.next_attempt_at = timezone.now()
    delivery.save(update_fields=["status", "attempts", "next_attempt_at"])
    return delivery


def check_active(endpoint: Endpoint) -> None:
    """Raise `EndpointDisabled` where nothing is sent."""
    if not endpoint.is_active:
        raise EndpointDisabled


def _is_heard(organisation_id: str) -> bool:
    # Asked at every payment: plain SQL costs a fraction of what the same question costs as objects.
    with connection.cursor() as cursor:
        cursor.execute(IS_HEARD, [organisation_id])
        return cursor.fetchone() is not None


@transaction.atomic
def _tell_book(organisation_id: str) -> int:
    readings = BookReading.objects.select_for_update(skip_locked=True)
    reading = readings.filter(pk=organisation_id).first()
    if reading is None:  # another worker reads it
        return 0
    unread = Entry.objects.of(organisation_id).filter(sequence__gte=reading.told)
    entries = list(unread.order_by("sequence")[:ENTRIES_MAX])
    gifts = _gifts(organisation_id, entries)
    facts = [fact for entry in entries for fact in _facts(entry, gifts)]
    tell(organisation_id=organisation_id, facts=facts)
    reading.told += len(entries)
    reading.save(update_fields=["told"])
    return len(entries)


def _gifts(organisation_id: str, entries: Iterable[Entry]) -> dict[str, Donation]:
    named = {entry.metadata.get("donation", "") for entry in entries}
    return Donation.objects.filter(organisation=organisation_id).in_bulk(named - {""})


def _facts(entry: Entry, gifts: dict[str, Donation]) -> Iterable[Fact]:
    known = {"organisation": entry.organisation_id, "entry": _entry(entry)}
    subject = str(entry.sequence)
    yield Fact(Topic.ENTRY_APPENDED, subject, entry.recorded_at, known)
    gift = gifts.get(entry.metadata.get("donation", ""))
    if gift and entry.operation in OF_ENTRIES:
        topic = OF_ENTRIES[entry.operation]
        yield Fact(topic, subject, entry.recorded_at, {**_gift(gift), "entry": _entry(entry)})


def _entry(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in OF_ENTRY}


def _gift(donation: Donation) -> dict[str, Any]:
    told = {name: getattr(donation, name) for name in OF_GIFT}
    return {"organisation": donation.organisation_id, "donation": donation.id, **told}


def _message(organisation_id: str, fact: Fact) -> Message:
    said = {
        "type": fact.topic,
        "timestamp": fact.happened_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": fact.known,
    }
    body = json.dumps(said, separators=(",", ":"))
    return Message(
        organisation_id=organisation_id, type=fact.topic, subject=fact.subject, body=body
    )


def _queue(pairs: Iterable[tuple[Message, Endpoint]]) -> list[Delivery]:
    now = timezone.now()
    return Delivery.objects.bulk_create(
        Delivery(
            organisation_id=message.organisation_id,
            message=message,
            endpoint=endpoint,
            next_attempt_at=now,
        )
        for message, endpoint in pairs
    )
