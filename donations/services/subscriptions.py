"""What Stripe says of a subscription and of its invoices, in our words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from common.money import AMOUNT_MAX, from_stripe
from common.stripe_api import client, on_account, translated_errors
from donations.models import RecurringGift

Status = RecurringGift.Status
# https://docs.stripe.com/api/subscriptions/object#subscription_object-status
STATUSES = {
    "incomplete": Status.PENDING,
    "trialing": Status.ACTIVE,
    "active": Status.ACTIVE,
    "past_due": Status.PAST_DUE,
    "unpaid": Status.PAST_DUE,
    "paused": Status.PAUSED,
    "incomplete_expired": Status.ENDED,
    "canceled": Status.ENDED,
}
FIRST = "subscription_create"


@dataclass(frozen=True, slots=True)
class Claim:
    """Which gift that repeats something says it belongs to; anybody's account may say anything."""

    subscription: str
    recurring_id: str = ""
    donation_id: str = ""


@dataclass(frozen=True, slots=True)
class SubscriptionFacts:
    """
    How a subscription stood at `read_at`; `amount` counts minor units a period.

    What Stripe does not say, or not in words that we know, is empty or None.
    """

    claim: Claim
    read_at: datetime
    status: str
    amount: int | None
    next_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    ended_reason: str


@dataclass(frozen=True, slots=True)
class InvoiceFacts:
    """One payment that a subscription asks for; `retry_at` is when Stripe tries again, if ever."""

    id: str
    claim: Claim
    is_first: bool
    attempt: int
    retry_at: datetime | None
    donor_email: str


def claim_of(subscription: str, metadata: Mapping[str, Any] | None) -> Claim:
    """Return what a subscription claims by its metadata."""
    said = metadata or {}
    names = (str(said.get(name) or "") for name in ("recurring_id", "donation_id"))
    return Claim(subscription, *names)


def subscription_facts(told: Mapping[str, Any], *, read_at: datetime) -> SubscriptionFacts:
    """Return how one of our subscriptions stood when Stripe told its object."""
    item = (told["items"]["data"] or [{}])[0]
    status = STATUSES.get(told["status"], "")
    is_paused = bool(told.get("pause_collection")) and status not in ("", Status.ENDED)
    has_begun = bool(status) and not told["status"].startswith("incomplete")
    details = told.get("cancellation_details") or {}
    return SubscriptionFacts(
        claim=claim_of(told["id"], told.get("metadata")),
        read_at=read_at,
        status=Status.PAUSED if is_paused else status,
        amount=_amount(item),
        next_at=moment(item.get("current_period_end")),
        started_at=moment(told["start_date"]) if has_begun else None,
        ended_at=(moment(told.get("ended_at")) or read_at) if status == Status.ENDED else None,
        ended_reason=str(details.get("reason") or ""),
    )


def _amount(item: Mapping[str, Any]) -> int | None:
    # Prices that depend on how much is used, or have parts of a cent, have no whole amount.
    price, quantity = item.get("price") or {}, item.get("quantity")
    if price.get("unit_amount") is None:
        return None
    counted = price["unit_amount"] * (1 if quantity is None else quantity)
    try:
        amount = from_stripe(counted, price["currency"].upper())
    except ValueError:
        return None
    return amount if 0 < amount <= AMOUNT_MAX else None


def read_subscription(*, account: str, name: str) -> SubscriptionFacts:
    """Read how a subscription of a connected account stands. Raises what Stripe's calls raise."""
    read_at = timezone.now()
    with translated_errors(account):
        told = client().v1.subscriptions.retrieve(name, options=on_account(account))
    return subscription_facts(told.to_dict(for_json=True), read_at=read_at)


def invoice_facts(told: Mapping[str, Any]) -> InvoiceFacts | None:
    """Return what an invoice says, from Stripe's object of it; None where none repeats."""
    parent = (told.get("parent") or {}).get("subscription_details")
    if not parent:
        return None
    return InvoiceFacts(
        id=told["id"],
        claim=claim_of(id_of(parent["subscription"]), parent.get("metadata")),
        is_first=told.get("billing_reason") == FIRST,
        attempt=told.get("attempt_count") or 0,
        retry_at=moment(told.get("next_payment_attempt")),
        donor_email=str(told.get("customer_email") or ""),
    )


def id_of(thing: str | Mapping[str, Any]) -> str:
    """Return the id of what Stripe tells by its id or whole."""
    return thing if isinstance(thing, str) else str(thing["id"])


def moment(seconds: int | None) -> datetime | None:
    """Return a moment of Stripe's, if there is one."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
