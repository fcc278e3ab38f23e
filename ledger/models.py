"""
Books, accounts, entries: rows that only the database itself moves.

The tables, their keys and their guards are plain SQL (`sql/`): composite, self-referencing and
checked by functions. These models read them.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Self, TypeVar

from django.db import connection, models
from django.db.models import Case, F, Func, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, TruncMonth

from organisations.models import Organisation

PUBLIC = "public"
# They stand in nearly every entry, so no index has theirs (sql/statements_v1.sql).
HUBS = ("stripe", "issued")
SUMS_AT = "SELECT currency, name, debits, credits FROM ledger_sums_at_v1(%s, %s, %s)"


class BookQuerySet(models.QuerySet["Book"]):
    """Questions about books."""

    def public(self) -> Self:
        """Return the public books of approved organisations, each with its organisation."""
        is_public = Q(book=PUBLIC, organisation__status=Organisation.Status.APPROVED)
        return self.filter(is_public).select_related("organisation").order_by("organisation__slug")

    def unattested(self, *, entries: int, since: datetime) -> Self:
        """Return public books with so many entries since the last attestation, or an older one."""
        rows = Entry.objects.filter(organisation=OuterRef("organisation"), book=PUBLIC)
        last = rows.filter(operation="BALANCE_ATTESTATION").order_by("-sequence")
        at = rows.filter(sequence=OuterRef("attested"))
        return (
            self.filter(book=PUBLIC)
            # The genesis says as much as an attestation: nothing has moved.
            .annotate(attested=Coalesce(Subquery(last.values("sequence")[:1]), Value(0)))
            .annotate(attested_at=Subquery(at.values("recorded_at")))
            .filter(
                Q(size__gt=F("attested") + entries)
                | Q(size__gt=F("attested") + 1, attested_at__lt=since)
            )
            .order_by("organisation_id")
        )


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

    def sequence_at(self, moment: datetime) -> int | None:
        """Return the last entry that was recorded by a moment; None before the book began."""
        key = (Value(self.organisation_id), Value(self.book), Value(moment))
        found = Func(*key, function="ledger_sequence_at_v1", output_field=models.BigIntegerField())
        sequence: int | None = Book.objects.filter(pk=self.pk).values_list(found, flat=True).get()
        return sequence


class AccountQuerySet(models.QuerySet["Account"]):
    """Questions about balances."""

    def of(self, organisation: Organisation, book: str = PUBLIC) -> Self:
        """Return the accounts of one book."""
        return self.filter(organisation=organisation, book=book)

    def named(self, name: str, currency: str) -> Self:
        """Return the account with this name and currency, whatever somebody typed."""
        # PostgreSQL knows no NUL, not even to look for it.
        return self.none() if "\0" in name + currency else self.filter(name=name, currency=currency)

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

    def money_at(self, organisation: Organisation, sequence: int) -> list[Any]:
        """Return what `money()` returned of the public book after an entry."""
        with connection.cursor() as cursor:
            cursor.execute(SUMS_AT, [organisation.pk, PUBLIC, sequence])
            sums = {(currency, name): rest for currency, name, *rest in cursor.fetchall()}
        rows: Any = self.of(organisation).money()
        accounts = []
        for account in rows:
            if past := sums.get((account.currency, account.name)):
                account.debits, account.credits = past
                account.amount = (account.debits - account.credits) * account.sign
                accounts.append(account)
        return accounts


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

    def legs(self) -> "LineQuerySet[Any]":
        """Return the entries on this account, each with what it `moved`: debited, or below zero."""
        rows = {"organisation": self.organisation_id, "book": self.book, "currency": self.currency}
        if self.name not in HUBS:
            return Leg.objects.filter(account=self.name, **rows)
        moved = Case(When(debit=self.name, then=F("amount")), default=-F("amount"))
        sides = Q(debit=self.name) | Q(credit=self.name)
        # Always so, and said for the planner: it finds a rare currency by what is not a hub.
        others = ~Q(debit__in=HUBS) | ~Q(credit__in=HUBS)
        return Entry.objects.filter(sides, others, **rows).annotate(moved=moved)

    def balance_at(self, sequence: int) -> int:
        """Return what was there after an entry: of money positive, like an owner's credits."""
        start, attested = self._attested(sequence) if self.book == PUBLIC else (0, 0)
        legs = self.legs().filter(sequence__gte=start, sequence__lte=sequence)
        return int(attested + legs.aggregate(sum=Sum("moved", default=0))["sum"]) * self.sign

    def _attested(self, sequence: int) -> tuple[int, int]:
        parts = Entry.objects.of(self.organisation_id).attestation(sequence)
        rows = [row for part in parts for row in part.metadata.values() if isinstance(row, dict)]
        named = {(row["account"], row["currency"]): row["debits"] - row["credits"] for row in rows}
        return parts[0].sequence if parts else 0, named.get((self.name, self.currency), 0)

    def with_balances(self, legs: Sequence[Any]) -> Sequence[Any]:
        """Give legs that follow each other, the newest first, their `change` and `balance`."""
        balance = self.balance_at(legs[0].sequence) if legs else 0
        for leg in legs:
            leg.change, leg.balance = leg.moved * self.sign, balance
            balance -= leg.change
        return legs

    @property
    def sign(self) -> int:
        """Return 1 where debits add to what is there, and -1 where credits do."""
        return -1 if self.kind in (self.Kind.PURPOSE, self.Kind.OWNER) else 1


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

    objects = LineQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "ledger_entrylisting"
        verbose_name = "entry"
        verbose_name_plural = "entries"
        permissions = [("correct_entry", "Can correct entries")]


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
