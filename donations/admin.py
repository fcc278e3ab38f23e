"""Funds and gifts, to look at."""

from django.contrib import admin

from common.admin import ReadOnlyAdmin
from common.money import format_money
from donations.models import Donation, Fund


@admin.register(Fund)
class FundAdmin(ReadOnlyAdmin[Fund]):
    """What organisations collect for."""

    list_display = ["name", "slug", "organisation", "goal", "created_at"]
    list_select_related = ["organisation"]
    ordering = ["-id"]
    exact_lookups = ["organisation__slug", "slug", "id"]


@admin.register(Donation)
class DonationAdmin(ReadOnlyAdmin[Donation]):
    """Gifts; who gave stands on a gift's own page only, and no secret of its payment anywhere."""

    list_display = ["id", "organisation", "money", "fund", "status", "created_at", "sequence"]
    list_filter = ["status", "flow"]
    list_select_related = ["organisation"]
    ordering = ["-id"]
    exact_lookups = ["id", "organisation__slug"]
    search_help_text = "A gift's id, or an organisation's slug."
    fieldsets = (
        (None, {"fields": ("id", "organisation", "fund", "money", "flow", "status")}),
        ("Who gave", {"fields": ("donor_name", "donor_email", "public_name", "owner_id")}),
        ("At Stripe", {"fields": ("checkout_session", "payment_intent")}),
        (
            "In the ledger",
            {
                "fields": (
                    "sequence",
                    "settled_amount",
                    "settled_currency",
                    "refunded_amount",
                    "disputed_amount",
                )
            },
        ),
        ("Dates", {"fields": ("created_at", "paid_at", "settled_at", "ended_at", "ended_as")}),
    )

    @admin.display(description="amount")
    def money(self, donation: Donation) -> str:
        """Return the amount as people read it."""
        return format_money(donation.amount, donation.currency)
