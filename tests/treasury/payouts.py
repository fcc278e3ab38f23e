"""Payouts, as `read_payouts` tells them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from organisations.models import Organisation
from tests.treasury.movements import movement
from treasury.services.payout_reading import ItemFacts, PayoutFacts, PayoutReading
from treasury.services.payouts import keep_payouts
from treasury.services.reading import Movement

NOON = datetime(2026, 10, 8, 12, tzinfo=UTC)


def sent(name: str, amount: int = 4900, *, day: int = 0, **more: Any) -> PayoutFacts:
    """Return an automatic payout of euros that has arrived, sent so many days after the first."""
    fields = {
        "stripe_id": name,
        "amount": amount,
        "currency": "EUR",
        "status": "paid",
        "arrival_on": date(2026, 10, 12) + timedelta(days=day),
        "automatic": True,
        "reconciliation_status": "completed",
        "trace_id": "TRACE1",
        "bank_name": "BANK OF GHENT",
        "bank_last4": "2606",
        "failure_code": "",
        "failure_message": "",
        "transaction": f"txn_of_{name}",
        "failure_transaction": "",
        "created_at": NOON + timedelta(days=day),
    }
    return PayoutFacts(**fields | more)


def failed(name: str, amount: int = 4900, **more: Any) -> PayoutFacts:
    """Return a payout that came back."""
    code = {"failure_code": "account_closed", "failure_message": "The account has been closed"}
    fields = {"status": "failed", "failure_transaction": f"txn_return_{name}", **code, **more}
    return sent(name, amount, **fields)


def holding(*movements: Movement) -> list[ItemFacts]:
    """Return movements as what is in a payout."""
    return [
        ItemFacts(
            stripe_id=one.id,
            reporting_category=one.category,
            amount=one.amount,
            fee=one.fee,
            net=one.net,
            occurred_at=one.occurred_at,
        )
        for one in movements
    ]


def returned(payout: PayoutFacts) -> Movement:
    """Return the movement that brought a payout back."""
    name = payout.failure_transaction
    return movement("payout_reversal", payout.amount, id=name, source=payout.stripe_id)


def told(
    *payouts: Any, at: int = 0, inside: dict[str, Any] | None = None, is_partial: bool = False
) -> PayoutReading:
    """Return a reading of payouts, the newest first, begun so many minutes after the first."""
    return PayoutReading([*payouts], inside or {}, NOON + timedelta(minutes=at), is_partial)


def keep(
    organisation: Organisation, *payouts: Any, at: int = 0, inside: dict[str, Any] | None = None
) -> None:
    """Keep what one reading tells."""
    keep_payouts(organisation=organisation, reading=told(*payouts, at=at, inside=inside))


def keep_all(organisation: Organisation, readings: Sequence[PayoutReading]) -> None:
    """Keep what several readings tell."""
    for reading in readings:
        keep_payouts(organisation=organisation, reading=reading)
