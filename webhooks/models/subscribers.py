"""What integrators subscribed to: their endpoints, and the secrets that sign for them."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from common.addresses import URL_LENGTH_MAX
from common.ids import new_id
from ledger.operations import MoneyOperation
from organisations.models import Organisation, User

DESCRIPTION_LENGTH_MAX, REASON_LENGTH_MAX = 120, 500


class Topic(models.TextChoices):
    """What can be told, and what it means."""

    DONATION_PAID = "donation.paid", "A gift was paid; it is not in the ledger yet"
    DONATION_FAILED = "donation.failed", "The payment of a gift failed"
    DONATION_SETTLED = "donation.settled", "A gift is in the public ledger"
    DONATION_REFUNDED = "donation.refunded", "A gift was refunded, in full or in part"
    REFUND_FAILED = "donation.refund_failed", "A refund came back to the organisation"
    DISPUTE_OPENED = "dispute.opened", "A donor’s bank took a gift back"
    DISPUTE_WON = "dispute.won", "A gift that was taken back was returned"
    PAYOUT_ARRIVED = "payout.arrived", "A payout from Stripe is on the bank account"
    ENTRY_APPENDED = "entry.appended", "The public ledger has a new entry, of any kind"


TEST = "webhook.test"
# What is told of entries is read from the public book, and not said by who writes to it.
OF_ENTRIES: dict[str, Topic] = {
    MoneyOperation.DONATION_RECEIVED: Topic.DONATION_SETTLED,
    MoneyOperation.DONATION_REFUNDED: Topic.DONATION_REFUNDED,
    MoneyOperation.REFUND_FAILED: Topic.REFUND_FAILED,
    MoneyOperation.DISPUTE_OPENED: Topic.DISPUTE_OPENED,
    MoneyOperation.DISPUTE_WON: Topic.DISPUTE_WON,
}


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    """Questions about endpoints."""

    def of(self, organisation: Organisation) -> Self:
        """Return an organisation's endpoints that nobody deleted."""
        return self.filter(organisation=organisation, deleted_at=None)

    def active(self) -> Self:
        """Return those that messages are sent to."""
        return self.filter(disabled_at=None, deleted_at=None)


class Endpoint(models.Model):
    """
    An address of an integrator, and the `events` that are told to it.

    It is active until somebody disables it, or it failed for days (`disabled_at`, and why);
    `failing_since` is the first attempt that failed since the last one that did not. One that was
    deleted stays for the log, and is shown nowhere.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_id("we"), editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    url = models.CharField(max_length=URL_LENGTH_MAX)
    events = models.JSONField()
    description = models.CharField(max_length=DESCRIPTION_LENGTH_MAX, blank=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    failing_since = models.DateTimeField(null=True, editable=False)
    disabled_at = models.DateTimeField(null=True, editable=False)
    disabled_reason = models.CharField(max_length=REASON_LENGTH_MAX, blank=True, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "url"],
                condition=Q(deleted_at=None),
                name="endpoint_url_is_there_once",
            ),
            models.CheckConstraint(condition=~Q(events=[]), name="endpoint_is_told_something"),
            models.CheckConstraint(
                condition=Q(disabled_at__isnull=True, disabled_reason="")
                | (Q(disabled_at__isnull=False) & ~Q(disabled_reason="")),
                name="endpoint_disabled_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        """Name the endpoint; its address may hold a token."""
        return self.id

    @property
    def is_active(self) -> bool:
        """Tell whether messages are sent to it."""
        return self.disabled_at is None and self.deleted_at is None


class EndpointSecretQuerySet(models.QuerySet["EndpointSecret"]):
    """Questions about secrets."""

    def valid(self, now: datetime) -> Self:
        """Return those that sign at a moment, the newest first."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now)).order_by("-id")


class EndpointSecret(models.Model):
    """A key that signs what an endpoint is told, encrypted; a replaced one signs for a day more."""

    id = models.CharField(primary_key=True, max_length=32, default=new_id("wes"), editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    endpoint = models.ForeignKey(Endpoint, models.PROTECT, related_name="secrets")
    encrypted = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)

    objects = EndpointSecretQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "endpoint"],
                condition=Q(expires_at=None),
                name="endpoint_has_one_newest_secret",
            ),
        ]

    def __str__(self) -> str:
        """Name the secret, and say nothing of it."""
        return self.id


class BookReading(models.Model):
    """How far an organisation's public book was told: entries below the sequence `told`."""

    organisation = models.OneToOneField(
        Organisation, models.PROTECT, primary_key=True, related_name="+"
    )
    told = models.BigIntegerField()

    def __str__(self) -> str:
        """Say how far."""
        return f"{self.organisation_id} to {self.told}"
