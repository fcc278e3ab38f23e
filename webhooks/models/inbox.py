"""The inbox: every event that a provider signed, and what became of it."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from organisations.models import Organisation


class StripeEventQuerySet(models.QuerySet["StripeEvent"]):
    """Questions about events."""

    def due(self, now: datetime) -> "StripeEventQuerySet":
        """Return what the worker should take up now."""
        return self.filter(status=StripeEvent.Status.PENDING, next_attempt_at__lte=now)


class StripeEvent(models.Model):
    """
    One verified event of Stripe; the stored event is the queue.

    It is `pending` until a worker has acted on it (`done`), or `ignored` with a reason (nothing
    is booked for it), or, after too many failures, `parked` for staff with its error. `payload`
    is the event without client secrets; once it is done, also without who paid.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        IGNORED = "ignored"
        PARKED = "parked"

    id = models.CharField(primary_key=True, max_length=255)
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    account = models.CharField(max_length=255, blank=True)
    type = models.CharField(max_length=255)
    livemode = models.BooleanField()
    occurred_at = models.DateTimeField(null=True)
    payload = models.JSONField()
    received_at = models.DateTimeField(auto_now_add=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(auto_now_add=True)
    processed_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=500, blank=True)

    objects = StripeEventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["next_attempt_at"], condition=Q(status="pending"), name="event_is_due"
            ),
            models.Index(fields=["-received_at"], name="event_by_time"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="pending") | Q(organisation__isnull=False),
                name="event_in_work_has_an_organisation",
            ),
        ]
        permissions = [("process_event", "Can have events processed again")]

    def __str__(self) -> str:
        """Name the event."""
        return f"{self.id} {self.type}"
