"""What happened before a gift, counted in the database as of its moment."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median_low

from django.db.models import Q

from ledger.models import Entry, EntryQuerySet
from ledger.operations import MoneyOperation
from reviews.models import Attempt
from reviews.models.screenings import AttemptQuerySet
from reviews.rules.facts import Gift, Traits

# The median of more gifts than these would be no better, and slow to find.
GIFTS_MAX = 1_000


def traits_of_attempt(attempt: Attempt) -> Traits:
    """Return by what whoever tried is told apart."""
    return Traits(
        address=attempt.address,
        session=attempt.session,
        email=attempt.email,
        card=attempt.card,
        name=attempt.name,
        country=attempt.country,
    )


class PastOf:
    """The history of one gift: see `reviews.rules.facts.History`."""

    def __init__(self, gift: Gift) -> None:
        """Take the gift whose past is asked for."""
        self.gift = gift

    def tries(
        self, kinds: Sequence[str], *, trait: str, within: timedelta, here: bool = False
    ) -> int:
        """Return how many attempts of some kinds had this trait."""
        return self._within(self._with(trait, here=here), within).filter(kind__in=kinds).count()

    def tries_here(self, kinds: Sequence[str], *, within: timedelta) -> int:
        """Return how many attempts of some kinds the organisation saw."""
        own = Attempt.objects.of(self.gift.organisation).filter(kind__in=kinds)
        # A program answers for its visitors: what it promises is no rush on our own form.
        by_programs = Q(kind=Attempt.Kind.PROMISED, session="", address="")
        return self._within(own.exclude(by_programs), within).count()

    def different(
        self, what: str, *, trait: str, within: timedelta | None = None, here: bool = False
    ) -> int:
        """Return with how many different cards, addresses, … this trait was seen, own included."""
        own = getattr(self.gift.traits, what) if getattr(self.gift.traits, trait) else ""
        seen = self._within(self._with(trait, here=here), within).exclude(**{what: ""})
        others = seen.exclude(**{what: own}).values(what).distinct().count()
        return int(others + bool(own))

    def gifts_here(self) -> tuple[int, int]:
        """Return how many others settled here in this currency (1,000 at most), their median."""
        entries = self._settled().filter(currency=self.gift.currency).order_by("-sequence")
        amounts = list(entries.values_list("amount", flat=True)[:GIFTS_MAX])
        return len(amounts), median_low(amounts) if amounts else 0

    def settled_here(self, *, most: int) -> int:
        """Return how many others settled here; it counts no more than most."""
        return len(self._settled().values_list("sequence")[:most])

    def gifts_of(self, trait: str) -> int:
        """Return how many other gifts with this trait were paid here."""
        return self._others(trait).count()

    def gifts_alike(self, *, trait: str, within: timedelta, least: int, most: int) -> int:
        """Return how many others here had this trait and an amount from least to most."""
        alike = self._others(trait).filter(currency=self.gift.currency)
        return self._within(alike.filter(amount__range=(least, most)), within).count()

    def known_since(self) -> datetime | None:
        """Return since when the organisation is public."""
        return self.gift.organisation.decided_at

    def _settled(self) -> EntryQuerySet:
        # A gift that is screened in the ledger is there itself; entries need not name a gift.
        others = Q(metadata__donation__isnull=True) | ~Q(metadata__donation=self.gift.id)
        return Entry.objects.of(self.gift.organisation).filter(
            others,
            debit="stripe",
            operation=MoneyOperation.DONATION_RECEIVED,
            recorded_at__lte=self.gift.at,
        )

    def _others(self, trait: str) -> AttemptQuerySet:
        paid = self._within(self._with(trait, here=True)).filter(kind=Attempt.Kind.PAID)
        return paid.exclude(gift=self.gift.id)

    def _with(self, trait: str, *, here: bool) -> AttemptQuerySet:
        value = getattr(self.gift.traits, trait)
        if not value:
            return Attempt.objects.none()
        every = Attempt.objects.of(self.gift.organisation) if here else Attempt.objects.all()
        return every.filter(**{trait: value})

    def _within(self, tries: AttemptQuerySet, within: timedelta | None = None) -> AttemptQuerySet:
        moment = self.gift.at
        until = tries.filter(at__lte=moment)
        return until.filter(at__gt=moment - within) if within else until
