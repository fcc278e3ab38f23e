"""The transparency log of each book: who signs it."""

from django.db import models

from organisations.models import Organisation


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
