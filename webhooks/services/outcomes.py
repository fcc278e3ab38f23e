"""What came of an attempt: delivered, tried again later, given up; and endpoints that are gone."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from organisations.access import ROLES, Right
from organisations.services.mail import mail_members
from reviews.models import Case
from reviews.services.cases import open_case
from webhooks.models import REASON_LENGTH_MAX, Attempt, Delivery, Endpoint, Message
from webhooks.services.subscribing import disable_endpoint

# How long is waited on average after each attempt: ten of them within about a day.
PAUSES = [
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(hours=12),
]
DISABLED_AFTER = timedelta(days=3)
KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt came to: a status and the beginning of an answer, or an error in words."""

    attempted_at: datetime
    duration_ms: int
    status: int | None
    answer: str
    error: str

    @property
    def is_good(self) -> bool:
        """Tell whether the message was taken."""
        return self.status is not None and self.status // 100 == 2  # noqa: PLR2004 - 200 to 299

    @property
    def problem(self) -> str:
        """Return what went wrong, in a sentence; empty where nothing did."""
        if self.is_good or self.error:
            return self.error
        hint = " Redirects are not followed." if str(self.status).startswith("3") else ""
        return f"The server answered {self.status}.{hint}"


@transaction.atomic
def record(*, delivery: Delivery, outcome: Outcome) -> None:
    """Note an attempt, and what follows from it for the delivery and its endpoint."""
    # Not their keys: whoever queues another message does not wait for this.
    endpoint = Endpoint.objects.select_for_update(no_key=True).get(pk=delivery.endpoint_id)
    delivery = Delivery.objects.select_for_update(no_key=True).get(pk=delivery.pk)
    Attempt.objects.create(
        organisation_id=delivery.organisation_id,
        delivery=delivery,
        attempted_at=outcome.attempted_at,
        status_code=outcome.status,
        duration_ms=outcome.duration_ms,
        answer=outcome.answer.replace("\0", "\N{REPLACEMENT CHARACTER}"),
        error=outcome.problem[:REASON_LENGTH_MAX],
    )
    if outcome.is_good:
        _delivered(delivery, endpoint)
    else:
        _failed(delivery, outcome)
        _suspect(endpoint, outcome)


def forget_old() -> None:
    """Delete what was told more than 30 days ago, and how that went."""
    old = Message.objects.filter(created_at__lt=timezone.now() - KEPT_FOR)
    settled = old.exclude(deliveries__status=Delivery.Status.DUE)
    while ids := list(settled.values_list("pk", flat=True)[:1000]):
        Attempt.objects.filter(delivery__message__in=ids).delete()
        Message.objects.filter(pk__in=ids).delete()


def _delivered(delivery: Delivery, endpoint: Endpoint) -> None:
    delivery.status = Delivery.Status.DELIVERED
    delivery.save(update_fields=["status"])
    if endpoint.failing_since:
        endpoint.failing_since = None
        endpoint.save(update_fields=["failing_since"])


def _failed(delivery: Delivery, outcome: Outcome) -> None:
    if delivery.status != Delivery.Status.DUE:  # it arrived by another attempt, or was given up
        return
    if delivery.attempts > len(PAUSES):
        delivery.status = Delivery.Status.GIVEN_UP
    else:
        pause = PAUSES[max(delivery.attempts, 1) - 1]
        delivery.next_attempt_at = timezone.now() + pause * random.uniform(0, 2)  # noqa: S311
    delivery.save(update_fields=["status", "next_attempt_at"])


def _suspect(endpoint: Endpoint, outcome: Outcome) -> None:
    if not endpoint.is_active:
        return
    endpoint.failing_since = endpoint.failing_since or outcome.attempted_at
    endpoint.save(update_fields=["failing_since"])
    if outcome.status == HTTPStatus.GONE:
        _disable(endpoint, "The server answered 410: it wants no more messages.")
    elif outcome.attempted_at - endpoint.failing_since > DISABLED_AFTER:
        reason = f"Nothing could be delivered since {endpoint.failing_since:%d %B %Y, %H:%M} UTC."
        _disable(endpoint, f"{reason} The last time: {outcome.problem}"[:REASON_LENGTH_MAX])
        open_case(
            organisation=endpoint.organisation,
            kind=Case.Kind.SUBSCRIBER,
            subject=endpoint.id,
            summary=f"{reason} The endpoint was disabled, and its organisation has mail.",
            again=True,
        )


def _disable(endpoint: Endpoint, reason: str) -> None:
    disable_endpoint(endpoint=endpoint, reason=reason)
    organisation = endpoint.organisation
    path = reverse("webhook-endpoint", args=[organisation.slug, endpoint.id])
    mail_members(
        organisation=organisation,
        roles=ROLES[Right.SET_UP],
        template="webhook_disabled",
        context={"path": path, "reason": reason},
    )
