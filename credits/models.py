"""Owners of credits, the rules by which gifts grant them, and the grants."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from common.ids import new_id
from common.money import AMOUNT_MAX
from donations.models import OWNER_ID_LENGTH_MAX, Donation
from ledger.models import Account, AccountQuerySet
from ledger.operations import CREDIT
from organisations.models import Organisation, User

OWNER = "owner:"
BALANCE = F("credits") - F("debits")
COUNTS_NOWHERE = (Donation.Status.HELD, Donation.Status.REFUNDED, Donation.Status.DISPUTED)


@dataclass(frozen=True)
class Owner:
    """Who has credits of one of an organisation's applications, by the application's own id."""

    organisation: Organisation
    book: str
    id: str

    @property
    def account(self) -> str:
        """Return the account that holds the credits."""
        return f"{OWNER}{self.id}"

    def balance(self, *, sequence: int | None = None) -> int:
        """Return the credits that there are, or were after the entry at `sequence`."""
        balance: Any = BALANCE
        if sequence is not None:
            # One statement sees one moment: the sums of now, less what came since.
            later = self.legs().filter(sequence__gt=sequence).order_by().values("book")
            balance += Coalesce(Subquery(later.annotate(sum=Sum("moved")).values("sum")), 0)
        accounts = owners_of(self.organisation, self.book).filter(name=self.account)
        found = accounts.values_list(balance, flat=True).first()
        return int(found or 0)

    def exists(self) -> bool:
        """Tell whether anything ever happened to this owner."""
        # PostgreSQL knows no NUL, not even to look for it.
        accounts = owners_of(self.organisation, self.book).filter(name=self.account)
        return "\0" not in self.id and accounts.exists()

    def legs(self) -> Any:
        """Return what happened to the credits: entries, each with what it `moved` away."""
        account = Account(
            organisation=self.organisation, book=self.book, currency=CREDIT, name=self.account
        )
        return account.legs()

    def with_balances(self, legs: Iterable[Any]) -> list[Any]:
        """Return legs that follow each other, newest first, with their `change` and `balance`."""
        rows = list(legs)
        balance = self.balance(sequence=rows[0].sequence) if rows else 0
        for row in rows:
            row.change, row.balance = -row.moved, balance
            balance -= row.change
        return rows


def owners_of(organisation: Organisation, book: str) -> AccountQuerySet:
    """Return the accounts of a book's owners."""
    accounts = Account.objects.of(organisation, book)
    return accounts.filter(currency=CREDIT, kind=Account.Kind.OWNER)


def totals_of(organisation: Organisation) -> dict[str, Mapping[str, Any]]:
    """Return how many `owners` each book has, and the `total` of their credits."""
    owners = Account.objects.filter(organisation=organisation, kind=Account.Kind.OWNER)
    rows = owners.values("book").annotate(owners=Count("name"), total=Sum(BALANCE, default=0))
    return {row["book"]: row for row in rows.order_by("book")}


class GrantRuleQuerySet(models.QuerySet["GrantRule"]):
    """Questions about rules."""

    def of(self, organisation: Organisation) -> Self:
        """Return an organisation's rules."""
        return self.filter(organisation=organisation).order_by("application", "currency")


class GrantRule(models.Model):
    """
    By which an organisation grants credits for its settled gifts in one currency.

    One credit for every `minor_units_per_credit` of the gift, and none for what is left over.
    A gift grants credits once, so only one application's rule can be active in a currency.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_id("rule"), editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="grant_rules")
    application = models.CharField(max_length=32)
    currency = models.CharField(max_length=3)
    minor_units_per_credit = models.BigIntegerField()
    is_active = models.BooleanField(default=False)
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    objects = GrantRuleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "application", "currency"],
                name="one_grant_rule_a_currency",
            ),
            models.UniqueConstraint(
                fields=["organisation", "currency"],
                condition=Q(is_active=True),
                name="one_active_grant_rule_a_currency",
            ),
            models.CheckConstraint(
                condition=Q(minor_units_per_credit__gt=0, minor_units_per_credit__lte=AMOUNT_MAX),
                name="grant_rule_divides",
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"), name="grant_rule_currency_is_iso_4217"
            ),
        ]

    def __str__(self) -> str:
        """Say for what it grants what."""
        return f"{self.application}: 1 for {self.minor_units_per_credit} {self.currency}"


class CreditGrantQuerySet(models.QuerySet["CreditGrant"]):
    """Questions about grants."""

    def of(self, organisation: Organisation) -> Self:
        """Return an organisation's grants."""
        return self.filter(organisation=organisation)

    def waiting(self) -> Self:
        """
        Return those that are to be written: their gift counts, and they are not in their book yet.

        A gift that was not screened, is held or was given back counts nowhere.
        """
        return self.filter(_is_waiting())

    def counts(self) -> dict[str, int]:
        """Return how many there are in `all`, and how many of them are `waiting`."""
        is_written, is_waiting = Q(sequence__isnull=False), _is_waiting()
        return self.aggregate(
            all=Count("donation", filter=is_written | is_waiting),
            waiting=Count("donation", filter=is_waiting),
        )


class CreditGrant(models.Model):
    """
    The credits that one settled gift grants, once for ever: the gift is the key.

    `amount` credits go to `owner_id` in the book of the `application`; `sequence` is the entry,
    null until it is written, which waits while the gift is held. Nobody takes them back: what a
    refund means, the application decides.
    """

    donation = models.CharField(primary_key=True, max_length=32, editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="credit_grants")
    application = models.CharField(max_length=32)
    owner_id = models.CharField(max_length=OWNER_ID_LENGTH_MAX)
    amount = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    sequence = models.BigIntegerField(null=True, editable=False)

    objects = CreditGrantQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["organisation", "application"],
                condition=Q(sequence=None),
                name="grant_that_waits",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, amount__lte=AMOUNT_MAX), name="grant_is_positive"
            ),
        ]

    def __str__(self) -> str:
        """Name the gift, not the owner."""
        return self.donation


class OwnerListing(models.Model):
    """An owner as the admin lists it: a view whose key is one text that names nobody."""

    id = models.TextField(primary_key=True)
    organisation = models.ForeignKey(Organisation, models.DO_NOTHING, related_name="+")
    application = models.TextField()
    owner_id = models.TextField()
    balance = models.BigIntegerField()

    class Meta:
        managed = False
        db_table = "credits_ownerlisting"
        verbose_name = "owner"

    def __str__(self) -> str:
        """Name nobody."""
        return self.id


def _is_waiting() -> Q:
    gift = Donation.objects.filter(organisation=OuterRef("organisation"), id=OuterRef("donation"))
    counts_nowhere = gift.filter(Q(screening_due=True) | Q(status__in=COUNTS_NOWHERE))
    return Q(~Exists(counts_nowhere), sequence=None)
