"""Payouts: what Stripe sends to the organisations' banks."""

from collections.abc import Iterable
from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from organisations.models import Organisation
from treasury.models.payout_failures import REASONS, UNKNOWN_REASON


class PayoutQuerySet(models.QuerySet["Payout"]):
    """Questions about payouts."""

    def of(self, organisation: Organisation) -> Self:
        """Return an organisation's payouts."""
        return self.filter(organisation=organisation)

    def named(self, names: Iterable[str]) -> dict[str, "Payout"]:
        """Return those with these ids of Stripe's, by their id."""
        return {payout.stripe_id: payout for payout in self.filter(stripe_id__in=list(names))}

    def newest(self) -> Self:
        """Return them newest first."""
        return self.order_by("-created_at", "-stripe_id")

    def before(self, payout: "Payout") -> Self:
        """Return those that come after one in a list of the newest first."""
        is_older = Q(created_at__lt=payout.created_at)
        is_of_one_moment = Q(created_at=payout.created_at, stripe_id__lt=payout.stripe_id)
        return self.filter(is_older | is_of_one_moment)

    def returned(self) -> Self:
        """Return those that failed, whose money no later payout has brought to the bank since."""
        later = Payout.objects.filter(
            organisation=OuterRef("organisation"),
            currency=OuterRef("currency"),
            created_at__gt=OuterRef("created_at"),
            status=Payout.Status.PAID,
        )
        return self.filter(~Exists(later), status=Payout.Status.FAILED).newest()


class Payout(models.Model):
    """
    One payout from a Stripe balance to a bank, as Stripe told it last, at `read_at`.

    `amount` counts minor units of `currency`; it is negative where Stripe took from the bank. A
    payout is `pending`, `in_transit`, `paid`, and may be `failed` or `canceled` at last, also after
    it was paid. `transaction` took it off the balance, `failure_transaction` brought it back.
    `paid_at` and `failed_at` are when we learned of it. What is in an automatic one was read at
    `composed_at`, and `composition_is_whole` when it adds up to the amount.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        IN_TRANSIT = "in_transit"
        PAID = "paid"
        FAILED = "failed"
        CANCELED = "canceled"

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="payouts")
    stripe_id = models.CharField(max_length=255)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=10, choices=Status)
    arrival_on = models.DateField()
    automatic = models.BooleanField()
    reconciliation_status = models.CharField(max_length=32, blank=True)
    trace_id = models.CharField(max_length=255, blank=True)
    bank_name = models.CharField(max_length=255, blank=True)
    bank_last4 = models.CharField(max_length=4, blank=True)
    failure_code = models.CharField(max_length=64, blank=True)
    failure_message = models.TextField(blank=True)
    transaction = models.CharField(max_length=255, blank=True)
    failure_transaction = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    composed_at = models.DateTimeField(null=True)
    composition_is_whole = models.BooleanField(default=False)

    objects = PayoutQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["organisation", "-created_at"], name="payout_by_time"),
            models.Index(
                fields=["organisation", "status", "currency", "created_at"], name="payout_by_status"
            ),
            models.Index(fields=["organisation", "failure_transaction"], name="payout_by_return"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "stripe_id"], name="payout_is_kept_once"
            ),
            models.CheckConstraint(
                condition=Q(composition_is_whole=False) | Q(composed_at__isnull=False),
                name="payout_is_whole_when_composed",
            ),
            models.CheckConstraint(
                condition=Q(status="paid", paid_at__isnull=False)
                | Q(status__in=["failed", "canceled"])
                | Q(status__in=["pending", "in_transit"], paid_at__isnull=True),
                name="payout_is_paid_at_some_time",
            ),
            models.CheckConstraint(
                condition=Q(status="failed", failed_at__isnull=False)
                | Q(status="canceled")
                | Q(status__in=["pending", "in_transit", "paid"], failed_at__isnull=True),
                name="payout_failed_at_some_time",
            ),
        ]

    def __str__(self) -> str:
        """Name the payout."""
        return self.stripe_id

    @property
    def has_failed(self) -> bool:
        """Tell whether its money did not stay at the bank."""
        return self.status in {self.Status.FAILED, self.Status.CANCELED}

    @property
    def reason(self) -> str:
        """Return why it failed, in a sentence."""
        return REASONS.get(self.failure_code, UNKNOWN_REASON)

    @property
    def is_awaited(self) -> bool:
        """Tell whether Stripe may still say what is in it."""
        return self.automatic and not self.composed_at and not self.has_failed
