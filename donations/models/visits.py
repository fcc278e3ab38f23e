"""How donors come in without an account: by a link that is mailed to them."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q

from common.ids import new_id
from donations.models.gifts import EMAIL_LENGTH_MAX

LINK_IS_GOOD, VISIT_LASTS = timedelta(minutes=30), timedelta(hours=1)


class DonorVisitQuerySet(models.QuerySet["DonorVisit"]):
    """Questions about visits."""

    def waiting(self, now: datetime) -> Self:
        """Return those whose link opens them still."""
        return self.filter(opened_at=None, created_at__gt=now - LINK_IS_GOOD)

    def open(self, now: datetime) -> Self:
        """Return those that go on."""
        return self.filter(opened_at__gt=now - VISIT_LASTS)

    def over(self, now: datetime) -> Self:
        """Return those that are good for nothing any more."""
        is_unused = Q(opened_at=None, created_at__lte=now - LINK_IS_GOOD)
        return self.filter(is_unused | Q(opened_at__lte=now - VISIT_LASTS))


class DonorVisit(models.Model):
    """
    A donor who asked for a link to their gifts, and the hour that the link opened, once.

    It is deleted within an hour after it is over: nothing remembers who looked.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_id("visit"), editable=False)
    email = models.EmailField(max_length=EMAIL_LENGTH_MAX)
    created_at = models.DateTimeField(auto_now_add=True)
    opened_at = models.DateTimeField(null=True)

    objects = DonorVisitQuerySet.as_manager()

    def __str__(self) -> str:
        """Name the visit, not the person."""
        return f"visit of {self.created_at:%Y-%m-%d}"


class DonorKnock(models.Model):
    """
    How often a link was asked for in one hour: for an address, or from one.

    `who` is a keyed hash of the e-mail or network address; it is of no use to anybody else.
    """

    who = models.CharField(max_length=64)
    hour = models.DateTimeField()
    times = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["who", "hour"], name="donor_knocks_are_counted_once")
        ]

    def __str__(self) -> str:
        """Say when, not who."""
        return f"{self.times} in {self.hour:%Y-%m-%d %H}"
