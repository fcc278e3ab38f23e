"""Payout holds: payouts of an account that wait until staff have decided its case."""

from typing import Self

from django.db import models
from django.db.models import Q

from common.ids import new_id
from organisations.models import Organisation
from reviews.models.cases import Case


class PayoutHoldQuerySet(models.QuerySet["PayoutHold"]):
    """Questions about payout holds."""

    def of(self, organisation: Organisation) -> Self:
        """Return an organisation's payout holds."""
        return self.filter(organisation=organisation)

    def in_force(self) -> Self:
        """Return those that staff have not released."""
        return self.filter(released_at=None)


class PayoutHold(models.Model):
    """
    A case's effect on an account: from `began_at` to `released_at` nothing is paid out.

    There is one where the platform times an account's payouts, and one at a time.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_id("hold"), editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="payout_holds")
    case = models.OneToOneField(Case, models.PROTECT, related_name="payout_hold")
    began_at = models.DateTimeField(auto_now_add=True)
    released_at = models.DateTimeField(null=True)

    objects = PayoutHoldQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation"],
                condition=Q(released_at__isnull=True),
                name="payouts_are_held_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(released_at__isnull=True) | Q(released_at__gte=models.F("began_at")),
                name="payout_hold_ends_after_it_began",
            ),
        ]

    def __str__(self) -> str:
        """Name whose payouts wait."""
        return f"payouts of {self.organisation}"
