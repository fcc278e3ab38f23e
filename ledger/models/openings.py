"""Openings: the personal details that lines commit to, until they are erased."""

from typing import Self

from django.db import models

from ledger.commitments import Detail
from ledger.models.entries import Entry
from organisations.models import Organisation


class OpeningQuerySet(models.QuerySet["Opening"]):
    """Questions about openings."""

    def of(self, entry: Entry) -> Self:
        """Return the details of one entry that are still there."""
        key = {"book": entry.book, "sequence": entry.sequence}
        return self.filter(organisation=entry.organisation_id, **key).order_by("field")


class Opening(models.Model):
    """
    One personal detail that an entry commits to: it opens the entry's `commitment_<field>`.

    It is in no line, log or export. It is written with its entry and only ever deleted, after the
    book says so (`ERASURE`).
    """

    pk = models.CompositePrimaryKey("organisation_id", "book", "sequence", "field")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    book = models.TextField()
    sequence = models.BigIntegerField()
    field = models.TextField()
    value = models.TextField()
    salt = models.BinaryField()

    objects = OpeningQuerySet.as_manager()

    def __str__(self) -> str:
        """Name the detail, not what it is."""
        return f"{self.book}/{self.sequence} {self.field}"

    @property
    def detail(self) -> Detail:
        """Return what opens the commitment."""
        return Detail(self.field, self.value, bytes(self.salt))
