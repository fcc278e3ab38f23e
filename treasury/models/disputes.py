"""What cardholders claim back through their banks."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from organisations.models import Organisation


class Dispute(models.Model):
    """
    A cardholder's claim, as Stripe last told it; `amount` counts minor units of `currency`.

    An inquiry (`warning_…`) moves no money yet. `told_at` is when Stripe said so: what was said
    before does not count any more. `asked_as` is the status of which members were last asked for an
    answer. What a dispute moved stands in the ledger.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="disputes")
    stripe_id = models.CharField(max_length=255)
    charge = models.CharField(max_length=255)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=64)
    status = models.CharField(max_length=32)
    answer_by = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()
    told_at = models.DateTimeField()
    asked_as = models.CharField(max_length=32, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "stripe_id"], name="dispute_is_told_once"
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="dispute_is_not_negative"),
        ]

    def __str__(self) -> str:
        """Name the dispute."""
        return self.stripe_id

    @property
    def is_inquiry(self) -> bool:
        """Tell whether the bank only asks, and no money has moved."""
        return self.status.startswith("warning_")

    def awaits_answer(self, now: datetime) -> bool:
        """Tell whether the organisation can still say something."""
        return self.status.endswith("needs_response") and (
            not self.answer_by or self.answer_by > now
        )
