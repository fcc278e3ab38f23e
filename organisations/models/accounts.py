"""How an organisation stands with Stripe, and the ways there that are under way."""

from django.db import models
from django.db.models import Q

from organisations.models.tenants import Organisation


class StripeAccountState(models.Model):
    """
    What Stripe last said of an organisation's account, one row an organisation.

    The lists are Stripe's own names of requirements. The account is connected at `connected_at`
    by a page of ours (not for those that an operator named); its owner may end that at any time
    (`disconnected_at`), and from `refused_at` on Stripe lets us read nothing of it any more.
    `bank_accounts` are Stripe's fingerprints of where its payouts go, as far as we are told, and
    another one came at `bank_changed_at`. Payouts are the platform's to time where it
    `controls_payouts`: the account was made so that the platform bears its losses. Stripe goes by
    `payout_interval` ("manual" where it waits for us).
    """

    organisation = models.OneToOneField(
        Organisation, models.CASCADE, primary_key=True, related_name="account_state"
    )
    charges_enabled = models.BooleanField(default=False)
    payouts_enabled = models.BooleanField(default=False)
    details_submitted = models.BooleanField(default=False)
    currently_due = models.JSONField(default=list)
    past_due = models.JSONField(default=list)
    eventually_due = models.JSONField(default=list)
    disabled_reason = models.CharField(max_length=100, blank=True)
    capabilities = models.JSONField(default=dict)
    statement_descriptor = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=2, blank=True, db_default="")
    controls_payouts = models.BooleanField(default=False, db_default=False)
    payout_interval = models.CharField(max_length=20, blank=True, db_default="")
    bank_accounts = models.JSONField(default=list, db_default=[])
    bank_changed_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    connected_at = models.DateTimeField(null=True)
    disconnected_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(refused_at=None) | Q(disconnected_at__isnull=False),
                name="account_that_refuses_is_disconnected",
            ),
        ]

    def __str__(self) -> str:
        """Name whose account it is."""
        return f"Stripe account of {self.organisation}"

    @property
    def why_no_gifts(self) -> str:
        """Return why gifts cannot be taken, as a sentence for donors; empty where they can."""
        if self.disconnected_at:
            return (
                f"{self.organisation} has disconnected its Stripe account: it takes no gifts here"
                " for now. Its ledger stays public."
            )
        if self.read_at and not self.charges_enabled:
            return (
                f"{self.organisation} cannot take gifts at the moment: Stripe waits for"
                " information from it. Come back later."
            )
        return ""


class ConnectAttempt(models.Model):
    """
    A member on the way to Stripe to connect an account, and expected back once.

    Kept are SHA-256 digests of the `state` that comes back and of the browser's session, so that
    nobody else can end what one began.
    """

    state_hash = models.CharField(primary_key=True, max_length=64)
    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="+")
    session_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        """Name whose attempt it is."""
        return f"attempt of {self.organisation}"
