"""Refunds that members or programs asked for, and what became of each."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from common.ids import new_id
from donations.models.gifts import Donation
from organisations.models import Organisation, User

NOTE_LENGTH_MAX = 500
KEY_LENGTH_MAX = 300


class RefundRequestQuerySet(models.QuerySet["RefundRequest"]):
    """Questions about refunds."""

    def of(self, organisation: Organisation) -> Self:
        """Return an organisation's refunds."""
        return self.filter(organisation=organisation)

    def of_gift(self, donation: Donation) -> Self:
        """Return the refunds of one gift, the oldest first."""
        return self.filter(organisation=donation.organisation_id, donation=donation).order_by("id")

    def unanswered(self) -> Self:
        """Return those of which nobody knows yet whether Stripe took them."""
        return self.filter(status__in=UNANSWERED)

    def due(self, now: datetime) -> Self:
        """Return those that Stripe should be asked for now."""
        return self.unanswered().filter(next_attempt_at__lte=now)

    def to_watch(self, since: datetime) -> Self:
        """Return those that members should know of: no end yet, or came back after a moment."""
        is_open = Q(status__in=(*UNANSWERED, RefundRequest.Status.PENDING))
        came_back = Q(status=RefundRequest.Status.FAILED, created_at__gte=since)
        return self.filter(is_open | came_back).order_by("-created_at")

    def under_way(self) -> Self:
        """Return those that may still take money from a gift, or have taken it."""
        return self.exclude(status__in=(RefundRequest.Status.FAILED, RefundRequest.Status.REFUSED))


class RefundRequest(models.Model):
    """
    One refund, as it was asked for: `amount` minor units of the gift's own currency.

    It is `requested` until a program has taken it up, and `sent` from the moment in which Stripe
    may know of it. Then Stripe has it (`pending`: the money is on its way; `succeeded`), or has
    `refused` it with a code and our words for it. A refund that has succeeded can still come back:
    `failed`, with Stripe's `failure`. What it moved is booked from the balance alone.
    `requested_by` is nobody where a program asked; the `note` stays inside the organisation, and
    goes when the donor is erased.
    """

    class Status(models.TextChoices):
        REQUESTED = "requested"
        SENT = "sent"
        PENDING = "pending"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        REFUSED = "refused"

    class Reason(models.TextChoices):
        REQUESTED_BY_CUSTOMER = "requested_by_customer", "The donor asked for it"
        DUPLICATE = "duplicate", "The gift was made twice"
        FRAUDULENT = "fraudulent", "The owner of the card did not make it"
        NOT_ACCEPTED = "not_accepted", "A review did not accept the gift"

    id = models.CharField(primary_key=True, max_length=32, default=new_id("rfd"), editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="refund_requests")
    # The key of gifts begins with the organisation: sql/refunds_v1.sql refers to it.
    donation = models.ForeignKey(
        Donation, models.PROTECT, related_name="refund_requests", db_constraint=False
    )
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=30, choices=Reason)
    note = models.CharField(max_length=NOTE_LENGTH_MAX, blank=True)
    requested_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    key = models.CharField(max_length=KEY_LENGTH_MAX, editable=False)
    request_hash = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    status = models.CharField(max_length=10, choices=Status, default=Status.REQUESTED)
    stripe_refund = models.CharField(max_length=255, blank=True, editable=False)
    refusal_code = models.CharField(max_length=100, blank=True, editable=False)
    refusal = models.CharField(max_length=500, blank=True, editable=False)
    failure = models.CharField(max_length=100, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    next_attempt_at = models.DateTimeField(auto_now_add=True)

    objects = RefundRequestQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["organisation", "donation"], name="refund_by_gift"),
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(status__in=["requested", "sent"]),
                name="refund_is_due",
            ),
            models.Index(
                fields=["organisation", "-created_at"],
                condition=Q(status__in=["requested", "sent", "pending", "failed"]),
                name="refund_that_waits",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, amount__lt=2**53), name="refund_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["requested", "sent", "refused"], stripe_refund="")
                | Q(status__in=["pending", "succeeded", "failed"]) & ~Q(stripe_refund=""),
                name="refund_status_fits_what_stripe_has",
            ),
            models.CheckConstraint(
                condition=Q(status="refused") & ~Q(refusal_code="") & ~Q(refusal="")
                | ~Q(status="refused") & Q(refusal_code="", refusal=""),
                name="refund_refusal_has_words",
            ),
            models.CheckConstraint(
                condition=Q(status="failed") & ~Q(failure="") | ~Q(status="failed") & Q(failure=""),
                name="refund_failure_has_a_reason",
            ),
            models.UniqueConstraint(fields=["organisation", "key"], name="refund_key_is_new"),
            models.UniqueConstraint(
                fields=["organisation", "stripe_refund"],
                condition=~Q(stripe_refund=""),
                name="refund_at_stripe_is_of_one_request",
            ),
        ]

    def __str__(self) -> str:
        """Name the refund."""
        return self.id


# Why members and programs may give back; what a review does not accept is for staff to say.
REASONS = [each for each in RefundRequest.Reason.choices if each[0] != "not_accepted"]
UNANSWERED = (RefundRequest.Status.REQUESTED, RefundRequest.Status.SENT)
