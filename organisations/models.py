"""Tenants, their members, and the keys that act for them."""

import re
from typing import Any, ClassVar, Self

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from common.ids import new_id

SLUG = re.compile(r"\A[a-z0-9]+(-[a-z0-9]+)*\Z")


class UserManager(BaseUserManager["User"]):
    """Finds people by e-mail address, whatever its case."""

    def get_by_natural_key(self, email: str | None) -> "User":
        """Return the person who signs in with this address."""
        return self.get(email__iexact=email)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a person who can sign in."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(force_insert=True, using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a person who may do everything that the admin offers."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in: staff of this site, or a member of organisations."""

    id = models.CharField(primary_key=True, max_length=32, default=new_id("usr"), editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    objects: ClassVar[UserManager] = UserManager()

    def __str__(self) -> str:
        """Name the person."""
        return self.name or self.email


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    """Questions about organisations."""

    def public(self) -> Self:
        """Return those that staff approved."""
        return self.filter(status=Organisation.Status.APPROVED)

    def known_as(self, name: str) -> Self:
        """Return the organisation with this id or slug, if there is one."""
        return self.filter(Q(id=name) | Q(slug=name))


class Organisation(models.Model):
    """
    One tenant: a charity with its page, members, keys, Stripe account and ledger.

    It is `applied` until staff say yes (`approved`: public from then on, with a ledger that
    starts at its genesis) or no (`rejected`). `currency` is the one it mainly counts in.
    """

    class Status(models.TextChoices):
        APPLIED = "applied"
        APPROVED = "approved"
        REJECTED = "rejected"

    id = models.CharField(primary_key=True, max_length=32, default=new_id("org"), editable=False)
    name = models.CharField(max_length=120)
    slug = models.CharField(
        max_length=60, unique=True, validators=[RegexValidator(SLUG, "Use a-z, 0-9 and hyphens.")]
    )
    summary = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    registration = models.CharField(max_length=120, blank=True)
    website = models.URLField(blank=True)
    crest = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2)
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=10, choices=Status, default=Status.APPLIED)
    stripe_account = models.CharField(max_length=64, unique=True, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, editable=False)
    decided_by = models.ForeignKey(
        User, models.PROTECT, null=True, editable=False, related_name="decided_organisations"
    )
    decision_reason = models.TextField(blank=True, editable=False)

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(slug__regex=r"^[a-z0-9]+(-[a-z0-9]+)*$"),
                name="organisation_slug_is_plain",
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"), name="organisation_currency_is_iso_4217"
            ),
            models.CheckConstraint(
                condition=Q(country__regex=r"^[A-Z]{2}$"), name="organisation_country_is_iso_3166"
            ),
            models.CheckConstraint(
                condition=Q(status="applied")
                | (Q(decided_at__isnull=False) & ~Q(decision_reason="")),
                name="organisation_decision_has_a_reason",
            ),
        ]
        permissions = [("review_organisation", "Can approve or reject organisations")]

    def __str__(self) -> str:
        """Name the organisation."""
        return self.name

    @property
    def is_public(self) -> bool:
        """Tell whether strangers may see it."""
        return self.status == self.Status.APPROVED


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

    @property
    def is_admin(self) -> bool:
        """Tell whether this member decides how the organisation is set up."""
        return self.role in (self.Role.OWNER, self.Role.ADMIN)


class ApiKey(models.Model):
    """
    A key by which a program acts for one organisation, within one of its applications.

    The secret is shown once, when the key is made; kept are its beginning, to find it and to
    tell keys apart, and its SHA-256 (it is random: 32 bytes need no slow hash).
    """

    class Scope(models.TextChoices):
        DONATIONS = "donations"
        LEDGER = "ledger"

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
        constraints = [
            models.CheckConstraint(
                condition=Q(application__regex=r"^[a-z][a-z0-9_]{0,31}$"),
                name="api_key_application_is_a_book_name",
            ),
        ]

    def __str__(self) -> str:
        """Show the beginning of the key, never more."""
        return f"{self.prefix}…"
