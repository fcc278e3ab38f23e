"""Funds, gifts, those that repeat and what is given back, to look at."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from common.admin import DecidingAdmin, ReadOnlyAdmin
from common.money import format_money
from donations.models import Donation, Fund, RecurringGift, RefundRequest
from donations.services.erasure import erase_donor


class WithMoney:
    """Shows an amount as people read it."""

    @admin.display(description="amount")
    def money(self, row: Donation | RecurringGift | RefundRequest) -> str:
        """Return the amount of a row, with its currency."""
        currency = row.donation.currency if isinstance(row, RefundRequest) else row.currency
        return format_money(row.amount, currency)


@admin.register(Fund)
class FundAdmin(ReadOnlyAdmin[Fund]):
    """What organisations collect for."""

    list_display = ["name", "slug", "organisation", "goal", "created_at"]
    list_select_related = ["organisation"]
    ordering = ["-id"]
    exact_lookups = ["organisation__slug", "slug", "id"]


@admin.register(Donation)
class DonationAdmin(WithMoney, DecidingAdmin[Donation]):
    """Gifts; who gave stands on a gift's own page only, and no secret of its payment anywhere."""

    list_display = ["id", "organisation", "money", "fund", "status", "created_at", "sequence"]
    list_filter = ["status", "flow"]
    list_select_related = ["organisation"]
    ordering = ["-id"]
    exact_lookups = ["id", "organisation__slug"]
    actions = ["erase"]
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
                    "payout",
                    "payout_arrived_on",
                )
            },
        ),
        ("Dates", {"fields": ("created_at", "paid_at", "settled_at", "ended_at", "ended_as")}),
        ("Erased", {"fields": ("erased_at",)}),
    )

    def has_erase_permission(self, request: HttpRequest) -> bool:
        """Tell who may erase donors."""
        return request.user.has_perm("donations.erase_donor")

    @admin.action(description="Erase who gave, for ever", permissions=["erase"])
    def erase(self, request: HttpRequest, queryset: QuerySet[Donation]) -> TemplateResponse | None:
        """Delete what gifts know of their donors, at a donor's request."""

        def decision(donation: Donation, _reason: str) -> None:
            erase_donor(donation=donation)

        question, done = "Erase who gave, for ever", "who gave was erased"
        return self.decide_with_reason(request, queryset, decision, question=question, done=done)


@admin.register(RecurringGift)
class RecurringGiftAdmin(WithMoney, ReadOnlyAdmin[RecurringGift]):
    """Gifts that repeat; who gives stands on a gift's own page only."""

    list_display = ["id", "organisation", "money", "interval", "status", "started_at", "next_at"]
    list_filter = ["status", "interval"]
    list_select_related = ["organisation"]
    ordering = ["-id"]
    exact_lookups = ["id", "organisation__slug"]
    fieldsets = (
        (None, {"fields": ("id", "organisation", "fund", "money", "interval", "status")}),
        ("Who gives", {"fields": ("donor_email", "public_name", "owner_id", "erased_at")}),
        ("At Stripe", {"fields": ("subscription", "told_status", "read_at")}),
        ("Dates", {"fields": ("created_at", "started_at", "next_at", "ended_at", "ended_reason")}),
    )


@admin.register(RefundRequest)
class RefundRequestAdmin(WithMoney, ReadOnlyAdmin[RefundRequest]):
    """Refunds that were asked for here, and what became of them; the newest first."""

    list_display = ["id", "organisation", "donation", "money", "status", "reason", "created_at"]
    list_filter = ["status"]
    list_select_related = ["organisation", "donation"]
    ordering = ["-id"]
    exact_lookups = ["id", "organisation__slug", "donation"]
    fieldsets = (
        (None, {"fields": ("id", "organisation", "donation", "money", "status", "created_at")}),
        ("Why", {"fields": ("reason", "note", "requested_by")}),
        (
            "At Stripe",
            {"fields": ("stripe_refund", "refusal_code", "refusal", "failure", "attempts")},
        ),
    )
