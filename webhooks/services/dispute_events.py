"""What events say of disputes and of early fraud warnings; their money is read from Stripe."""

from datetime import UTC, datetime
from typing import Any

from common.money import from_stripe
from treasury.services.disputes import DisputeTold, note_dispute, warn_of_fraud
from webhooks.models import StripeEvent


def dispute_told(event: StripeEvent, dispute: dict[str, Any]) -> None:
    """Keep what is told of a dispute."""
    assert event.organisation
    assert event.occurred_at
    currency = dispute["currency"].upper()
    answer_by = (dispute.get("evidence_details") or {}).get("due_by")
    told = DisputeTold(
        stripe_id=dispute["id"],
        charge=dispute["charge"],
        amount=from_stripe(dispute["amount"], currency),
        currency=currency,
        reason=dispute["reason"].replace("_", " "),
        status=dispute["status"],
        answer_by=answer_by and datetime.fromtimestamp(answer_by, UTC),
        opened_at=datetime.fromtimestamp(dispute["created"], UTC),
        told_at=event.occurred_at,
    )
    note_dispute(organisation=event.organisation, told=told)


def fraud_warned(event: StripeEvent, warning: dict[str, Any]) -> None:
    """Let staff see a warning, as long as something can be done."""
    assert event.organisation
    if warning["actionable"]:
        warn_of_fraud(
            organisation=event.organisation,
            warning_id=warning["id"],
            charge=warning["charge"],
            fraud_type=warning["fraud_type"],
        )
