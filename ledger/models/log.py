"""The transparency log of each book: its tree, its checkpoints, and who signs them."""

from typing import Self

from django.db import models

from ledger.models.books import Book
from ledger.models.entries import PUBLIC
from ledger.tiles import Tiles
from organisations.models import Organisation


class SigningKeyQuerySet(models.QuerySet["SigningKey"]):
    """Questions about signing keys."""

    def of(self, organisation: Organisation | str) -> Self:
        """Return the keys of an organisation, the newest first."""
        return self.filter(organisation=organisation).order_by("-created_at")


class SigningKey(models.Model):
    """An Ed25519 key that signs an organisation's checkpoints, or did; the seed is encrypted."""

    pk = models.CompositePrimaryKey("organisation_id", "vkey")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    vkey = models.TextField()
    algorithm = models.TextField(default="ed25519")
    encrypted_seed = models.BinaryField()
    created_at = models.DateTimeField()

    objects = SigningKeyQuerySet.as_manager()

    def __str__(self) -> str:
        """Show the public half."""
        return self.vkey


class LogQuerySet(models.QuerySet["Log"]):
    """Questions about logs."""

    def of(self, book: Book) -> Self:
        """Return the log of a book."""
        return self.filter(organisation=book.organisation_id, book=book.book)


class Log(models.Model):
    """The tree of one book: the first `size` entries are its leaves."""

    pk = models.CompositePrimaryKey("organisation_id", "book")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    book = models.TextField()
    size = models.BigIntegerField(default=0)

    objects = LogQuerySet.as_manager()

    def __str__(self) -> str:
        """Name the book and its tenant."""
        return f"{self.organisation_id}/{self.book}"

    def tiles(self) -> Tiles:
        """Return the tree."""
        rows = Tile.objects.filter(organisation=self.organisation_id, book=self.book)
        return Tiles(lambda level, number: bytes(rows.get(level=level, number=number).hashes))


class Tile(models.Model):
    """Up to 256 hashes of a tree, as C2SP's tlog-tiles has them: `ledger/tiles.py`."""

    pk = models.CompositePrimaryKey("organisation_id", "book", "level", "number")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    book = models.TextField()
    level = models.SmallIntegerField()
    number = models.BigIntegerField()
    hashes = models.BinaryField()

    def __str__(self) -> str:
        """Name the place in the tree."""
        return f"{self.book}/{self.level}/{self.number}"


class CheckpointQuerySet(models.QuerySet["Checkpoint"]):
    """Questions about checkpoints."""

    def of(self, organisation: Organisation | str, book: str = PUBLIC) -> Self:
        """Return the checkpoints of one book, the newest first."""
        return self.filter(organisation=organisation, book=book).order_by("-size")

    def first_with(self, organisation: str, sequence: int) -> "Checkpoint | None":
        """Return the first checkpoint that has an entry of the public book."""
        rows = self.filter(organisation=organisation, book=PUBLIC, size__gt=sequence)
        return rows.order_by("size").first()


class Checkpoint(models.Model):
    """What was signed of a book's first `size` entries: the `note`, as it is published."""

    pk = models.CompositePrimaryKey("organisation_id", "book", "size")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    book = models.TextField()
    size = models.BigIntegerField()
    root = models.BinaryField()
    note = models.TextField()
    sealed_at = models.DateTimeField()

    objects = CheckpointQuerySet.as_manager()

    def __str__(self) -> str:
        """Name the book and how much of it is sealed."""
        return f"{self.book}/{self.size}"
