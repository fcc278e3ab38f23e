"""Mail that waits to be sent."""

from datetime import datetime
from typing import Self

from django.db import models

ATTEMPTS_MAX = 12
SUBJECT_LENGTH_MAX = 255


class MailQuerySet(models.QuerySet["Mail"]):
    """Questions about mail."""

    def due(self, now: datetime) -> Self:
        """Return what should be sent now."""
        return self.filter(next_attempt_at__lte=now, attempts__lt=ATTEMPTS_MAX)


class Mail(models.Model):
    """
    One mail to one person; deleted once the mail server has it.

    One that the server refused `ATTEMPTS_MAX` times stays, for staff to look at.
    """

    recipient = models.EmailField(max_length=254)
    subject = models.CharField(max_length=SUBJECT_LENGTH_MAX)
    body = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(auto_now_add=True)

    objects = MailQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["next_attempt_at"], name="mail_is_due")]

    def __str__(self) -> str:
        """Name the mail, not the person."""
        return f"mail {self.pk}"
