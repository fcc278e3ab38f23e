"""The log of the instance: its leaves are what the public books' checkpoints say."""

from collections.abc import Iterable

from django.db import models

from ledger.models.log import AnyLog


class HeadsKey(models.Model):
    """The one Ed25519 key that signs the heads log; the seed is encrypted."""

    vkey = models.TextField(primary_key=True)
    algorithm = models.TextField(default="ed25519")
    encrypted_seed = models.BinaryField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        """Show the public half."""
        return self.vkey


class HeadsLog(AnyLog):
    """The heads log, in the one row there is."""

    LEAVES = "ledger_heads_leaves_v1"
    noun = "heads"

    is_ours = models.BooleanField(primary_key=True, default=True)

    def __str__(self) -> str:
        """Name it."""
        return "heads"

    @property
    def path(self) -> str:
        """Return where it is published."""
        return "log/heads"

    def signers(self, size: int) -> list[HeadsKey]:
        """Return the instance's key."""
        return list(HeadsKey.objects.all())

    def leaves(self) -> int:
        """Return how many bodies there are; they have no gaps."""
        last = HeadsLeaf.objects.order_by("-sequence").first()
        return last.sequence + 1 if last else 0

    def lines(self, first: int, last: int) -> Iterable[str]:
        """Return bodies of checkpoints."""
        rows = HeadsLeaf.objects.filter(sequence__range=(first, last))
        return rows.order_by("sequence").values_list("body", flat=True)

    def checkpoints(self) -> "models.QuerySet[HeadsCheckpoint]":
        """Return what was signed of it."""
        return HeadsCheckpoint.objects.order_by("-size")

    def tile_rows(self) -> "models.QuerySet[HeadsTile]":
        """Return its tiles."""
        return HeadsTile.objects.all()

    def command(self, name: str) -> str:
        """Return the command for this log."""
        return {"trust": "manage.py trust_heads", "restore": "manage.py restore_heads FOLDER"}[name]


class HeadsLeaf(models.Model):
    """
    A leaf: the `body` of a public book's checkpoint, three lines as they were signed.

    Whose book it is and the `size` it had then are read from the body by the database.
    """

    sequence = models.BigIntegerField(primary_key=True)
    body = models.TextField()
    organisation_id = models.TextField(editable=False)
    size = models.BigIntegerField(editable=False)

    def __str__(self) -> str:
        """Say its place and what it says."""
        return f"{self.sequence}: {self.body}"


class HeadsTile(models.Model):
    """Up to 256 hashes of the tree, like those of the books' logs."""

    pk = models.CompositePrimaryKey("level", "number")
    level = models.SmallIntegerField()
    number = models.BigIntegerField()
    hashes = models.BinaryField()

    def __str__(self) -> str:
        """Name the place in the tree."""
        return f"heads/{self.level}/{self.number}"


class HeadsCheckpoint(models.Model):
    """What was signed of the first `size` leaves: the `note`, as it is published."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    note = models.TextField()
    sealed_at = models.DateTimeField()

    def __str__(self) -> str:
        """Say how many leaves are sealed."""
        return f"heads/{self.size}"


class HeadsCosignature(models.Model):
    """That a checkpoint goes on from all that a witness had seen; like a book's `Cosignature`."""

    pk = models.CompositePrimaryKey("checkpoint_id", "witness")
    checkpoint = models.ForeignKey(
        HeadsCheckpoint, models.PROTECT, db_column="size", related_name="cosignatures"
    )
    witness = models.TextField()
    line = models.TextField()
    signed_at = models.DateTimeField()

    def __str__(self) -> str:
        """Say of which checkpoint, and whose it is."""
        return f"heads/{self.checkpoint_id} by {self.witness}"


class HeadsTimestamp(models.Model):
    """
    A time stamper's word that a checkpoint was there at `stamped_at` (RFC 3161).

    `response` is its answer as it came, to the SHA-256 of the checkpoint's note.
    """

    checkpoint = models.OneToOneField(
        HeadsCheckpoint,
        models.PROTECT,
        primary_key=True,
        db_column="size",
        related_name="timestamp",
    )
    response = models.BinaryField()
    stamped_at = models.DateTimeField()
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        """Say of which checkpoint, and when."""
        return f"{self.checkpoint_id} at {self.stamped_at}"
