"""Cases: what staff must look at and decide."""

from django.db import models
from django.db.models import Q

from common.ids import new_id
from organisations.models import Organisation, User


class Case(models.Model):
    """
    Something staff must decide: open, then closed once by a person with a reason.

    `subject` names the thing within its organisation (a transaction, an event, a book); there is
    one open case for it, however often it is reported.
    """

    class Kind(models.TextChoices):
        UNCLASSIFIED = "unclassified", "Unclassified transaction"
        UNBOOKED = "unbooked", "Transaction that cannot be booked"
        MISMATCH = "mismatch", "Gift and charge differ"
        PARKED_EVENT = "parked_event", "Parked event"
        AUDIT = "audit", "Book that does not verify"
        SEALING = "sealing", "Log that is not sealed any further"
        TIMESTAMP = "timestamp", "Time stamp that did not come"
        WITNESS = "witness", "Log of which a witness saw another"
        DRIFT = "drift", "Ledger that differs from the Stripe balance"
        FRAUD_WARNING = "fraud_warning", "Early fraud warning"
        PAYOUT = "payout", "Payout that failed"
        SUBSCRIBER = "subscriber", "Webhook that cannot be delivered"

    id = models.CharField(primary_key=True, max_length=32, default=new_id("case"), editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="cases")
    kind = models.CharField(max_length=20, choices=Kind)
    subject = models.CharField(max_length=255)
    summary = models.TextField()
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, editable=False)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, editable=False)
    reason = models.TextField(blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=Q(closed_at__isnull=True),
                name="one_open_case_a_subject",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, closed_by__isnull=True, reason="")
                | (Q(closed_at__isnull=False, closed_by__isnull=False) & ~Q(reason="")),
                name="case_is_closed_by_a_person_with_a_reason",
            ),
        ]
        permissions = [("decide_case", "Can close cases")]

    def __str__(self) -> str:
        """Say what it is about."""
        return f"{self.get_kind_display()}: {self.subject}"
