"""What moved, as `read_account` tells it, and what the books say of it."""

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from ledger.models import Account, Entry
from organisations.models import Organisation
from reviews.models import Case
from tests.stripe_resources import new
from treasury.services.booking import book
from treasury.services.reading import Movement, Reading

NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)


def movement(category: str, amount: int, fee: int = 0, **more: Any) -> Movement:
    """Return a movement in euros that belongs to nothing."""
    fields = {
        "id": new("txn"),
        "type": category,
        "category": category,
        "amount": amount,
        "fee": fee,
        "net": amount - fee,
        "currency": "EUR",
        "exchange_rate": "",
        "occurred_at": NOON,
        "source": "",
        "charge": "",
        "given": abs(amount),
        "given_currency": "EUR",
        "donation_id": "",
        "has_application_fee": False,
        "livemode": None,
    }
    return Movement(**fields | more)


def charged(amount: int, fee: int = 0, **more: Any) -> Movement:
    """Return a charge that succeeded."""
    name = more.pop("charge", None) or new("ch")
    return movement("charge", amount, fee, source=name, charge=name, livemode=False, **more)


def book_all(organisation: Organisation, *movements: Any, **balances: tuple[int, int]) -> int:
    """Book what one reading tells."""
    return book(organisation=organisation, reading=Reading([*movements], balances, timezone.now()))


def entries(organisation: Organisation) -> list[tuple[Any, ...]]:
    """Return what a book says after its genesis: operation, amount, currency, debit, credit."""
    rows = Entry.objects.of(organisation).filter(sequence__gt=0).order_by("sequence")
    return list(rows.values_list("operation", "amount", "currency", "debit", "credit"))


def cases() -> list[tuple[str, str]]:
    """Return the cases before staff: kind and subject."""
    return list(Case.objects.order_by("opened_at").values_list("kind", "subject"))


def amounts(organisation: Organisation) -> dict[tuple[str, str], int]:
    """Return what is on every place and purpose, by name and currency."""
    accounts = Account.objects.of(organisation).money()
    return {(account.name, account.currency): account.amount for account in accounts}


def check_sides(organisation: Organisation) -> None:
    """Check that places and purposes add up to the same, in every currency."""
    sides: dict[tuple[str, str], int] = defaultdict(int)
    for account in Account.objects.of(organisation).money():
        sides[account.kind, account.currency] += account.amount
    for kind, currency in list(sides):
        assert sides["place", currency] == sides["purpose", currency], (kind, currency)
