"""The tenants: charities, from their application on."""

import re
from typing import Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from common.ids import new_id
from organisations.models.people import User

SLUG = re.compile(r"\A[a-z0-9]+(-[a-z0-9]+)*\Z")


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    """Questions about organisations."""

    def public(self) -> Self:
        """Return those that staff approved."""
        return self.filter(status=Organisation.Status.APPROVED)

    def readable(self) -> Self:
        """Return those with a Stripe account that is not closed to us."""
        return self.exclude(stripe_account=None).exclude(account_state__refused_at__isnull=False)

    def known_as(self, name: str) -> Self:
        """Return the organisation with this id or slug, if there is one."""
        return self.filter(Q(id=name) | Q(slug=name))


class Organisation(models.Model):
    """
    One tenant: a charity with its page, members, keys, Stripe account and ledger.

    It is a `draft` while its people fill in the application (`question` is what staff asked for
    when they gave it back) and `applied` until staff say yes (`approved`: public from then on,
    with a ledger that starts at its genesis) or no (`rejected`). `currency` is the one it mainly
    counts in.
    """

    class Status(models.TextChoices):
        DRAFT = "draft"
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
    question = models.TextField(blank=True, db_default="", default="", editable=False)
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
                condition=Q(status__in=["draft", "applied"])
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
