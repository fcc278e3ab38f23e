"""The inbox: what came in, and *process again*; and the messages that go out."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from procrastinate.contrib.django.models import ProcrastinateJob

from common.admin import DecidingAdmin, ReadOnlyAdmin
from webhooks.models import Backfill, Delivery, Endpoint, StripeEvent, Worker
from webhooks.services import draining
from webhooks.tasks import backfill_account


@admin.register(StripeEvent)
class StripeEventAdmin(DecidingAdmin[StripeEvent]):
    """Events; their payloads name persons and stay out of sight."""

    list_display = ["id", "type", "organisation", "status", "attempts", "received_at", "note"]
    list_filter = ["status"]
    list_select_related = ["organisation"]
    ordering = ["-received_at"]
    exact_lookups = ["id", "organisation__slug"]
    exclude = ["payload"]
    actions = ["process_again"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[StripeEvent]:
        """Return the events without their payloads."""
        return super().get_queryset(request).defer("payload")

    def has_process_permission(self, request: HttpRequest) -> bool:
        """Tell who may have events processed again."""
        return request.user.has_perm("webhooks.process_event")

    @admin.action(description="Process again", permissions=["process"])
    def process_again(self, request: HttpRequest, queryset: QuerySet[StripeEvent]) -> None:
        """Put events back in the queue."""
        self.decide(
            request, queryset, lambda event: draining.process_again(event=event), "in the queue"
        )


@admin.register(Backfill)
class BackfillAdmin(DecidingAdmin[Backfill]):
    """How far the events of each account were asked for."""

    list_display = ["organisation", "until"]
    list_select_related = ["organisation"]
    ordering = ["organisation_id"]
    exact_lookups = ["organisation__slug"]
    actions = ["backfill"]

    def has_backfill_permission(self, request: HttpRequest) -> bool:
        """Tell who may have missed events asked for."""
        return request.user.has_perm("webhooks.backfill_events")

    @admin.action(description="Ask Stripe for missed events", permissions=["backfill"])
    def backfill(self, request: HttpRequest, queryset: QuerySet[Backfill]) -> None:
        """Have the worker ask for what did not arrive."""

        def decision(backfill: Backfill) -> None:
            backfill_account.defer(organisation_id=backfill.organisation_id)

        self.decide(request, queryset, decision, "will be asked for")


@admin.register(Endpoint)
class EndpointAdmin(ReadOnlyAdmin[Endpoint]):
    """Where organisations are told what happens; an address may hold a secret, and is not shown."""

    list_display = ["id", "organisation", "failing_since", "disabled_at", "disabled_reason"]
    list_select_related = ["organisation"]
    ordering = ["-id"]
    exact_lookups = ["id", "organisation__slug"]
    exclude = ["url"]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin[Delivery]):
    """Messages on their way; what other servers answered is for the organisation alone."""

    list_display = ["id", "message", "endpoint", "status", "attempts", "next_attempt_at"]
    list_filter = ["status"]
    list_select_related = ["message", "endpoint"]
    ordering = ["-id"]
    exact_lookups = ["id", "message", "endpoint"]


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin[Worker]):
    """Which workers live."""

    list_display = ["name", "seen_at"]
    ordering = ["-seen_at"]
    exact_lookups = ["name"]


admin.site.unregister(ProcrastinateJob)


@admin.register(ProcrastinateJob)
class JobAdmin(ReadOnlyAdmin[ProcrastinateJob]):
    """Background jobs; what they are about may name persons and stays out of sight."""

    list_display = ["id", "task_name", "status", "attempts", "scheduled_at"]
    list_filter = ["status"]
    ordering = ["-id"]
    exact_lookups = ["id", "task_name"]
    fields = ["id", "task_name", "queue_name", "status", "attempts", "scheduled_at", "priority"]
