"""What rules look at: a gift with what happened before it, or how an account stands."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from organisations.models import Organisation
from reviews.yente import YenteAnswer


@dataclass(frozen=True, slots=True)
class Traits:
    """
    What a visitor is told apart by: keyed hashes (`reviews.traits.key_of`), empty where unknown.

    `country` is the card's, as ISO 3166 writes it.
    """

    address: str = ""
    session: str = ""
    email: str = ""
    card: str = ""
    name: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Gift:
    """
    A gift as rules see it: `amount` minor units of `currency`, at a moment.

    Where a refund is asked for, the moment is that of asking, and the gift was `paid_at` another.
    `asked` is what a matching service said of the donor's name, where there is one.
    """

    id: str
    organisation: Organisation
    amount: int
    currency: str
    at: datetime
    traits: Traits = field(default_factory=Traits)
    donor_name: str = ""
    asked: YenteAnswer | None = None
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """
    How an organisation's Stripe account stands at a moment.

    Of the gifts of the last 30 days so many `settled`; which were `disputed`, and which `warned` of
    by their card's bank and not disputed, is told by id. Where it is known where payouts go, these
    organisations are paid there too (`bank_shared_with`), and `bank_changed_at` is when that last
    changed. Whatever is told by id has the newest first.
    """

    organisation: Organisation
    settled: int
    disputed: Sequence[str]
    warned: Sequence[str]
    bank_changed_at: datetime | None
    bank_shared_with: Sequence[str] | None
    at: datetime


class History(Protocol):
    """
    A gift, and what happened before it: counted in the database as of the gift's moment.

    Windows reach back from that moment, which counts itself; what is exactly as old as the window
    does not. `trait` is the name of one of `Traits`; an unknown one has no history, and 0 is
    returned.
    """

    @property
    def gift(self) -> Gift:
        """Return the gift whose past is asked for."""

    def tries(
        self, kinds: Sequence[str], *, trait: str, within: timedelta, here: bool = False
    ) -> int:
        """Return how many attempts of some kinds had this trait (`here`: at this organisation)."""

    def tries_here(self, kinds: Sequence[str], *, within: timedelta) -> int:
        """Return how many attempts the organisation saw; promises of programs do not count."""

    def different(
        self, what: str, *, trait: str, within: timedelta | None = None, here: bool = False
    ) -> int:
        """Return with how many cards, e-mail addresses, … (`what`) this trait was seen: own too."""

    def gifts_here(self) -> tuple[int, int]:
        """Return how many other gifts settled here in this currency, and their median amount."""

    def settled_here(self, *, most: int) -> int:
        """Return how many other gifts settled here in any currency; it counts no more than most."""

    def gifts_of(self, trait: str) -> int:
        """Return how many other gifts with this trait were paid here."""

    def gifts_alike(self, *, trait: str, within: timedelta, least: int, most: int) -> int:
        """Return how many other gifts here had this trait, and an amount from least to most."""

    def known_since(self) -> datetime | None:
        """Return since when the organisation is public."""
