"""The Stripe balances as last read, and how reading them goes."""

from django.db import models

from organisations.models import Organisation


class StripeBalance(models.Model):
    """
    An organisation's Stripe balance in one currency, as last read; minor units.

    The public invariant: place `stripe` of the ledger = `available` + `pending`.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="stripe_balances")
    currency = models.CharField(max_length=3)
    available = models.BigIntegerField()
    pending = models.BigIntegerField()
    read_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "currency"], name="one_stripe_balance_a_currency"
            ),
        ]

    def __str__(self) -> str:
        """Name the balance."""
        return f"{self.organisation_id} {self.currency}"

    @property
    def total(self) -> int:
        """Return what the ledger must say."""
        return self.available + self.pending


class StripeReading(models.Model):
    """
    How reading an organisation's Stripe account goes.

    `failing_since` is set while Stripe does not answer, so that pages can say so; `error` is
    why, without personal data, and `is_refused` that Stripe did answer, and said no. Everything
    that moved before `swept_until` is booked, or a case; `imported_at` is when that first reached
    the present. The book begins with the account's first movement, or at `opened_at` with what was
    there then. `compared_at` is when the whole history was last gone through because ledger and
    balance differed.
    """

    organisation = models.OneToOneField(Organisation, models.PROTECT, related_name="stripe_reading")
    read_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    error = models.CharField(max_length=255, blank=True)
    is_refused = models.BooleanField(default=False)
    opened_at = models.DateTimeField(null=True)
    swept_until = models.DateTimeField(null=True)
    imported_at = models.DateTimeField(null=True)
    compared_at = models.DateTimeField(null=True)

    class Meta:
        permissions = [("sweep_account", "Can have accounts swept")]

    def __str__(self) -> str:
        """Name whose account it is."""
        return str(self.organisation_id)

    @property
    def is_importing(self) -> bool:
        """Tell whether the account's history is still on its way into the book."""
        return self.swept_until is not None and self.imported_at is None
