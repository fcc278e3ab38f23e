"""
Books, accounts, entries: rows that only the database itself moves.

The tables, their keys and their guards are plain SQL (`sql/`): composite, self-referencing and
checked by functions. These models read them.
"""

from collections.abc import Collection
from datetime import UTC, date, datetime, time
from typing import Any, Self

from django.db import models
from django.db.models import Case, F, OuterRef, Q, Subquery, Sum, When
from django.db.models.functions import TruncMonth

from organisations.models import Organisation

PUBLIC = "public"


class BookQuerySet(models.QuerySet["Book"]):
    """Questions about books."""

    def public(self) -> Self:
        """Return the public books of approved organisations, each with its organisation."""
        is_public = Q(book=PUBLIC, organisation__status=Organisation.Status.APPROVED)
        return self.filter(is_public).select_related("organisation").order_by("organisation__slug")


class Book(models.Model):
    """
    One append-only chain of entries inside an organisation.

    `size` entries are in it; `head_hash` is the hash of the last one, which was recorded at
    `recorded_at`. All three are written by the database from the entries.
    """

    pk = models.CompositePrimaryKey("organisation_id", "book")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="books")
    book = models.TextField()
    size = models.BigIntegerField(default=0, editable=False)
    head_hash = models.TextField(null=True, editable=False)  # noqa: DJ001 - no hash before genesis
    recorded_at = models.DateTimeField(null=True, editable=False)

    objects = BookQuerySet.as_manager()

    def __str__(self) -> str:
        """Name the book and its tenant."""
        return f"{self.organisation_id}/{self.book}"


class AccountQuerySet(models.QuerySet["Account"]):
    """Questions about balances."""

    def of(self, organisation: Organisation, book: str = PUBLIC) -> Self:
        """Return the accounts of one book."""
        return self.filter(organisation=organisation, book=book)

    def money(self) -> Self:
        """Return places and purposes, each with its `amount`: positive when money is there."""
        places = F("debits") - F("credits")
        return (
            self.filter(kind__in=[Account.Kind.PLACE, Account.Kind.PURPOSE])
            .annotate(amount=Case(When(kind="place", then=places), default=-places))
            .order_by("currency", "name")
        )

    def with_size(self) -> Self:
        """Return each account with the `size` that its book had at the same moment."""
        book = Book.objects.filter(organisation=OuterRef("organisation"), book=OuterRef("book"))
        return self.annotate(size=Subquery(book.values("size")))


class Account(models.Model):
    """
    One account of one book in one currency.

    `debits` and `credits` are the sums of all its entries, in minor units; they only grow, and
    only the database writes them. The `kind` follows from the name.
    """

    class Kind(models.TextChoices):
        PLACE = "place"
        PURPOSE = "purpose"
        OWNER = "owner"
        OTHER = "other"
        GENESIS = "genesis"

    pk = models.CompositePrimaryKey("organisation_id", "book", "currency", "name")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="accounts")
    book = models.TextField()
    currency = models.TextField()
    name = models.TextField()
    kind = models.TextField(choices=Kind, editable=False)
    debits = models.BigIntegerField(default=0, editable=False)
    credits = models.BigIntegerField(default=0, editable=False)

    objects = AccountQuerySet.as_manager()

    def __str__(self) -> str:
        """Name the account and its currency."""
        return f"{self.name} {self.currency}"


class EntryQuerySet(models.QuerySet["Entry"]):
    """Questions about entries."""

    def of(self, organisation: Organisation, book: str = PUBLIC) -> Self:
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

    def of_gift(self, donation_id: str) -> Self:
        """Return everything that happened to one gift, in its order."""
        return self.filter(metadata__donation=donation_id).order_by("sequence")

    def newest(
        self, count: int, *, before: int | None = None, after: int | None = None
    ) -> list["Entry"]:
        """Return the last entries before a sequence, or the next after one; the newest first."""
        if after is not None:
            return list(self.filter(sequence__gt=after).order_by("sequence")[:count])[::-1]
        entries = self if before is None else self.filter(sequence__lt=before)
        return list(entries.order_by("-sequence")[:count])

    def by_month(self, *, since: datetime, places: Collection[str]) -> list[Any]:
        """
        Return what was `received` and what is `gone`, per currency and month since a moment.

        `places` are the book's places; what moves between them is neither.
        """
        into, out_of = Q(debit__in=places), Q(credit__in=places)
        months = (
            self.filter(into | out_of, occurred_at__gte=since)
            .annotate(month=TruncMonth("occurred_at"))
            .values("currency", "month")
            .annotate(
                received=Sum("amount", filter=into & ~out_of, default=0),
                gone=Sum("amount", filter=out_of & ~into, default=0),
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


class Entry(EntryFields):
    """One line of a book, for ever."""

    pk = models.CompositePrimaryKey("organisation_id", "book", "sequence")

    objects = EntryQuerySet.as_manager()


class SigningKey(models.Model):
    """The Ed25519 key that signs an organisation's checkpoints; the seed is encrypted."""

    pk = models.CompositePrimaryKey("organisation_id", "vkey")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    vkey = models.TextField()
    algorithm = models.TextField(default="ed25519")
    encrypted_seed = models.BinaryField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        """Show the public half."""
        return self.vkey


class EntryListing(EntryFields):
    """An entry as the admin lists it: a view whose key is one text."""

    id = models.TextField(primary_key=True)

    class Meta:
        managed = False
        db_table = "ledger_entrylisting"
        verbose_name = "entry"
        verbose_name_plural = "entries"


class BookListing(models.Model):
    """A book as the admin lists it: a view whose key is one text."""

    id = models.TextField(primary_key=True)
    organisation = models.ForeignKey(Organisation, models.DO_NOTHING, related_name="+")
    book = models.TextField()
    size = models.BigIntegerField()
    head_hash = models.TextField(null=True)  # noqa: DJ001 - no hash before genesis

    class Meta:
        managed = False
        db_table = "ledger_booklisting"
        verbose_name = "book"

    def __str__(self) -> str:
        """Name the book."""
        return self.id
