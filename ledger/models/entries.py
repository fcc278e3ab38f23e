"""Entries: what every one says, and the questions about them."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time
from typing import Any, Self, TypeVar

from django.db import models
from django.db.models import Case, OuterRef, Q, Subquery, Sum, When
from django.db.models.functions import TruncMonth

from organisations.models import Organisation

PUBLIC, HELD = "public", "held"

LineType = TypeVar("LineType", bound="EntryFields")


class LineQuerySet(models.QuerySet[LineType]):
    """Questions about whatever has the columns of an entry."""

    def with_corrections(self) -> Self:
        """Return each with `corrected_by`: the sequence of the entry that took it back."""
        key = {"organisation": OuterRef("organisation"), "book": OuterRef("book")}
        corrections = Correction.objects.filter(reverses=OuterRef("sequence"), **key)
        return self.annotate(corrected_by=Subquery(corrections.values("sequence")))

    def newest(
        self, count: int, *, before: int | None = None, after: int | None = None
    ) -> list[LineType]:
        """Return the last entries before a sequence, or the next after one; the newest first."""
        if after is not None:
            return list(self.filter(sequence__gt=after).order_by("sequence")[:count])[::-1]
        entries = self if before is None else self.filter(sequence__lt=before)
        return list(entries.order_by("-sequence")[:count])


class EntryQuerySet(LineQuerySet["Entry"]):
    """Questions about entries."""

    def of(self, organisation: Organisation | str, book: str = PUBLIC) -> Self:
        """Return the entries of one book."""
        return self.filter(organisation=organisation, book=book)

    def matching(
        self,
        *,
        operation: str = "",
        account: str = "",
        since: date | None = None,
        until: date | None = None,
    ) -> Self:
        """Return those of an operation, on an account, that happened from a day to a day (UTC)."""
        conditions = Q()
        if operation:
            conditions &= Q(operation=operation)
        if account:
            conditions &= Q(debit=account) | Q(credit=account)
        if since:
            conditions &= Q(occurred_at__gte=datetime.combine(since, time.min, UTC))
        if until:
            conditions &= Q(occurred_at__lte=datetime.combine(until, time.max, UTC))
        return self.filter(conditions)

    def attestation(self, sequence: int) -> list["Entry"]:
        """Return all parts of the last balance attestation up to an entry of the public book."""
        earlier = self.filter(operation="BALANCE_ATTESTATION", sequence__lte=sequence)
        last = earlier.order_by("-sequence").first()
        if last is None or last.metadata["parts"] == 1:
            return [last] if last else []
        size, parts = last.metadata["size"], last.metadata["parts"]
        return list(self.filter(sequence__range=(size, size + parts - 1)).order_by("sequence"))

    def of_gift(self, donation_id: str) -> Self:
        """Return everything that happened to one gift, in its order."""
        return self.filter(metadata__donation=donation_id).order_by("sequence")

    def set_aside(self) -> dict[tuple[str, str], int]:
        """Return what was ever held for review, by the account it came from and its currency."""
        held = self.filter(book=PUBLIC, operation="DONATION_HELD").values("debit", "currency")
        sums = held.annotate(amount=Sum("amount")).values_list("debit", "currency", "amount")
        return {(account, currency): amount for account, currency, amount in sums}

    def by_month(self, *, since: datetime, places: Collection[str]) -> list[Any]:
        """
        Return what was `received` and what is `gone`, per currency and month since a moment.

        `places` are the book's places; what moves between them is neither. What is held for review
        is left out of the month of its gift, and counts in the month in which it is released.
        """
        into, out_of = Q(debit__in=places), Q(credit__in=places)
        held, released = Q(operation="DONATION_HELD"), Q(operation="HOLD_RELEASED")
        received = (into & ~out_of & ~Q(credit=HELD)) | released
        months = (
            self.filter(into | out_of | held | released, occurred_at__gte=since)
            .annotate(came_at=Case(When(held, then=_gift_came_at()), default="occurred_at"))
            .filter(came_at__gte=since)
            .annotate(month=TruncMonth("came_at"))
            .values("currency", "month")
            .annotate(
                received=Sum("amount", filter=received, default=0)
                - Sum("amount", filter=held, default=0),
                gone=Sum("amount", filter=out_of & ~into & ~Q(debit=HELD), default=0),
            )
        )
        return list(months.order_by("currency", "month")) if places else []


class EntryFields(models.Model):
    """
    The columns of an entry: it moves `amount` minor units of `currency` from `credit` to `debit`.

    `line` is the canonical text that is hashed, published and proven; the other columns are its
    parts, and the database refuses a row in which they disagree.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    book = models.TextField()
    sequence = models.BigIntegerField()
    entry_id = models.TextField()
    operation = models.TextField()
    amount = models.BigIntegerField()
    currency = models.TextField()
    debit = models.TextField()
    credit = models.TextField()
    nonce = models.TextField()
    metadata = models.JSONField()
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    prev_entry_hash = models.TextField(null=True)  # noqa: DJ001 - null is the genesis'
    entry_hash = models.TextField()
    line = models.TextField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        """Name the entry by its place in the chain."""
        return f"{self.book}/{self.sequence} {self.operation}"

    @property
    def reverses(self) -> int | None:
        """Return the sequence of the entry that this one takes back."""
        return self.metadata.get("reverses") if self.operation == "CORRECTION" else None


class Entry(EntryFields):
    """One line of a book, for ever."""

    pk = models.CompositePrimaryKey("organisation_id", "book", "sequence")

    objects = EntryQuerySet.as_manager()


class Leg(EntryFields):
    """
    One side of an entry: a view.

    `moved` is the entry's amount where it debits the `account`, and below zero where it credits it.
    """

    pk = models.CompositePrimaryKey("organisation_id", "book", "sequence", "account")
    account = models.TextField()
    moved = models.BigIntegerField()

    objects = LineQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "ledger_leg"
        default_permissions = ()


class Correction(models.Model):
    """That the entry at `sequence` took back the one at `reverses`: a view."""

    pk = models.CompositePrimaryKey("organisation_id", "book", "reverses")
    organisation = models.ForeignKey(Organisation, models.DO_NOTHING, related_name="+")
    book = models.TextField()
    reverses = models.BigIntegerField()
    sequence = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "ledger_correction"
        default_permissions = ()

    def __str__(self) -> str:
        """Say what was taken back by what."""
        return f"{self.book}/{self.reverses} by {self.sequence}"


class EntryListing(EntryFields):
    """An entry as the admin lists it: a view whose key is one text."""

    id = models.TextField(primary_key=True)

    objects = LineQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "ledger_entrylisting"
        verbose_name = "entry"
        verbose_name_plural = "entries"
        permissions = [("correct_entry", "Can correct entries")]


def _gift_came_at() -> Subquery:
    keys = {name: OuterRef(name) for name in ("organisation", "book", "metadata__donation")}
    gifts = Entry.objects.filter(operation="DONATION_RECEIVED", **keys)
    return Subquery(gifts.values("occurred_at")[:1])
