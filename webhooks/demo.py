"""
The demo's story: three invented charities and a year of gifts.

Everything goes the way real gifts go: gifts are promised over our own API, paid at the sandbox,
told by its signed webhooks and booked by the worker. Nothing here writes to the ledger.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

DECLINED, DISPUTED = "4000000000000002", "4000000000000259"
CHECKS = "0864297531"  # what makes a digit before it one of a card's number
YEAR = timedelta(days=365)
PAYOUT_EVERY = timedelta(days=30)
USERS = 12


@dataclass(frozen=True)
class FundStory:
    """A fund: its slug, name, sentence, and goal in whole units of the currency."""

    slug: str
    name: str
    summary: str
    goal: int | None = None


@dataclass(frozen=True)
class Charity:
    """An invented organisation and how people give to it; amounts are in minor units."""

    slug: str
    name: str
    country: str
    currency: str
    summary: str
    description: str
    registration: str
    website: str
    crest: str
    owner: str
    gifts: int
    amounts: dict[str, list[int]]
    funds: list[FundStory]
    names: list[str]
    refunds: frozenset[int] = field(default_factory=frozenset)
    disputed: int | None = None
    bears_losses: bool = False

    def fields(self) -> dict[str, Any]:
        """Return what the organisation's row says."""
        names = "slug name country currency summary description registration website crest"
        return {name: getattr(self, name) for name in names.split()}


CHARITIES = [
    Charity(
        slug="lantern-house",
        name="Lantern House",
        country="BE",
        currency="EUR",
        summary="Night shelter and day kitchen in Ghent, Belgium",
        description=(
            "Forty beds from October to April, and a hot meal every day of the year, for anyone "
            "who knocks. Run by nine employees and about seventy volunteers."
        ),
        registration="0438.771.976",
        website="https://lanternhouse.example",
        crest="lantern",
        owner="Lieve Claes",
        gifts=140,
        amounts={"EUR": [1000, 1500, 2000, 2500, 5000, 5000, 7500, 10000, 25000], "JPY": [5000]},
        funds=[
            FundStory("winter-shelter", "Winter shelter", "October to April, 40 beds", 9000),
            FundStory("day-kitchen", "Day kitchen", "90 meals a day", 4000),
        ],
        names=["Mira Kessler", "Tuur Maes", "The Vermeulen family"],
        refunds=frozenset({38, 97}),
        disputed=71,
    ),
    Charity(
        slug="kawabe-forest-school",
        name="Kawabe Forest School",
        country="JP",
        currency="JPY",
        summary="Outdoor school in Nagano, Japan",
        description="Outdoor school days, tools and winter coats for village children.",
        registration="5-1000-0500-8841",
        website="https://kawabe-forest.example",
        crest="forest",
        owner="Haruka Sato",
        gifts=90,
        amounts={"JPY": [1000, 2000, 3000, 3000, 5000, 10000, 30000]},
        funds=[
            FundStory("tool-library", "Tool library", "Saws, knives, looms to borrow", 300_000),
            FundStory("winter-coats", "Winter coats", "One for every child", 250_000),
        ],
        names=["Haruka S.", "Class of 1998"],
        refunds=frozenset({52}),
    ),
    Charity(
        slug="saltmarsh-trust",
        name="Saltmarsh Trust",
        country="PT",
        currency="EUR",
        summary="Salt pans and birds near Aveiro, Portugal",
        description="Buys back drained salt pans and lets the tide and the birds return.",
        registration="513 402 110",
        website="https://saltmarsh.example",
        bears_losses=True,
        crest="marsh",
        owner="Rui Tavares",
        gifts=70,
        amounts={"EUR": [500, 1000, 2000, 3000, 5000, 20000]},
        funds=[FundStory("north-pan", "North pan", "Eleven hectares, by the old sluice", 6000)],
        names=["Bird count group"],
        refunds=frozenset({23}),
    ),
]


@dataclass(frozen=True)
class GiftStory:
    """One gift to be: its place in the year, its amount, and what becomes of it."""

    number: int
    given_at: datetime
    amount: int
    currency: str
    fund: str
    donor: str
    public_name: str
    cards: list[str]
    is_refunded: bool


def card_of(person: int) -> str:
    """Return the card of one of a hundred people: with one card for all, rules hold their gifts."""
    return "424242000000" + "".join(digit + CHECKS[int(digit)] for digit in f"{person:02}")


def gifts_of(charity: Charity, until: datetime) -> Iterator[GiftStory]:
    """Return a charity's gifts of the year before a moment: the same ones every time."""
    dice = random.Random(charity.slug)  # noqa: S311 - a story, not a secret
    moments = sorted(until - YEAR * dice.random() * 0.99 for _ in range(charity.gifts))
    currencies = [*charity.amounts, *[charity.currency] * 8]
    for number, given_at in enumerate(moments):
        currency = dice.choice(currencies)
        is_declined_once = dice.random() < 0.03  # noqa: PLR2004 - three in a hundred
        yield GiftStory(
            number=number,
            given_at=given_at,
            amount=dice.choice(charity.amounts[currency]),
            currency=currency,
            fund=dice.choice([*(fund.slug for fund in charity.funds), "general"]),
            donor=f"donor{(person := dice.randrange(60))}@example.org",
            public_name=dice.choice(charity.names) if dice.random() < 0.2 else "",  # noqa: PLR2004
            cards=[
                *([DECLINED] if is_declined_once else []),
                DISPUTED if number == charity.disputed else card_of(person),
            ],
            is_refunded=number in charity.refunds,
        )


def operations_of(charity: Charity, until: datetime) -> Iterator[dict[str, Any]]:
    """Return what happened to the credits of a charity's users: bodies of `POST /v1/ledger`."""
    dice = random.Random(f"{charity.slug} credits")  # noqa: S311 - a story, not a secret
    for number in range(1, USERS + 1):
        user = f"user-{number:04}"
        yield {"operation": "SIGNUP_CREDIT", "owner_id": user, "nonce": f"signup:{user}"}
        for days in range(dice.randrange(6), 0, -1):
            nonce = f"daily:{user}:{until - timedelta(days=days):%Y-%m-%d}"
            yield {"operation": "DAILY_REWARD", "owner_id": user, "nonce": nonce}
        spent = -dice.randrange(1, 4)
        nonce = f"poster:{number}"
        yield {"operation": "CREDIT_SPEND", "amount": spent, "owner_id": user, "nonce": nonce}


def today() -> datetime:
    """Return where the story ends: an hour ago, so that the ledger looks lived in."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
