"""What witnesses signed of the logs, and what each of them said last."""

from typing import Self

from django.db import models

from ledger.models.log import Checkpoint
from organisations.models import Organisation


class CosignatureQuerySet(models.QuerySet["Cosignature"]):
    """Questions about cosignatures."""

    def of(self, checkpoint: Checkpoint) -> Self:
        """Return those of one checkpoint, the oldest first."""
        key = (checkpoint.organisation_id, checkpoint.book, checkpoint.size)
        rows = self.filter(organisation=key[0], book=key[1], size=key[2])
        return rows.order_by("signed_at", "witness")


class Cosignature(models.Model):
    """
    That a checkpoint goes on from all that a witness had seen of the log.

    `witness` is the witness' key, `line` the signature as it stands in the note.
    """

    pk = models.CompositePrimaryKey("organisation_id", "book", "size", "witness")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    book = models.TextField()
    size = models.BigIntegerField()
    witness = models.TextField()
    line = models.TextField()
    signed_at = models.DateTimeField()

    objects = CosignatureQuerySet.as_manager()

    def __str__(self) -> str:
        """Name what is signed, and by whom."""
        return f"{self.book}/{self.size} by {self.witness}"


class WitnessAnswer(models.Model):
    """
    What a witness answered last about a log, and since when it has said so.

    `problem` is a sentence, empty when it cosigned; `cosigned_at` is when it did last.
    """

    class State(models.TextChoices):
        COSIGNED = "cosigned"
        SILENT = "silent"
        UNKNOWN = "unknown"
        CONTRADICTED = "contradicted"
        WRONG = "wrong"

    pk = models.CompositePrimaryKey("organisation_id", "book", "witness")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    book = models.TextField()
    witness = models.TextField()
    state = models.TextField(choices=State)
    problem = models.TextField(blank=True)
    since = models.DateTimeField()
    asked_at = models.DateTimeField()
    cosigned_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        """Name the log, the witness, and what it said."""
        return f"{self.book} by {self.witness}: {self.state}"
