"""Owners, rules and grants, to look at."""

from django.contrib import admin
from django.http import HttpRequest

from common.admin import ReadOnlyAdmin
from credits.models import CreditGrant, GrantRule, OwnerListing


@admin.register(OwnerListing)
class OwnerAdmin(ReadOnlyAdmin[OwnerListing]):
    """
    Owners and their balances, in the order of their accounts.

    Nobody searches for an owner's id: it would stand in the address, and so in access logs.
    """

    list_display = ["owner_id", "organisation", "application", "balance"]
    list_select_related = ["organisation"]
    ordering = ["organisation_id", "application", "owner_id"]
    exact_lookups = ["organisation__slug", "organisation_id", "application"]
    search_help_text = "An organisation's slug or id, or an application."

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> OwnerListing | None:
        """Return an owner by the parts of the key."""
        organisation_id, _, rest = object_id.partition("/")
        application, _, _ = rest.partition("/")
        rows = self.get_queryset(request)
        own = rows.filter(organisation_id=organisation_id, application=application)
        return own.filter(id=object_id).first()


@admin.register(GrantRule)
class GrantRuleAdmin(ReadOnlyAdmin[GrantRule]):
    """By which rules gifts grant credits; organisations set them in their own pages."""

    list_display = [
        "organisation",
        "application",
        "currency",
        "minor_units_per_credit",
        "is_active",
        "changed_at",
        "changed_by",
    ]
    list_filter = ["is_active"]
    list_select_related = ["organisation", "changed_by"]
    ordering = ["-id"]
    exact_lookups = ["organisation__slug", "id"]


@admin.register(CreditGrant)
class CreditGrantAdmin(ReadOnlyAdmin[CreditGrant]):
    """What gifts granted; one without a sequence waits to be written."""

    list_display = ["donation", "organisation", "application", "amount", "created_at", "sequence"]
    list_select_related = ["organisation"]
    ordering = ["-donation"]
    exact_lookups = ["donation", "organisation__slug"]
    search_help_text = "A gift's id, or an organisation's slug."
