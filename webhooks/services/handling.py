"""
What an event says of a gift. What it says of money is read from Stripe instead.

Handlers add facts and never take one back, so that the order of events does not matter.
"""

from collections.abc import Callable
from typing import Any

from donations.models import Donation
from donations.services import gifts
from webhooks.models import StripeEvent
from webhooks.services import recurring_events, refund_events
from webhooks.services.dispute_events import dispute_told, fraud_warned

CHECKOUT, INTENT = Donation.Flow.CHECKOUT, Donation.Flow.PAYMENT_INTENT


def handle(event: StripeEvent) -> None:
    """Let the gift that an event is about know; most events are about none."""
    for handlers in (HANDLERS, recurring_events.HANDLERS):
        if handler := handlers.get(event.type):
            handler(event, event.payload["data"]["object"])


def _checkout_completed(event: StripeEvent, session: dict[str, Any]) -> None:
    # A debit that takes days completes the session unpaid; its payment is told later.
    if session.get("payment_status") == "paid":
        _paid(event, session, session.get("customer_details") or {})


def _checkout_paid(event: StripeEvent, session: dict[str, Any]) -> None:
    _paid(event, session, session.get("customer_details") or {})


def _charge_paid(event: StripeEvent, charge: dict[str, Any]) -> None:
    _paid(event, charge, charge.get("billing_details") or {})


def _intent_paid(event: StripeEvent, intent: dict[str, Any]) -> None:
    _paid(event, intent, {})


def _paid(event: StripeEvent, thing: dict[str, Any], donor: dict[str, Any]) -> None:
    assert event.organisation
    assert event.occurred_at
    gifts.mark_paid(
        organisation=event.organisation,
        donation_id=_donation_id(thing),
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
            donation_id=_donation_id(thing),
            flow=flow,
            ended_as=ended_as,
            ended_at=event.occurred_at,
        )

    return handler


def _donation_id(thing: dict[str, Any]) -> str:
    metadata = thing.get("metadata") or {}
    return str(thing.get("client_reference_id") or metadata.get("donation_id") or "")


HANDLERS: dict[str, Callable[[StripeEvent, dict[str, Any]], None]] = {
    "checkout.session.completed": _checkout_completed,
    "checkout.session.async_payment_succeeded": _checkout_paid,
    "checkout.session.async_payment_failed": _ended(CHECKOUT, Donation.Status.FAILED),
    "checkout.session.expired": _ended(CHECKOUT, Donation.Status.EXPIRED),
    "payment_intent.succeeded": _intent_paid,
    "payment_intent.payment_failed": _ended(INTENT, Donation.Status.FAILED),
    "payment_intent.canceled": _ended(INTENT, Donation.Status.CANCELED),
    "charge.succeeded": _charge_paid,
    "charge.dispute.created": dispute_told,
    "charge.dispute.updated": dispute_told,
    "charge.dispute.funds_withdrawn": dispute_told,
    "charge.dispute.funds_reinstated": dispute_told,
    "charge.dispute.closed": dispute_told,
    "radar.early_fraud_warning.created": fraud_warned,
    **refund_events.HANDLERS,
}
