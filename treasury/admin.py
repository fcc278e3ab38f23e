"""What moved on the Stripe balances and left them for banks, to look at."""

from django.contrib import admin

from common.admin import ReadOnlyAdmin
from treasury.models import BalanceTransaction, Payout, StripeBalance, StripeReading


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
class StripeReadingAdmin(ReadOnlyAdmin[StripeReading]):
    """How reading the accounts goes."""

    list_display = ["organisation", "read_at", "failing_since", "error"]
    list_select_related = ["organisation"]
    ordering = ["organisation_id"]
    exact_lookups = ["organisation__slug"]
