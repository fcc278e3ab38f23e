"""Accounts: how much was ever debited and credited, and so what is there."""

from collections.abc import Sequence
from typing import Any, Self

from django.db import connection, models
from django.db.models import Case, F, OuterRef, Q, Subquery, Sum, When

from ledger.models.books import Book
from ledger.models.entries import PUBLIC, Entry, Leg, LineQuerySet
from organisations.models import Organisation

# They stand in nearly every entry, so no index has theirs (sql/statements_v1.sql).
HUBS = ("stripe", "issued")
SUMS_AT = "SELECT currency, name, debits, credits FROM ledger_sums_at_v1(%s, %s, %s)"


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
