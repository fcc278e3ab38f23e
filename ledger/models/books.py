"""Books: one chain of entries each."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Func, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from ledger.models.entries import PUBLIC, Entry
from organisations.models import Organisation


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
