"""What moved on the Stripe balances and left them for banks, to look at."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from common.admin import DecidingAdmin, ReadOnlyAdmin
from treasury.models import BalanceTransaction, Dispute, Payout, StripeBalance, StripeReading
from treasury.services.sweeping import order_sweep


@admin.register(BalanceTransaction)
class BalanceTransactionAdmin(ReadOnlyAdmin[BalanceTransaction]):
    """Every movement, as Stripe told it and as it was booked; the last booked first."""

    list_display = [
        "stripe_id",
        "organisation",
        "type",
        "amount",
        "fee",
        "net",
        "currency",
        "purpose",
        "sequence",
        "occurred_at",
    ]
    list_select_related = ["organisation"]
    ordering = ["-id"]
    exact_lookups = ["organisation__slug", "stripe_id"]


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin[Dispute]):
    """Disputes and inquiries as Stripe last told them; the newest first."""

    list_display = ["stripe_id", "organisation", "status", "amount", "currency", "answer_by"]
    list_filter = ["status"]
    list_select_related = ["organisation"]
    ordering = ["-id"]
    exact_lookups = ["stripe_id", "organisation__slug"]


@admin.register(Payout)
class PayoutAdmin(ReadOnlyAdmin[Payout]):
    """What went to the organisations' banks; the newest first."""

    list_display = [
        "stripe_id",
        "organisation",
        "status",
        "amount",
        "currency",
        "arrival_on",
        "automatic",
        "composition_is_whole",
        "failure_code",
        "created_at",
    ]
    list_filter = ["status"]
    list_select_related = ["organisation"]
    ordering = ["-id"]
    exact_lookups = ["organisation__slug", "stripe_id"]


@admin.register(StripeBalance)
class StripeBalanceAdmin(ReadOnlyAdmin[StripeBalance]):
    """The balances as last read."""

    list_display = ["organisation", "currency", "available", "pending", "read_at"]
    list_select_related = ["organisation"]
    ordering = ["organisation_id", "currency"]
    exact_lookups = ["organisation__slug"]


@admin.register(StripeReading)
class StripeReadingAdmin(DecidingAdmin[StripeReading]):
    """How reading the accounts goes."""

    list_display = ["organisation", "read_at", "swept_until", "failing_since", "error"]
    list_select_related = ["organisation"]
    ordering = ["organisation_id"]
    exact_lookups = ["organisation__slug"]
    actions = ["sweep"]

    def has_sweep_permission(self, request: HttpRequest) -> bool:
        """Tell who may have accounts swept."""
        return request.user.has_perm("treasury.sweep_account")

    @admin.action(description="Sweep: read again what may have been missed", permissions=["sweep"])
    def sweep(self, request: HttpRequest, queryset: QuerySet[StripeReading]) -> None:
        """Have accounts swept by the worker."""

        def decision(reading: StripeReading) -> None:
            order_sweep(organisation=reading.organisation)

        self.decide(request, queryset, decision, "will be swept")
