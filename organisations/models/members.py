"""Who acts for which organisation, in which role."""

from typing import Self

from django.db import models

from organisations.models.people import User
from organisations.models.tenants import Organisation


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Questions about members."""

    def of(self, user: User) -> Self:
        """Return a person's parts, each with its organisation, in the order of their names."""
        own = self.filter(user=user).select_related("organisation")
        return own.order_by("organisation__name")


class Membership(models.Model):
    """One person's part in one organisation."""

    class Role(models.TextChoices):
        OWNER = "owner"
        ADMIN = "admin"
        FINANCE = "finance"
        VIEWER = "viewer"

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "user"], name="one_role_a_member"),
        ]

    def __str__(self) -> str:
        """Say who is what."""
        return f"{self.user}, {self.role}"
