"""What visitors tried, and what the rules found in it: logs that only grow."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from common.ids import new_id
from organisations.models import Organisation


class AttemptQuerySet(models.QuerySet["Attempt"]):
    """Questions about attempts."""

    def of(self, organisation: Organisation) -> Self:
        """Return an organisation's attempts."""
        return self.filter(organisation=organisation)


class Attempt(models.Model):
    """
    One try to give: promised on a page, declined by the card's bank, or paid.

    Who tried is kept as keyed hashes alone, each of one kind of trait, so that tries can be told
    apart and counted; they are deleted after the longest window that a rule looks back.
    `reference` is the form's key, or Stripe's charge: told twice, it counts once. `amount` counts
    minor units of `currency`.
    """

    class Kind(models.TextChoices):
        PROMISED = "promised"
        DECLINED = "declined"
        PAID = "paid"

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind)
    reference = models.CharField(max_length=255)
    gift = models.CharField(max_length=32, blank=True)
    at = models.DateTimeField()
    amount = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    address = models.CharField(max_length=32, blank=True)
    session = models.CharField(max_length=32, blank=True)
    email = models.CharField(max_length=32, blank=True)
    card = models.CharField(max_length=32, blank=True)
    name = models.CharField(max_length=32, blank=True)
    country = models.CharField(max_length=2, blank=True)

    objects = AttemptQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["organisation", "-at"], name="attempt_at_organisation"),
            models.Index(fields=["address", "-at"], condition=~Q(address=""), name="attempt_from"),
            models.Index(fields=["session", "-at"], condition=~Q(session=""), name="attempt_in"),
            models.Index(fields=["email", "-at"], condition=~Q(email=""), name="attempt_by"),
            models.Index(fields=["card", "-at"], condition=~Q(card=""), name="attempt_with"),
            models.Index(fields=["name", "-at"], condition=~Q(name=""), name="attempt_as"),
            models.Index(fields=["organisation", "gift"], name="attempt_of_gift"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "kind", "reference"], name="attempt_counts_once"
            ),
        ]

    def __str__(self) -> str:
        """Say what was tried, and not by whom."""
        return f"{self.kind} {self.gift}"


class Watched(models.Model):
    """
    One trait of visitors whose tries are counted, and what stands against it `until` a moment.

    Who counts locks the row first, so that no two count at once: what is counted is exact. The
    solution of a puzzle is one as well: it is used once.
    """

    key = models.CharField(primary_key=True, max_length=64)
    verdict = models.CharField(max_length=9, blank=True)
    until = models.DateTimeField(null=True)
    rule = models.CharField(max_length=40, blank=True)
    seen_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["seen_at"], name="watched_long_ago")]
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict="", rule="", until__isnull=True)
                | Q(verdict__in=["challenge", "block"], until__isnull=False) & ~Q(rule=""),
                name="watched_is_free_or_bound",
            ),
        ]

    def __str__(self) -> str:
        """Say what is watched."""
        return self.key


class Screening(models.Model):
    """
    What every rule found on one occasion, and the verdict: the worst of those in force.

    `results` holds a dictionary for each rule: `rule`, `version`, `mode` (active, shadow),
    `outcome` (pass, hit, error, not_run), `verdict`, `score` (0 to 100), `evidence` (facts, no
    persons) and `duration_us`. `hits` names the rules in force that hit.
    """

    class Occasion(models.TextChoices):
        PROMISE = "promise", "a gift is promised"
        SETTLEMENT = "settlement", "a gift is in the ledger"
        REFUND = "refund", "a refund is asked for"
        APPLICATION = "application", "an organisation applies"
        ACCOUNT = "account", "an account is looked at"

    class Verdict(models.TextChoices):
        APPROVE = "approve"
        CHALLENGE = "challenge"
        REVIEW = "review"
        BLOCK = "block"

    id = models.CharField(primary_key=True, max_length=32, default=new_id("scr"), editable=False)
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="screenings")
    occasion = models.CharField(max_length=12, choices=Occasion)
    subject = models.CharField(max_length=255)
    verdict = models.CharField(max_length=9, choices=Verdict)
    score = models.PositiveSmallIntegerField()
    results = models.JSONField()
    hits = ArrayField(models.CharField(max_length=40))
    duration_us = models.PositiveIntegerField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["subject"], name="screening_of_subject"),
            models.Index(fields=["organisation", "-at"], name="screening_of_organisation"),
            models.Index(
                fields=["at"],
                include=["organisation", "subject", "hits"],
                condition=~Q(hits=[]),
                name="screening_that_hit",
            ),
            models.Index(
                fields=["at"],
                condition=Q(results__contains=[{"mode": "shadow", "outcome": "hit"}]),
                name="screening_hit_in_shadow",
            ),
        ]

    def __str__(self) -> str:
        """Say what came out."""
        return f"{self.get_occasion_display()}: {self.verdict}"
