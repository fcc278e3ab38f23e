"""What moved on the organisations' Stripe balances."""

from typing import Self

from django.db import models

from organisations.models import Organisation


class BalanceTransactionQuerySet(models.QuerySet["BalanceTransaction"]):
    """Questions about what moved."""

    def of(self, organisation: Organisation) -> Self:
        """Return an organisation's transactions."""
        return self.filter(organisation=organisation)


class BalanceTransaction(models.Model):
    """
    One movement on a Stripe balance, as Stripe told it and as it was booked.

    `amount`, `fee` and `net` are signed minor units of the settlement `currency` (Stripe:
    BalanceTransaction). `charge` is the charge it belongs to; `purpose` is the account of the
    public book that it moved, so that refunds and disputes follow their charge. `sequence` is
    its first entry; one that moved nothing has none.
    """

    organisation = models.ForeignKey(
        Organisation, models.PROTECT, related_name="balance_transactions"
    )
    stripe_id = models.CharField(max_length=255)
    type = models.CharField(max_length=64)
    reporting_category = models.CharField(max_length=64)
    amount = models.BigIntegerField()
    fee = models.BigIntegerField()
    net = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    source = models.CharField(max_length=255, blank=True)
    charge = models.CharField(max_length=255, blank=True)
    donation = models.CharField(max_length=32, blank=True)
    purpose = models.CharField(max_length=80)
    occurred_at = models.DateTimeField()
    sequence = models.BigIntegerField(null=True)

    objects = BalanceTransactionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["organisation", "-occurred_at"], name="transaction_by_time"),
            models.Index(fields=["organisation", "charge"], name="transaction_by_charge"),
            models.Index(fields=["organisation", "donation"], name="transaction_by_donation"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "stripe_id"], name="transaction_is_booked_once"
            ),
            models.CheckConstraint(
                condition=models.Q(net=models.F("amount") - models.F("fee")),
                name="transaction_net_is_amount_less_fee",
            ),
        ]

    def __str__(self) -> str:
        """Name the transaction."""
        return self.stripe_id
