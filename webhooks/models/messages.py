"""What subscribers are told, and how that went."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from common.ids import new_id
from organisations.models import Organisation
from webhooks.models.subscribers import REASON_LENGTH_MAX, Endpoint


class Message(models.Model):
    """
    One fact that is told: once for each `subject` of a `type`, whatever endpoints there are.

    `id` is the `webhook-id`; `body` is what is signed and sent, the same bytes at every attempt. It
    names ids and amounts, and nobody.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_id("msg"), editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    type = models.CharField(max_length=40)
    subject = models.CharField(max_length=255)
    body = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="message_by_time")]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "type", "subject"], name="message_is_told_once"
            ),
        ]

    def __str__(self) -> str:
        """Say what it is of."""
        return f"{self.id} {self.type}"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Questions about deliveries."""

    def due(self, now: datetime) -> Self:
        """Return what should be sent now."""
        return self.filter(status=Delivery.Status.DUE, next_attempt_at__lte=now)


class Delivery(models.Model):
    """
    One message on its way to one endpoint: `due` until it is `delivered` or `given_up`.

    While it is being sent, `next_attempt_at` is when another worker may take it up.
    """

    class Status(models.TextChoices):
        DUE = "due", "Waits"
        DELIVERED = "delivered", "Delivered"
        GIVEN_UP = "given_up", "Given up"

    id = models.CharField(primary_key=True, max_length=32, default=new_id("dlv"), editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    message = models.ForeignKey(Message, models.CASCADE, related_name="deliveries")
    endpoint = models.ForeignKey(Endpoint, models.PROTECT, related_name="deliveries")
    status = models.CharField(max_length=10, choices=Status, default=Status.DUE)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                condition=Q(status="due"),
                name="delivery_is_due",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "endpoint", "message"], name="delivery_is_there_once"
            ),
        ]

    def __str__(self) -> str:
        """Name the delivery."""
        return self.id


class Attempt(models.Model):
    """
    One try to deliver: the server's `status_code` and the beginning of its answer, or the error.

    `duration_ms` counts milliseconds.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="tries")
    attempted_at = models.DateTimeField()
    status_code = models.PositiveSmallIntegerField(null=True)
    duration_ms = models.PositiveIntegerField()
    answer = models.TextField(blank=True)
    error = models.CharField(max_length=REASON_LENGTH_MAX, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        """Say when, and what became of it."""
        return f"{self.attempted_at}: {self.error or self.status_code}"
