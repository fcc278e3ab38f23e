"""Gifts from promise to settlement."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Self

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Collate, Upper
from django.utils.crypto import constant_time_compare, salted_hmac

from common.ids import new_id
from donations.models.funds import GENERAL
from organisations.models import Organisation

OWNER_ID_LENGTH_MAX = 128
EMAIL_LENGTH_MAX, NAME_LENGTH_MAX = 254, 120


def folded(address: F | Value) -> Upper:
    """
    Return an e-mail address without the difference between A and a, and no other.

    Unicode folds more letters into one: who has such an address must not see another's gifts.
    """
    return Upper(Collate(address, "C"))


class DonationQuerySet(models.QuerySet["Donation"]):
    """Questions about gifts."""

    def of(self, organisation: Organisation) -> Self:
        """Return an organisation's gifts."""
        return self.filter(organisation=organisation)

    def by(self, email: str) -> Self:
        """Return those of the donor with this address that were paid, the newest first."""
        own = self.given_by(email).filter(paid_at__isnull=False)
        return own.select_related("organisation").order_by("-created_at")

    def newest(self, count: int, *, before: str = "") -> list["Donation"]:
        """Return the last gifts before one; ids sort by the time of the promise."""
        gifts = self.filter(id__lt=before) if before else self
        return list(gifts.order_by("-id")[:count])

    def given_by(self, email: str) -> Self:
        """Return the gifts of exactly this address, whatever its case."""
        named = self.alias(address=folded(F("donor_email"))).exclude(donor_email="")
        return named.filter(address=folded(Value(email)))

    def matching(
        self,
        *,
        status: str = "",
        fund: str = "",
        since: date | None = None,
        until: date | None = None,
    ) -> Self:
        """Return those of a status, for a fund, promised from a day to a day (UTC)."""
        conditions = Q()
        if status:
            conditions &= Q(status=status)
        if fund:
            conditions &= Q(fund=fund)
        if since:
            conditions &= Q(created_at__gte=datetime.combine(since, time.min, UTC))
        if until:
            conditions &= Q(created_at__lte=datetime.combine(until, time.max, UTC))
        return self.filter(conditions)

    def names_shown(self, sequences: Iterable[int]) -> dict[int, str]:
        """Return the names that donors chose to show, by the sequence of their entry."""
        named = self.filter(sequence__in=list(sequences)).exclude(public_name="")
        return {donation.sequence or 0: donation.public_name for donation in named}


