"""Gifts that repeat, and what their donors were told about them."""

from typing import Self

from django.db import models
from django.db.models import F, OuterRef, Q, Subquery, Value
from django.utils.crypto import constant_time_compare, salted_hmac

from common.ids import new_id
from donations.models.funds import GENERAL, Fund
from donations.models.gifts import EMAIL_LENGTH_MAX, OWNER_ID_LENGTH_MAX, folded
from organisations.models import Organisation

NOBODY = Q(donor_email="", public_name="", owner_id="")


class RecurringGiftQuerySet(models.QuerySet["RecurringGift"]):
    """Questions about gifts that repeat."""

    def of(self, organisation: Organisation) -> Self:
        """Return an organisation's own."""
        return self.filter(organisation=organisation)

    def by(self, email: str) -> Self:
        """
        Return those that began, of the donor with this address: first those that go on.

        Each has its `fund_name`.
        """
        begun = self.alias(address=folded(F("donor_email"))).filter(started_at__isnull=False)
        own = begun.filter(address=folded(Value(email)))
        ended_last = F("ended_at").desc(nulls_first=True)
        fund = Fund.objects.filter(organisation=OuterRef("organisation"), slug=OuterRef("fund"))
        named = own.annotate(fund_name=Subquery(fund.values("name")))
        return named.select_related("organisation").order_by(ended_last, "-created_at")


class RecurringGift(models.Model):
    """
    A promise to give the same every month or year; Stripe collects it by a subscription.

    `amount` counts minor units of `currency`. Each payment is a `Donation` of its own, the first
    one included, and is born with the fund and the donor that stand here. It is `pending` until
    the first payment (`started_at`), then `active`, `past_due` or `paused`, in the end `ended`.
    How its subscription stood (`told_status`) was read at Stripe at `read_at`. The donor fields
    are personal; once they were erased, the address stays while the gift runs, for its donor must
    be able to end it.
    """

    class Interval(models.TextChoices):
        MONTH = "month", "every month"
        YEAR = "year", "every year"

    class Status(models.TextChoices):
        PENDING = "pending"
        ACTIVE = "active"
        PAST_DUE = "past_due"
        PAUSED = "paused"
        ENDED = "ended"

    id = models.CharField(primary_key=True, max_length=32, default=new_id("rec"), editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="recurring_gifts")
    fund = models.CharField(max_length=60, default=GENERAL)
    interval = models.CharField(max_length=5, choices=Interval)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    donor_email = models.EmailField(max_length=EMAIL_LENGTH_MAX, blank=True)
    public_name = models.CharField(max_length=80, blank=True)
    owner_id = models.CharField(max_length=OWNER_ID_LENGTH_MAX, blank=True)
    erased_at = models.DateTimeField(null=True, editable=False)

    subscription = models.CharField(max_length=255, null=True, editable=False)  # noqa: DJ001 - unique
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, editable=False)
    next_at = models.DateTimeField(null=True, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    ended_reason = models.CharField(max_length=40, blank=True, editable=False)
    told_status = models.CharField(max_length=10, choices=Status, blank=True, editable=False)
    read_at = models.DateTimeField(null=True, editable=False)

    objects = RecurringGiftQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "subscription"], name="recurring_has_its_own_subscription"
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0, amount__lt=2**53), name="recurring_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"), name="recurring_currency_is_iso_4217"
            ),
            models.CheckConstraint(
                condition=Q(interval__in=["month", "year"]), name="recurring_interval_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status="ended", ended_at__isnull=False)
                | (~Q(status="ended") & Q(ended_at__isnull=True)),
                name="recurring_ended_at_some_time",
            ),
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True)
                | NOBODY
                | Q(~Q(status="ended"), public_name="", owner_id=""),
                name="recurring_erased_names_nobody",
            ),
        ]

    def __str__(self) -> str:
        """Name the gift, not the giver."""
        return self.id

    @property
    def rhythm(self) -> str:
        """Return how often it is given, in words."""
        return str(self.Interval(self.interval).label)

    @property
    def token(self) -> str:
        """Return what opens the page that mends its payments."""
        return salted_hmac("donations.recurring", self.id, algorithm="sha256").hexdigest()[:32]

    def is_opened_by(self, token: str) -> bool:
        """Tell whether a token is this gift's."""
        return constant_time_compare(self.token, token)

    def status_now(self) -> str:
        """Return the status that the facts add up to, in whatever order they came."""
        if self.ended_at:
            return self.Status.ENDED
        return self.told_status or self.Status.PENDING


class RecurringNotice(models.Model):
    """
    What a donor was told of a gift that repeats, once for ever.

    `invoice` and `attempt` say of which payment, and of which try of it; what is said of the gift
    itself has none.
    """

    class Kind(models.TextChoices):
        STARTED = "started"
        FAILED = "failed"
        LAST_TRY = "last_try"
        CONFIRM = "confirm"
        ENDED = "ended"

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    # The key in the database begins with the organisation (sql/recurring_v1.sql).
    recurring = models.ForeignKey(
        RecurringGift, models.PROTECT, related_name="notices", db_constraint=False
    )
    kind = models.CharField(max_length=10, choices=Kind)
    invoice = models.CharField(max_length=255, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "recurring", "kind", "invoice", "attempt"],
                name="recurring_notice_is_given_once",
            ),
        ]

    def __str__(self) -> str:
        """Say what was told of which gift."""
        return f"{self.kind} of {self.recurring_id}"
