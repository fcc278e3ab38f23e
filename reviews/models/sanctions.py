"""Lists of sanctioned people and bodies, and the names that people have cleared."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from organisations.models import User
from reviews.letters import words_of


class SanctionList(models.Model):
    """
    One publisher's list: since when it is here, and whether the last attempt to load it failed.

    `entries` counts parties, who have several names each. A list that never could be loaded has no
    `imported_at`.
    """

    class Source(models.TextChoices):
        OFAC = "OFAC", "United States (OFAC)"
        EU = "EU", "European Union"
        UN = "UN", "United Nations"
        UK = "UK", "United Kingdom"

    source = models.CharField(primary_key=True, max_length=4, choices=Source)
    published_on = models.DateField(null=True)
    imported_at = models.DateTimeField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    entries = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(published_on__isnull=True, imported_at__isnull=True, sha256="")
                | (Q(published_on__isnull=False, imported_at__isnull=False) & ~Q(sha256="")),
                name="list_is_loaded_or_not",
            ),
            models.CheckConstraint(
                condition=Q(failing_since__isnull=True, error="")
                | (Q(failing_since__isnull=False) & ~Q(error="")),
                name="list_that_fails_says_why",
            ),
        ]

    def __str__(self) -> str:
        """Name the publisher."""
        return self.get_source_display()

    @property
    def use_until(self) -> datetime | None:
        """Return until when what was loaded is new enough, if anything was."""
        days = timedelta(days=settings.SANCTIONS_MAX_AGE_DAYS)
        return self.imported_at and self.imported_at + days

    @property
    def is_too_old(self) -> bool:
        """Tell whether screenings may not rely on it: it was loaded too long ago, or never."""
        return self.use_until is None or self.use_until < timezone.now()


class ListedName(models.Model):
    """One name of somebody on a list; `uid` is what the publisher calls them."""

    class Kind(models.TextChoices):
        PERSON = "person", "Person"
        ORGANISATION = "organisation", "Organisation"
        THING = "thing", "Ship or aircraft"

    sanction_list = models.ForeignKey(SanctionList, models.PROTECT, related_name="names")
    uid = models.CharField(max_length=100)
    kind = models.CharField(max_length=12, choices=Kind)
    name = models.TextField()
    is_weak = models.BooleanField()
    programme = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["sanction_list", "uid"], name="names_of_a_listed_party")]

    def __str__(self) -> str:
        """Say the name, and whose list it is on."""
        return f"{self.name} ({self.sanction_list_id} {self.uid})"


class ClearedPair(models.Model):
    """
    A person looked: whoever gives under this name is not this party. For ever, with the reason.

    The name is kept as a keyed digest alone, so the table names nobody who gave.
    """

    YENTE = "YENTE"
    SOURCES = [*SanctionList.Source.choices, (YENTE, "yente")]

    name_key = models.CharField(max_length=64, editable=False)
    source = models.CharField(max_length=5, choices=SOURCES)
    uid = models.CharField(max_length=100)
    cleared_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    reason = models.TextField()
    cleared_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name_key", "source", "uid"], name="a_pair_is_cleared_once"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="cleared_pair_has_a_reason"),
        ]

    def __str__(self) -> str:
        """Say who was ruled out."""
        return f"not {self.source} {self.uid}"

    @staticmethod
    def key_of(name: str) -> str:
        """Return the digest under which a name is remembered, whatever the order of its words."""
        words = " ".join(sorted(words_of(name)))
        secret = settings.LEDGER_KEY_SECRET
        return salted_hmac("reviews.cleared", words, secret=secret, algorithm="sha256").hexdigest()
