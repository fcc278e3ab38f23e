"""With which parameters each rule runs, since when, and who agreed."""

from typing import Self

from django.db import models
from django.db.models import F, Q

from organisations.models import Organisation, User


class RuleVersionQuerySet(models.QuerySet["RuleVersion"]):
    """Questions about versions of rules."""

    def for_organisation(self, organisation: Organisation | None) -> Self:
        """Return what runs there: its own before everybody's, the newest first."""
        own = Q(organisation=organisation) | Q(organisation__isnull=True)
        standing = self.filter(own, withdrawn_at__isnull=True)
        return standing.order_by("rule", F("organisation").asc(nulls_last=True), "-number")


class RuleVersion(models.Model):
    """
    The parameters of a rule, for one organisation or (without one) for all of them.

    It is proposed, runs in the shadow of what is in force, is `backtest`ed on the gifts of the last
    90 days, and is put in force by somebody else. What is in force is the newest active one of the
    organisation, else of all, else what stands in the code. Limits above which two people decide
    are kept alike, so that to loosen one needs two people as well.
    """

    class Mode(models.TextChoices):
        ACTIVE = "active", "in force"
        OFF = "off", "switched off"

    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    rule = models.CharField(max_length=40)
    number = models.PositiveIntegerField()
    mode = models.CharField(max_length=6, choices=Mode, default=Mode.ACTIVE)
    parameters = models.JSONField()
    reason = models.TextField()
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(auto_now_add=True)
    backtest = models.JSONField(null=True)
    activated_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    activated_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    objects = RuleVersionQuerySet.as_manager()

    class Meta:
        ordering = ["rule", "organisation_id", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "rule", "number"],
                nulls_distinct=False,
                name="rule_version_is_numbered",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="rule_version_has_a_reason"),
            models.CheckConstraint(
                condition=Q(activated_at__isnull=True, activated_by__isnull=True)
                | Q(activated_at__isnull=False, activated_by__isnull=False, backtest__isnull=False),
                name="rule_version_is_put_in_force_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(activated_by__isnull=True) | ~Q(activated_by=F("proposed_by")),
                name="rule_version_needs_a_second_person",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | Q(activated_at__isnull=True),
                name="rule_version_ends_once",
            ),
        ]

    def __str__(self) -> str:
        """Name the rule and its version."""
        return f"{self.rule} {self.number}"
