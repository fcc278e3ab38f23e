"""
What donors change of a gift that repeats: Stripe is asked, and what it answers is noted.

Every change says how the gift is to stand, so that doing it twice does no harm. None has an
idempotency key of ours: Stripe would answer the same key with how the gift stood the first time.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from common.money import to_stripe
from common.stripe_api import StripeRefused, client, on_account, translated_errors
from donations.errors import NothingToMend, RecurringGiftOver
from donations.models import RecurringGift
from donations.services.giving import check_amount
from donations.services.recurring import learn_subscription
from donations.services.subscriptions import subscription_facts

if TYPE_CHECKING:
    from stripe.params import SubscriptionUpdateParams

# What stands open while a gift is paused is never asked for.
PAUSED: "SubscriptionUpdateParams" = {"pause_collection": {"behavior": "void"}}
RESUMED: "SubscriptionUpdateParams" = {"pause_collection": ""}
# The card that mends one payment pays the next ones too.
KEEPING: "SubscriptionUpdateParams" = {
    "payment_settings": {"save_default_payment_method": "on_subscription"}
}


def pause(*, recurring: RecurringGift) -> RecurringGift:
    """
    Take nothing until the gift goes on.

    Raises `RecurringGiftOver`, `TryAgainLater`, `StripeRefused`.
    """
    return _update(recurring, PAUSED)


def resume(*, recurring: RecurringGift) -> RecurringGift:
    """Let a paused gift go on from its next day. Raises what `pause` does."""
    return _update(recurring, RESUMED)


def change_amount(*, recurring: RecurringGift, amount: int) -> RecurringGift:
    """
    Give another amount, in minor units, from the next payment on.

    Raises what `pause` does, and `AmountOutOfRange`.
    """
    currency = recurring.currency
    check_amount(organisation=recurring.organisation, amount=amount, currency=currency)
    item = _told(recurring)["items"]["data"][0]
    price: Any = {
        "currency": currency.lower(),
        "unit_amount": to_stripe(amount, currency),
        "product": item["price"]["product"],
        "recurring": {"interval": recurring.interval},
    }
    changed: SubscriptionUpdateParams = {
        "items": [{"id": item["id"], "price_data": price, "quantity": 1}],
        "proration_behavior": "none",
    }
    return _update(recurring, changed)


def cancel(*, recurring: RecurringGift) -> RecurringGift:
    """End a gift at once and for ever. Raises what `pause` does."""
    account, asked_at = _account(recurring), timezone.now()
    try:
        with translated_errors(account):
            ended = client().v1.subscriptions.cancel(
                str(recurring.subscription), options=on_account(account)
            )
    except StripeRefused:
        # What has ended is not there to be ended again.
        recurring = _noted(recurring, _told(recurring), timezone.now())
        if recurring.ended_at is None:
            raise
        return recurring
    return _noted(recurring, ended.to_dict(for_json=True), asked_at)


def mend(*, recurring: RecurringGift) -> str:
    """
    Return Stripe's page on which the payment that failed is made, with another card if need be.

    Raises `NothingToMend`, and what `pause` does.
    """
    _update(recurring, KEEPING)
    invoice = _told(recurring)["latest_invoice"] or {}
    if invoice.get("status") != "open" or not invoice.get("hosted_invoice_url"):
        raise NothingToMend
    return str(invoice["hosted_invoice_url"])


def _update(recurring: RecurringGift, change: "SubscriptionUpdateParams") -> RecurringGift:
    account, asked_at = _account(recurring), timezone.now()
    with translated_errors(account):
        told = client().v1.subscriptions.update(
            str(recurring.subscription), change, on_account(account)
        )
    return _noted(recurring, told.to_dict(for_json=True), asked_at)


def _told(recurring: RecurringGift) -> dict[str, Any]:
    account = _account(recurring)
    with translated_errors(account):
        told = client().v1.subscriptions.retrieve(
            str(recurring.subscription), {"expand": ["latest_invoice"]}, on_account(account)
        )
    return told.to_dict(for_json=True)


def _noted(recurring: RecurringGift, told: dict[str, Any], asked_at: datetime) -> RecurringGift:
    facts = subscription_facts(told, read_at=asked_at)
    return learn_subscription(organisation=recurring.organisation, facts=facts) or recurring


def _account(recurring: RecurringGift) -> str:
    if recurring.ended_at or recurring.subscription is None:
        raise RecurringGiftOver
    return str(recurring.organisation.stripe_account)
