"""The transparency log of each book: its tree, its checkpoints, and who signs them."""

from abc import abstractmethod
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from ledger.models.books import Book
from ledger.models.entries import PUBLIC, Entry
from ledger.rotation import OPERATION, nonce_of
from ledger.tiles import Tiles
from organisations.models import Organisation

# Who knows only the retired key has so long to learn of the new one.
OVERLAP = timedelta(days=30)


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


class AnyLog(models.Model):
    """
    A log: a tree of which the first `size` leaves have tiles, and the checkpoints that sign it.

    `LEAVES` is the function that hashes its leaves; `noun` is what people call them.
    """

    LEAVES: ClassVar[str]
    noun: ClassVar[str]

    size = models.BigIntegerField(default=0)

    class Meta:
        abstract = True

    @property
    def key(self) -> dict[str, str]:
        """Return what tells its rows from those of other logs."""
        return {}

    @property
    @abstractmethod
    def path(self) -> str:
        """Return where it is published below our address."""

    @property
    def origin(self) -> str:
        """Return its name, as its checkpoints say it."""
        return f"{settings.LEDGER_HOST}/{self.path}"

    @abstractmethod
    def signers(self, size: int) -> list[Any]:
        """Return the keys that sign a checkpoint of so many leaves, the one in force first."""

    @abstractmethod
    def leaves(self) -> int:
        """Return how many leaves there are to seal."""

    @abstractmethod
    def lines(self, first: int, last: int) -> Iterable[str]:
        """Return some of its leaves."""

    @abstractmethod
    def checkpoints(self) -> models.QuerySet[Any]:
        """Return what was signed of it, the newest first."""

    @abstractmethod
    def tile_rows(self) -> models.QuerySet[Any]:
        """Return its tiles."""

    def tiles(self) -> Tiles:
        """Return the tree."""
        rows = self.tile_rows()
        return Tiles(lambda level, number: bytes(rows.get(level=level, number=number).hashes))

    @abstractmethod
    def command(self, name: str) -> str:
        """Return how an operator calls a way out: to `trust` a checkpoint, to `restore` leaves."""


class LogQuerySet(models.QuerySet["Log"]):
    """Questions about logs."""

    def of(self, book: Book) -> Self:
        """Return the log of a book."""
        return self.filter(organisation=book.organisation_id, book=book.book)


class Log(AnyLog):
    """The log of one book: its leaves are the entries' lines."""

    LEAVES = "ledger_leaves_v1"
    noun = "entries"

    pk = models.CompositePrimaryKey("organisation_id", "book")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    book = models.TextField()

    objects = LogQuerySet.as_manager()

    def __str__(self) -> str:
        """Name the book and its tenant."""
        return f"{self.organisation_id}/{self.book}"

    @property
    def key(self) -> dict[str, str]:
        """Return the book."""
        return {"organisation_id": self.organisation_id, "book": self.book}

    @property
    def path(self) -> str:
        """Return where the public book's log is; the other ones' are not published."""
        return f"log/{self.organisation_id}" if self.book == PUBLIC else f"log/{self}"

    def key_entries(self) -> list[Entry]:
        """Return the entries that name its keys (`vkey`), the one in force last."""
        nonces = [nonce_of(key.vkey) for key in SigningKey.objects.of(self.organisation_id)]
        named = Q(sequence=0) | Q(operation=OPERATION, nonce__in=nonces)
        return list(Entry.objects.filter(named, **self.key).order_by("sequence"))

    def signers(self, size: int) -> list[SigningKey]:
        """Return the key in force, and for a while the one before it, if that is not lost."""
        entries = [entry for entry in self.key_entries() if entry.sequence < size]
        last = entries[-1]
        is_overlapping = last.recorded_at > datetime.now(UTC) - OVERLAP
        is_vouched_for = "signature" in last.metadata
        signing = entries[-2:] if is_overlapping and is_vouched_for else [last]
        stored = {key.vkey: key for key in SigningKey.objects.of(self.organisation_id)}
        return [stored[entry.metadata["vkey"]] for entry in reversed(signing)]

    def leaves(self) -> int:
        """Return how many entries the book has."""
        return Book.objects.get(**self.key).size

    def lines(self, first: int, last: int) -> Iterable[str]:
        """Return the lines of entries."""
        rows = Entry.objects.filter(**self.key, sequence__range=(first, last))
        return rows.order_by("sequence").values_list("line", flat=True)

    def checkpoints(self) -> "CheckpointQuerySet":
        """Return the book's checkpoints."""
        return Checkpoint.objects.of(self.organisation_id, self.book)

    def tile_rows(self) -> "models.QuerySet[Tile]":
        """Return the book's tiles."""
        return Tile.objects.filter(**self.key)

    def command(self, name: str) -> str:
        """Return the command for this book."""
        command = {"trust": "trust_checkpoint", "restore": "restore_entries"}[name]
        rest = " EXPORT" if name == "restore" else ""
        slug = self.organisation.slug
        return f"manage.py {command} --organisation {slug} --book {self.book}{rest}"


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