class Donation(models.Model):
    """
    One gift from one donor to one organisation.

    `amount` counts the smallest unit of `currency`, as the donor gave it (1050 is 10.50 EUR;
    1050 is 1,050 JPY). `settled_amount` is the gross in `settled_currency`, as it reached the
    organisation's Stripe balance. A gift is `pending`, then `paid` (Stripe has it), then
    `settled` (it is in the ledger, at `sequence` of the public book); `refunded_amount` counts
    like `amount`. A payment of a gift that repeats knows it (`recurring`) and Stripe's `invoice`.
    `payout` is the payout that takes its money to the bank, and `payout_arrived_on` the day when
    it was there. `owner_id` is what the organisation's own application calls the donor, who may be
    granted credits. `authorise_only` is a gift whose card is charged after staff have released it;
    `review_due` one that repeats and whose promise is still to be looked at, once it has settled;
    `held_as` says how it is held now (`capture`, `ledger`: `reviews.models.Hold`), and
    `screening_due` that the rules have not looked at the settled gift. `owner_id`, the donor
    fields and the hash of the request that named them are personal: they are in no line of the
    public book, no log and no URL, and empty for ever once they were erased (`erased_at`).
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        PAID = "paid"
        SETTLED = "settled"
        HELD = "held"
        PARTIALLY_REFUNDED = "partially_refunded"
        REFUNDED = "refunded"
        DISPUTED = "disputed"
        FAILED = "failed"
        EXPIRED = "expired"
        CANCELED = "canceled"

    class Flow(models.TextChoices):
        CHECKOUT = "checkout"
        PAYMENT_INTENT = "payment_intent"

    id = models.CharField(primary_key=True, max_length=32, default=new_id("don"), editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="donations")
    fund = models.CharField(max_length=60, default=GENERAL)
    flow = models.CharField(max_length=20, choices=Flow)
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    donor_email = models.EmailField(max_length=EMAIL_LENGTH_MAX, blank=True)
    donor_name = models.CharField(max_length=NAME_LENGTH_MAX, blank=True)
    public_name = models.CharField(max_length=80, blank=True)
    owner_id = models.CharField(
        max_length=OWNER_ID_LENGTH_MAX, blank=True, default="", db_default=""
    )

    # The key in the database begins with the organisation (sql/recurring_v1.sql).
    recurring = models.ForeignKey(
        "donations.RecurringGift",
        models.PROTECT,
        null=True,
        editable=False,
        related_name="payments",
        db_constraint=False,
    )
    invoice = models.CharField(max_length=255, null=True, editable=False)  # noqa: DJ001 - unique
    idempotency_key = models.CharField(max_length=255, null=True, editable=False)  # noqa: DJ001 - unique
    request_hash = models.CharField(max_length=64, blank=True, editable=False)
    checkout_session = models.CharField(max_length=255, blank=True, editable=False)
    checkout_url = models.TextField(blank=True, editable=False)
    payment_intent = models.CharField(max_length=255, blank=True, editable=False)

    authorise_only = models.BooleanField(default=False, db_default=False, editable=False)
    review_due = models.BooleanField(default=False, db_default=False, editable=False)
    held_as = models.CharField(max_length=7, blank=True, db_default="", editable=False)
    screening_due = models.BooleanField(default=False, db_default=False, editable=False)

    erased_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    paid_at = models.DateTimeField(null=True, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    ended_as = models.CharField(max_length=20, choices=Status, blank=True, editable=False)
    settled_at = models.DateTimeField(null=True, editable=False)
    settled_amount = models.BigIntegerField(null=True, editable=False)
    settled_currency = models.CharField(max_length=3, blank=True, editable=False)
    sequence = models.BigIntegerField(null=True, editable=False)
    refunded_amount = models.BigIntegerField(default=0, editable=False)
    disputed_amount = models.BigIntegerField(default=0, editable=False)
    payout = models.CharField(max_length=255, blank=True, default="", db_default="", editable=False)
    payout_arrived_on = models.DateField(null=True, editable=False)

    objects = DonationQuerySet.as_manager()

    class Meta:
        permissions = [("erase_donor", "Can erase who gave")]
        indexes = [
            models.Index(fields=["organisation", "-created_at"], name="donation_by_time"),
            models.Index(
                fields=["settled_at"], condition=Q(screening_due=True), name="donation_to_screen"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, amount__lt=2**53), name="donation_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"), name="donation_currency_is_iso_4217"
            ),
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True, sequence__isnull=True)
                | Q(
                    settled_at__isnull=False,
                    sequence__isnull=False,
                    sequence__gt=0,
                    settled_amount__isnull=False,
                    settled_amount__gt=0,
                ),
                name="donation_settled_is_in_ledger",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "paid", "failed", "expired", "canceled"])
                | Q(status="held", held_as="capture")
                | Q(sequence__isnull=False),
                name="donation_status_fits_its_ledger",
            ),
            models.CheckConstraint(
                condition=Q(refunded_amount__gte=0, refunded_amount__lte=models.F("amount")),
                name="donation_refund_is_of_its_amount",
            ),
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True)
                | Q(donor_email="", donor_name="", public_name="", owner_id="", request_hash=""),
                name="donation_erased_names_nobody",
            ),
            models.CheckConstraint(
                condition=Q(payout_arrived_on__isnull=True) | ~Q(payout=""),
                name="donation_arrived_in_a_payout",
            ),
            models.UniqueConstraint(
                fields=["organisation", "idempotency_key"], name="donation_idempotency_key_is_new"
            ),
            models.UniqueConstraint(
                fields=["organisation", "invoice"], name="donation_has_an_invoice_of_its_own"
            ),
            models.UniqueConstraint(
                fields=["organisation", "sequence"], name="donation_has_an_entry_of_its_own"
            ),
        ]

    def __str__(self) -> str:
        """Name the gift, not the giver."""
        return self.id

    @property
    def purpose(self) -> str:
        """Return the account of the public book that it is for."""
        return f"fund:{self.fund}"

    @property
    def token(self) -> str:
        """Return what opens the donor's page of this gift."""
        return salted_hmac("donations.token", self.id, algorithm="sha256").hexdigest()[:32]

    def is_opened_by(self, token: str) -> bool:
        """Tell whether a token is this gift's."""
        return constant_time_compare(self.token, token)

    def status_now(self) -> str:
        """Return the status that the facts add up to, in whatever order they came."""
        if self.sequence is not None:
            return self._settled_status()
        if self.paid_at:
            return self.Status.PAID
        if self.held_as and not self.ended_as:
            return self.Status.HELD
        return self.ended_as or self.Status.PENDING

    def _settled_status(self) -> str:
        if self.disputed_amount:
            return self.Status.DISPUTED
        if self.held_as:
            return self.Status.HELD
        if not self.refunded_amount:
            return self.Status.SETTLED
        is_whole = self.refunded_amount >= self.amount
        return self.Status.REFUNDED if is_whole else self.Status.PARTIALLY_REFUNDED
