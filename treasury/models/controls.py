"""Payouts that the platform times: stopped while something is held, and ordered by hand then."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from common.ids import new_id
from organisations.models import Organisation


class PayoutControl(models.Model):
    """
    How the platform times the payouts of one account.

    From `stopped_at` on Stripe pays out nothing of its own accord; `schedule` is what it went by
    before, as Stripe tells it (`settings.payouts.schedule`). What is not held has been ordered for
    every day until `paid_on`. `trouble` is why Stripe refused the last change, of which staff are
    told once.

    One job at a time has it, until `claimed_until`; what is held from then on makes it due at once
    (`next_attempt_at`), so that the next one looks again.
    """

    organisation = models.OneToOneField(
        Organisation, models.PROTECT, primary_key=True, related_name="payout_control"
    )
    schedule = models.JSONField(null=True)
    stopped_at = models.DateTimeField(null=True)
    paid_on = models.DateField(null=True)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    claimed_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    trouble = models.CharField(max_length=500, blank=True)
    is_told = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(stopped_at__isnull=True) | Q(schedule__isnull=False),
                name="payouts_that_stop_can_go_on",
            ),
        ]

    def __str__(self) -> str:
        """Name whose payouts they are."""
        return f"payouts of {self.organisation}"

    @property
    def is_by_hand(self) -> bool:
        """Tell whether Stripe paid out nothing of its own accord before, either."""
        return self.schedule is not None and self.schedule["interval"] == "manual"


class PayoutOrderQuerySet(models.QuerySet["PayoutOrder"]):
    """Questions about orders."""

    def of(self, organisation: Organisation) -> Self:
        """Return an organisation's orders."""
        return self.filter(organisation=organisation)

    def open(self) -> Self:
        """Return those whose answer is not known, the oldest first."""
        return self.filter(status=PayoutOrder.Status.OPEN).order_by("id")


class PayoutOrder(models.Model):
    """
    One payout that the platform orders of Stripe: `amount` minor units of `currency`, on a `day`.

    It is `open` until Stripe's answer is known: `sent` as `payout`, or `refused` because of
    `trouble`. It was sent at `tried_at`, once or more often under one idempotency key. One that may
    not be sent any more, since more is held by now, is `given_up`.
    """

    class Status(models.TextChoices):
        OPEN = "open", "is being ordered"
        SENT = "sent", "sent"
        REFUSED = "refused", "refused"
        GIVEN_UP = "given_up", "given up"

    id = models.CharField(primary_key=True, max_length=32, default=new_id("pord"), editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="payout_orders")
    currency = models.CharField(max_length=3)
    day = models.DateField()
    amount = models.BigIntegerField()
    ordered_at = models.DateTimeField(auto_now_add=True)
    tried_at = models.DateTimeField(null=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.OPEN)
    payout = models.CharField(max_length=255, blank=True)
    trouble = models.CharField(max_length=500, blank=True)

    objects = PayoutOrderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "currency", "day"], name="payout_is_ordered_once_a_day"
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0, amount__lt=2**53), name="payout_order_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(status="sent") & ~Q(payout="") | ~Q(status="sent") & Q(payout=""),
                name="payout_order_that_is_sent_has_a_payout",
            ),
        ]

    def __str__(self) -> str:
        """Name the order."""
        return self.id
