"""What is in the payouts that Stripe makes by itself."""

from typing import Any, Self

from django.db import models
from django.db.models import Case, Count, OuterRef, Q, Subquery, Sum, Value, When

from organisations.models import Organisation
from treasury.models.movements import BalanceTransaction
from treasury.models.payouts import Payout

GIFT = "gift"


class PayoutItemQuerySet(models.QuerySet["PayoutItem"]):
    """Questions about what is in payouts."""

    def of(self, organisation: Organisation) -> Self:
        """Return what is in an organisation's payouts."""
        return self.filter(organisation=organisation)

    def inside(self, payout: Payout) -> Self:
        """Return what is in one payout, the oldest first."""
        own = self.filter(organisation=payout.organisation_id, payout=payout.stripe_id)
        return own.order_by("occurred_at", "stripe_id")

    def bringing(self, payout: Payout) -> Self:
        """Return what brought the money of a payout that failed into a later one."""
        own = self.filter(organisation=payout.organisation_id)
        return own.filter(stripe_id=payout.failure_transaction).exclude(stripe_id="")

    def after(self, item: "PayoutItem") -> Self:
        """Return those that come after one, the oldest first."""
        is_younger = Q(occurred_at__gt=item.occurred_at)
        is_of_one_moment = Q(occurred_at=item.occurred_at, stripe_id__gt=item.stripe_id)
        return self.filter(is_younger | is_of_one_moment)

    def with_entries(self) -> Any:
        """Return them with the `sequence` of their entry and the `kind` of what they are."""
        booked = BalanceTransaction.objects.filter(
            organisation=OuterRef("organisation"), stripe_id=OuterRef("stripe_id")
        )
        is_gift = When(Q(reporting_category="charge", donation__gt=""), then=Value(GIFT))
        told = self.annotate(
            sequence=Subquery(booked.values("sequence")),
            donation=Subquery(booked.values("donation")),
        )
        return told.annotate(kind=Case(is_gift, default="reporting_category"))

    def sums(self) -> Any:
        """Return for each kind how many there are, and their amounts and fees added up."""
        by_kind = self.with_entries().order_by().values("kind")
        return by_kind.annotate(count=Count("id"), gross=Sum("amount"), fees=Sum("fee"))


class PayoutItem(models.Model):
    """
    One balance transaction in an automatic payout; signed minor units of the payout's currency.

    The payout's own transaction is none of them, so that they add up to the payout's amount. A
    payout that failed keeps its items; the transaction that brought it back is in a later one.
    `is_booked` says that our ledger has the transaction, too.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="payout_items")
    payout = models.CharField(max_length=255)
    stripe_id = models.CharField(max_length=255)
    reporting_category = models.CharField(max_length=64)
    amount = models.BigIntegerField()
    fee = models.BigIntegerField()
    net = models.BigIntegerField()
    occurred_at = models.DateTimeField()
    is_booked = models.BooleanField(default=False)

    objects = PayoutItemQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["organisation", "payout", "occurred_at", "stripe_id"], name="item_by_time"
            ),
            models.Index(fields=["organisation", "stripe_id"], name="item_by_transaction"),
            models.Index(
                fields=["organisation"], condition=Q(is_booked=False), name="item_is_not_booked"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "payout", "stripe_id"], name="item_is_in_a_payout_once"
            ),
            models.CheckConstraint(
                condition=Q(net=models.F("amount") - models.F("fee")),
                name="item_net_is_amount_less_fee",
            ),
        ]

    def __str__(self) -> str:
        """Name the transaction."""
        return self.stripe_id
