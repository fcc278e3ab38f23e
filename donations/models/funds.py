"""What organisations collect for."""

from typing import Self

from django.db import models
from django.db.models import Q

from common.ids import new_id
from organisations.models import Organisation

GENERAL = "general"


class FundQuerySet(models.QuerySet["Fund"]):
    """Questions about funds."""

    def of(self, organisation: Organisation) -> Self:
        """Return an organisation's funds, the general one last."""
        return self.filter(organisation=organisation).order_by("position", "name")

    def names(self, organisation: Organisation) -> dict[str, str]:
        """Return what an organisation calls its funds, by their account."""
        return {fund.account: fund.name for fund in self.of(organisation)}


class Fund(models.Model):
    """
    What an organisation collects for; its money is the account `fund:<slug>` of the public book.

    Every organisation has the fund `general`. `goal` counts minor units of the organisation's
    currency.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_id("fund"), editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="funds")
    slug = models.CharField(max_length=60)
    name = models.CharField(max_length=80)
    summary = models.CharField(max_length=160, blank=True)
    goal = models.BigIntegerField(null=True, blank=True)
    position = models.SmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = FundQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "slug"], name="fund_slug_is_unique_in_its_organisation"
            ),
            models.CheckConstraint(
                condition=Q(slug__regex=r"^[a-z0-9]+(-[a-z0-9]+)*$"), name="fund_slug_is_plain"
            ),
            models.CheckConstraint(condition=Q(goal__gt=0), name="fund_goal_is_positive"),
        ]

    def __str__(self) -> str:
        """Name the fund."""
        return self.name

    @property
    def account(self) -> str:
        """Return the purpose that holds its money."""
        return f"fund:{self.slug}"
