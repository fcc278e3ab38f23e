"""Who acts for which organisation, in which role; who was asked to; and what became of it."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone

from common.ids import new_id
from organisations.models.people import User
from organisations.models.tenants import Organisation

INVITATION_LASTS = timedelta(days=7)


def invitation_end() -> datetime:
    """Return when a link that is sent now stops working."""
    return timezone.now() + INVITATION_LASTS


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Questions about members."""

    def of(self, user: User) -> Self:
        """Return a person's parts, each with its organisation, in the order of their names."""
        own = self.filter(user=user).select_related("organisation")
        return own.order_by("organisation__name")

    def in_order(self) -> Self:
        """Return members with their people, those with the most to answer for first."""
        order = [models.When(role=role, then=place) for place, role in enumerate(Membership.Role)]
        return self.select_related("user").order_by(
            models.Case(*order, output_field=models.IntegerField()), "user__name", "user__email"
        )


class Membership(models.Model):
    """
    One person's part in one organisation.

    An organisation that has an owner keeps one: `organisations/sql/owners_v1.sql` sees to it.
    """

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


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Questions about invitations."""

    def open(self) -> Self:
        """Return those that nobody has answered or withdrawn; their links may be too old."""
        return self.filter(accepted_at=None, withdrawn_at=None)


class Invitation(models.Model):
    """
    A place in an organisation that somebody is offered by mail.

    The link in the mail carries a random token, of which only the SHA-256 is kept (it is random:
    32 bytes need no slow hash). It works once, until `expires_at`; sending it again makes another
    token, and the one before stops working.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_id("inv"), editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Membership.Role)
    token_hash = models.CharField(max_length=64)
    invited_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(default=invitation_end)
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "email"],
                condition=Q(accepted_at=None, withdrawn_at=None),
                name="one_open_invitation_a_person",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None) | Q(withdrawn_at=None),
                name="invitation_ends_once",
            ),
            models.CheckConstraint(
                condition=Q(email=Lower("email")), name="invitation_has_an_address_in_lower_case"
            ),
        ]

    def __str__(self) -> str:
        """Name the invitation, not the person."""
        return self.id

    @property
    def is_open(self) -> bool:
        """Tell whether nobody has answered or withdrawn it."""
        return self.accepted_at is None and self.withdrawn_at is None

    @property
    def is_too_old(self) -> bool:
        """Tell whether its link has stopped working."""
        return self.expires_at <= timezone.now()


class MembershipChangeQuerySet(models.QuerySet["MembershipChange"]):
    """Questions about the log."""

    def mailed(self, organisation: Organisation, since: datetime) -> Self:
        """Return every invitation that left an organisation by mail since then."""
        kinds = (MembershipChange.Kind.INVITED, MembershipChange.Kind.SENT_AGAIN)
        return self.filter(organisation=organisation, kind__in=kinds, at__gt=since)

    def newest(self, organisation: Organisation, limit: int) -> Self:
        """Return what happened last among an organisation's members."""
        own = self.filter(organisation=organisation)
        return own.select_related("person", "invitation", "by").order_by("-id")[:limit]


class MembershipChange(models.Model):
    """
    One line of the log of an organisation's members; it stays as it was written.

    It is about a person, or about an invitation where there is no person yet. `by` is None for
    the operator on the command line. Roles are empty where there was none before or is none after.
    """

    class Kind(models.TextChoices):
        INVITED = "invited"
        SENT_AGAIN = "sent_again"
        WITHDRAWN = "withdrawn"
        JOINED = "joined"
        ROLE_CHANGED = "role_changed"
        REMOVED = "removed"
        LEFT = "left"

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind)
    person = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    invitation = models.ForeignKey(Invitation, models.PROTECT, null=True, related_name="+")
    role_before = models.CharField(max_length=10, choices=Membership.Role, blank=True)
    role_after = models.CharField(max_length=10, choices=Membership.Role, blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    objects = MembershipChangeQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["organisation", "-id"], name="changes_of_organisation")]
        constraints = [
            models.CheckConstraint(
                condition=Q(person__isnull=False) | Q(invitation__isnull=False),
                name="change_is_about_somebody",
            ),
            # By nobody (the operator) is not by oneself.
            models.CheckConstraint(
                condition=~Q(kind__in=["role_changed", "removed"])
                | Q(by__isnull=True)
                | ~Q(by=F("person")),
                name="nobody_changes_their_own_role",
            ),
        ]

    def __str__(self) -> str:
        """Say what happened."""
        return self.get_kind_display()

    @property
    def who(self) -> str:
        """Return whom it is about: a person's name, or the address that was invited."""
        return str(self.person) if self.person else str(self.invitation and self.invitation.email)
