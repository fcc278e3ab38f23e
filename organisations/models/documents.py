"""The papers that show who an applicant is."""

from django.db import models
from django.db.models import Q

from common.ids import new_id
from common.uploads import BYTES_MAX
from organisations.models.people import User
from organisations.models.tenants import Organisation


class Document(models.Model):
    """
    One paper of an organisation, for its own members and for staff, never for the public.

    `name` is what it was called where it came from, `kind` what its bytes are, `stored_as` the
    random name of the file that holds them; the file goes when the row goes.
    """

    class Kind(models.TextChoices):
        PDF = "application/pdf", "PDF"
        PNG = "image/png", "PNG"
        JPEG = "image/jpeg", "JPEG"

    id = models.CharField(primary_key=True, max_length=32, default=new_id("doc"), editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="documents")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20, choices=Kind)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    stored_as = models.CharField(max_length=64, unique=True)
    added_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "sha256"], name="document_is_kept_once"
            ),
            models.CheckConstraint(
                condition=Q(size__gt=0, size__lte=BYTES_MAX), name="document_has_a_bearable_size"
            ),
            models.CheckConstraint(
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="document_has_a_digest"
            ),
        ]

    def __str__(self) -> str:
        """Name the paper."""
        return self.name
