"""The keys by which programs act for an organisation."""

from django.db import models
from django.db.models import Q

from common.ids import new_id
from organisations.models.tenants import Organisation


class ApiKey(models.Model):
    """
    A key by which a program acts for one organisation, within one of its applications.

    The secret is shown once, when the key is made; kept are its beginning, to find it and to
    tell keys apart, and its SHA-256 (it is random: 32 bytes need no slow hash).
    """

    class Scope(models.TextChoices):
        DONATIONS = "donations"
        REFUNDS = "refunds"
        LEDGER = "ledger"
        WEBHOOKS = "webhooks"

    id = models.CharField(primary_key=True, max_length=32, default=new_id("key"), editable=False)
    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="api_keys")
    application = models.CharField(max_length=32)
    name = models.CharField(max_length=60)
    prefix = models.CharField(max_length=24, unique=True)
    secret_hash = models.CharField(max_length=64)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "API key"
        constraints = [
            models.CheckConstraint(
                condition=Q(application__regex=r"^[a-z][a-z0-9_]{0,31}$"),
                name="api_key_application_is_a_book_name",
            ),
        ]

    def __str__(self) -> str:
        """Show the beginning of the key, never more."""
        return f"{self.prefix}…"
