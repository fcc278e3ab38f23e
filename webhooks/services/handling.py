"""
What an event says of a gift. What it says of money is read from Stripe instead.

Handlers add facts and never take one back, so that the order of events does not matter.
"""

from collections.abc import Callable, Sequence
from typing import Any

from donations.models import Donation
from donations.services import gifts
from donations.services.gifts import Payment
from organisations.models import Organisation
from webhooks.models import StripeEvent
from webhooks.services import recurring_events, refund_events, review_events
from webhooks.services.dispute_events import dispute_told, fraud_warned

CHECKOUT, INTENT = Donation.Flow.CHECKOUT, Donation.Flow.PAYMENT_INTENT
COMPLETED = "checkout.session.completed"
# Events of a payment, and the part of them that says who paid.
PAYERS = {
    COMPLETED: "customer_details",
    "checkout.session.async_payment_succeeded": "customer_details",
    "charge.succeeded": "billing_details",
    "payment_intent.succeeded": "",
}


def handle(organisation: Organisation, events: Sequence[StripeEvent]) -> None:
    """Let the gifts that events are about know; most events are about none."""
    payments = [payment for event in events if (payment := _payment(event))]
    if payments:
        gifts.mark_paid(organisation=organisation, payments=payments)
    for event in events:
        for handlers in HANDLERS_OF_ALL:
            if handler := handlers.get(event.type):
                handler(event, event.payload["data"]["object"])


def _payment(event: StripeEvent) -> Payment | None:
    if event.type not in PAYERS:
        return None
    thing = event.payload["data"]["object"]
    # A debit that takes days completes the session unpaid; its payment is told later.
    if event.type == COMPLETED and thing.get("payment_status") != "paid":
        return None
    if thing.get("captured") is False:  # it is only authorised
        return None
    assert event.occurred_at
    donor = thing.get(PAYERS[event.type]) or {}
    return Payment(
        donation_id=donation_id_of(thing),
        paid_at=event.occurred_at,
        donor_email=str(donor.get("email") or ""),
        donor_name=str(donor.get("name") or ""),
    )


def _ended(flow: str, ended_as: str) -> Callable[[StripeEvent, dict[str, Any]], None]:
    def handler(event: StripeEvent, thing: dict[str, Any]) -> None:
        assert event.organisation
        assert event.occurred_at
        gifts.mark_ended(
            organisation=event.organisation,
            donation_id=donation_id_of(thing),
            flow=flow,
            ended_as=ended_as,
            ended_at=event.occurred_at,
        )

    return handler


def donation_id_of(thing: dict[str, Any]) -> str:
    metadata = thing.get("metadata") or {}
    return str(thing.get("client_reference_id") or metadata.get("donation_id") or "")


HANDLERS: dict[str, Callable[[StripeEvent, dict[str, Any]], None]] = {
    "checkout.session.async_payment_failed": _ended(CHECKOUT, Donation.Status.FAILED),
    "checkout.session.expired": _ended(CHECKOUT, Donation.Status.EXPIRED),
    "payment_intent.payment_failed": _ended(INTENT, Donation.Status.FAILED),
    "payment_intent.canceled": _ended(INTENT, Donation.Status.CANCELED),
    "charge.dispute.created": dispute_told,
    "charge.dispute.updated": dispute_told,
    "charge.dispute.funds_withdrawn": dispute_told,
    "charge.dispute.funds_reinstated": dispute_told,
    "charge.dispute.closed": dispute_told,
    "radar.early_fraud_warning.created": fraud_warned,
    **refund_events.HANDLERS,
}
HANDLERS_OF_ALL = (HANDLERS, review_events.HANDLERS, recurring_events.HANDLERS)
