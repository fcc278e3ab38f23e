"""Holds: money that does not count, or is not taken, until staff have decided."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from common.ids import new_id
from organisations.models import Organisation
from reviews.models.cases import Case


class HoldQuerySet(models.QuerySet["Hold"]):
    """Questions about holds."""

    def of(self, organisation: Organisation) -> Self:
        """Return an organisation's holds."""
        return self.filter(organisation=organisation)

    def under_way(self) -> Self:
        """Return those whose money is not free: undecided, or on its way."""
        return self.filter(status__in=UNDER_WAY)

    def to_ask(self, now: datetime) -> Self:
        """Return those that Stripe should be asked about now: decided ones, and overdue ones."""
        return self.filter(kind=Hold.Kind.CAPTURE, status__in=UNDER_WAY, next_attempt_at__lte=now)


class Hold(models.Model):
    """
    A case's effect on one gift's money: `amount` minor units of `currency`.

    Before its capture (`capture`) a card is only authorised: released, it is captured; refused, it
    is canceled; undecided at `lapses_at`, its bank lets it go. In the ledger (`ledger`) the gift's
    money moves from `purpose` to `held`: released, it moves back; refused, it is refunded. It is
    `open`, then `releasing` or `refusing` from the moment of the decision until the world has done
    it, then `released`, `refused` or `lapsed` for ever. Only a refund that came back (`refused`
    before) makes a ledger hold `open` again.
    """

    class Kind(models.TextChoices):
        CAPTURE = "capture", "authorised, not captured"
        LEDGER = "ledger", "held in the ledger"

    class Status(models.TextChoices):
        OPEN = "open", "waits for a decision"
        RELEASING = "releasing", "is being released"
        REFUSING = "refusing", "is being given back"
        RELEASED = "released", "released"
        REFUSED = "refused", "given back"
        LAPSED = "lapsed", "let go by the bank"

    id = models.CharField(primary_key=True, max_length=32, default=new_id("hold"), editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="holds")
    case = models.OneToOneField(Case, models.PROTECT, related_name="hold")
    gift = models.CharField(max_length=32)
    kind = models.CharField(max_length=7, choices=Kind)
    status = models.CharField(max_length=9, choices=Status, default=Status.OPEN)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    purpose = models.CharField(max_length=80)
    payment_intent = models.CharField(max_length=255, blank=True)
    lapses_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    held_at_sequence = models.BigIntegerField(null=True)
    released_at_sequence = models.BigIntegerField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=500, blank=True)

    objects = HoldQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(kind="capture", status__in=["open", "releasing", "refusing"]),
                name="hold_to_carry_out",
            ),
            models.Index(
                fields=["organisation", "status"],
                condition=Q(status__in=["open", "releasing", "refusing"]),
                name="hold_under_way",
            ),
            models.Index(fields=["organisation", "gift"], name="hold_of_gift"),
            models.Index(fields=["opened_at"], name="hold_by_its_beginning"),
            models.Index(
                fields=["ended_at"],
                condition=Q(ended_at__isnull=False),
                name="hold_by_its_end",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "gift", "kind"], name="gift_is_held_once_a_kind"
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0, amount__lt=2**53), name="hold_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(kind="capture", held_at_sequence__isnull=True)
                & ~Q(payment_intent="")
                & Q(lapses_at__isnull=False)
                | Q(kind="ledger", held_at_sequence__isnull=False, lapses_at__isnull=True),
                name="hold_is_before_capture_or_in_the_ledger",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["open", "releasing", "refusing"], ended_at__isnull=True)
                | Q(status__in=["released", "refused", "lapsed"], ended_at__isnull=False),
                name="hold_ends_with_its_status",
            ),
            models.CheckConstraint(
                condition=~Q(kind="ledger", status="released")
                | Q(released_at_sequence__isnull=False),
                name="hold_released_is_in_the_ledger",
            ),
        ]

    def __str__(self) -> str:
        """Name the gift and how it is held."""
        return f"{self.gift}, {self.get_kind_display()}"


DECIDED = (Hold.Status.RELEASING, Hold.Status.REFUSING)
UNDER_WAY = (Hold.Status.OPEN, *DECIDED)
