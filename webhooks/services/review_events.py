"""What events say of gifts under review: authorised cards, and tries that a bank declined."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from common.money import from_stripe
from donations.services.holding import (
    Authorisation,
    note_authorised,
    note_captured,
    note_let_go,
)
from reviews.services.attempts import Payment, record_declined
from reviews.traits import key_of
from webhooks.models import StripeEvent

AUTOMATIC = "automatic"
GIFT_ID = re.compile(r"don_[0-9a-z]{26}")


def charged(event: StripeEvent, charge: dict[str, Any]) -> None:
    """Put a gift whose card is only authorised before staff."""
    assert event.organisation
    if charge.get("captured") is not False:
        return
    card = (charge.get("payment_method_details") or {}).get("card") or {}
    lapses, payer = card.get("capture_before"), charge.get("billing_details") or {}
    note_authorised(
        organisation=event.organisation,
        donation_id=_gift_of(charge),
        authorisation=Authorisation(
            payment_intent=str(charge.get("payment_intent") or ""),
            lapses_at=datetime.fromtimestamp(lapses, UTC) if lapses else None,
            donor_email=str(payer.get("email") or ""),
            donor_name=str(payer.get("name") or ""),
        ),
    )


def declined(event: StripeEvent, charge: dict[str, Any]) -> None:
    """Keep that a bank declined a card: many such tries are somebody trying out cards."""
    assert event.organisation
    assert event.occurred_at
    card = (charge.get("payment_method_details") or {}).get("card") or {}
    payer, currency = charge.get("billing_details") or {}, str(charge.get("currency") or "").upper()
    payment = Payment(
        gift=_gift_of(charge),
        reference=str(charge.get("id") or ""),
        at=event.occurred_at,
        amount=from_stripe(charge.get("amount") or 0, currency),
        currency=currency,
        card=key_of("card", str(card.get("fingerprint") or "")),
        email=key_of("email", str(payer.get("email") or "")),
        name=key_of("name", str(payer.get("name") or "")),
        country=str(card.get("country") or ""),
    )
    record_declined(organisation=event.organisation, payments=[payment])


def canceled(event: StripeEvent, intent: dict[str, Any]) -> None:
    """Note that an authorised card is free again."""
    assert event.organisation
    note_let_go(
        organisation=event.organisation,
        payment_intent=str(intent.get("id") or ""),
        is_lapsed=intent.get("cancellation_reason") == AUTOMATIC,
    )


def captured(event: StripeEvent, intent: dict[str, Any]) -> None:
    """Note that an authorised card was charged."""
    assert event.organisation
    note_captured(organisation=event.organisation, payment_intent=str(intent.get("id") or ""))


def _gift_of(charge: dict[str, Any]) -> str:
    # Whatever else an organisation's own shop writes there is none of our gifts.
    named = str((charge.get("metadata") or {}).get("donation_id") or "")
    return named if GIFT_ID.fullmatch(named) else ""


HANDLERS: dict[str, Callable[[StripeEvent, dict[str, Any]], None]] = {
    "charge.failed": declined,
    "charge.succeeded": charged,
    "payment_intent.canceled": canceled,
    "payment_intent.succeeded": captured,
}
