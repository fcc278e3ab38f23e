"""How far the events of each account were asked for."""

from django.db import models

from organisations.models import Organisation


class Backfill(models.Model):
    """Every event of an account that Stripe made before `until` is in the inbox."""

    organisation = models.OneToOneField(Organisation, models.PROTECT, related_name="backfill")
    until = models.DateTimeField()

    class Meta:
        permissions = [("backfill_events", "Can have missed events asked for")]

    def __str__(self) -> str:
        """Name whose account it is."""
        return str(self.organisation_id)
