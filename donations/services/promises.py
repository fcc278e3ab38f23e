"""Promising a gift: a row of ours, and a payment opened at Stripe on the organisation's account."""

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from common.errors import TryAgainLater
from common.ids import make_id
from common.money import to_stripe
from common.stripe_api import client, on_account, translated_errors
from donations.errors import (
    IdempotencyConflict,
    RepeatsByCheckoutOnly,
    TakesNoGifts,
    UnknownFund,
)
from donations.models import GENERAL, Donation, Fund
from donations.services.giving import check_amount
from donations.services.recurring import begin_recurring
from donations.services.screening import Visitor, is_promised, screen_promise
from organisations.models import Organisation, StripeAccountState
from reviews.services.attempts import gift_tried_as

if TYPE_CHECKING:
    from stripe import PaymentIntent, RequestOptions
    from stripe.params import AccountCreateParams, PaymentIntentCreateParams
    from stripe.params.checkout import SessionCreateParams, SessionCreateParamsLineItemPriceData

OPEN_SECONDS = 2 * 3600
# Stripe lets a page be open for 30 minutes at the least, and what is asked again must be the same.
SLOT_SECONDS = 80 * 60


class Promised(NamedTuple):
    """A gift that can be paid; `client_secret` belongs to the integrator's page alone."""

    donation: Donation
    is_new: bool
    client_secret: str | None


def promise_donation(
    *,
    organisation: Organisation,
    amount: int,
    currency: str,
    flow: str,
    interval: str | None = None,
    fund: str = GENERAL,
    donor_email: str = "",
    donor_name: str = "",
    public_name: str = "",
    owner_id: str = "",
    success_url: str = "",
    cancel_url: str = "",
    idempotency_key: str | None = None,
    visitor: Visitor | None = None,
) -> Promised:
    """
    Promise a gift and open its payment at Stripe, on the organisation's own account.

    `amount` counts minor units of `currency`; `owner_id` is who may be granted credits. With an
    `interval` this is the first payment of a gift that repeats. The same `idempotency_key` again
    returns the same gift. A new one is screened: its card may be authorised only, for staff to
    decide. Raises what `check_amount` and `screen_promise` do, and `UnknownFund`, `TakesNoGifts`,
    `RepeatsByCheckoutOnly`, `IdempotencyConflict`, `TryAgainLater`, `StripeRefused`.
    """
    gift = {
        "amount": amount,
        "currency": currency,
        "flow": flow,
        "fund": fund,
        "donor_email": donor_email,
        "donor_name": donor_name,
        "public_name": public_name,
        "owner_id": owner_id,
    }
    links = {"success_url": success_url, "cancel_url": cancel_url}
    fields = gift | {"id": make_id("don"), "request_hash": _digest(gift | links, interval)}
    donation, is_new = _take_down(organisation, fields, interval, idempotency_key, visitor)
    return Promised(donation, is_new, _open(donation, links))


def journey_url(donation: Donation) -> str:
    """Return the private link that shows what becomes of a gift."""
    path = reverse("donation-detail", args=[donation.id])
    return f"{settings.BASE_URL}{path}?token={donation.token}"


def create_sandbox_account(
    *, country: str, currency: str, name: str = "", bears_losses: bool = False
) -> str:
    """
    Open a connected account in the sandbox, for an organisation that has none.

    Where the platform `bears_losses`, the account's payouts are the platform's to time.
    """
    params: AccountCreateParams = {
        "country": country,
        "default_currency": currency.lower(),
        "type": "custom" if bears_losses else "standard",
    }
    if name:  # donors read it on the payment page
        params["business_profile"] = {"name": name}
    with translated_errors(account=""):
        return client().v1.accounts.create(params).id


def _check(
    organisation: Organisation,
    gift: dict[str, Any],
    interval: str | None,
    idempotency_key: str | None,
) -> None:
    if interval and gift["flow"] != Donation.Flow.CHECKOUT:
        raise RepeatsByCheckoutOnly
    if not organisation.is_public or not organisation.stripe_account:
        raise TakesNoGifts
    state = StripeAccountState.objects.filter(organisation=organisation).first()
    if state and state.why_no_gifts:
        raise TakesNoGifts(state.why_no_gifts)
    if not Fund.objects.of(organisation).filter(slug=gift["fund"]).exists():
        raise UnknownFund
    # A promise stays one, whatever the organisation asks for by now.
    if not is_promised(organisation, idempotency_key):
        terms = {name: gift[name] for name in ("amount", "currency")}
        check_amount(organisation=organisation, **terms)


def _digest(asked: dict[str, Any], interval: str | None) -> str:
    # Without an owner it is what it was before gifts had any, so that old keys go on answering;
    # and one that does not repeat, likewise.
    asked = {name: value for name, value in asked.items() if value or name != "owner_id"}
    asked |= {"interval": interval} if interval else {}
    return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _take_down(
    organisation: Organisation,
    fields: dict[str, Any],
    interval: str | None,
    idempotency_key: str | None,
    visitor: Visitor | None,
) -> tuple[Donation, bool]:
    _check(organisation, fields, interval, idempotency_key)
    # Who was challenged comes again: what is known of the first try is of the same gift.
    tried = idempotency_key and gift_tried_as(organisation, idempotency_key)
    fields = fields | {"id": tried or fields["id"]}
    if not is_promised(organisation, idempotency_key):
        is_reviewed = screen_promise(organisation, fields, idempotency_key, visitor)
        # What repeats cannot wait for a capture: its first payment is held in the ledger instead.
        remembered_as = "review_due" if interval else "authorise_only"
        fields = fields | {remembered_as: is_reviewed}
    return _keep(organisation, fields, interval, idempotency_key)


@transaction.atomic
def _keep(
    organisation: Organisation,
    fields: dict[str, Any],
    interval: str | None,
    idempotency_key: str | None,
) -> tuple[Donation, bool]:
    if idempotency_key is None:
        donation, is_new = Donation.objects.create(organisation=organisation, **fields), True
    else:
        donation, is_new = Donation.objects.get_or_create(
            organisation=organisation, idempotency_key=idempotency_key, defaults=fields
        )
    if donation.request_hash != fields["request_hash"]:
        raise IdempotencyConflict
    if is_new and interval:
        begin_recurring(donation=donation, interval=interval)
    return donation, is_new


def _open(donation: Donation, links: dict[str, str]) -> str | None:
    if donation.flow == Donation.Flow.PAYMENT_INTENT:
        return _open_payment_intent(donation)
    if not donation.checkout_url:
        _open_checkout(donation, **links)
    return None


def _open_checkout(donation: Donation, success_url: str, cancel_url: str) -> None:
    donate_path = reverse("donate", args=[donation.organisation.slug])
    links: SessionCreateParams = {
        "success_url": success_url or journey_url(donation),
        "cancel_url": cancel_url or f"{settings.BASE_URL}{donate_path}",
    }
    slot = _slot(donation)
    try:
        with translated_errors(account=str(donation.organisation.stripe_account)):
            session = client().v1.checkout.sessions.create(
                _checkout_params(donation, slot) | links, _options(donation, slot)
            )
    except TryAgainLater:
        # Of two that were sent at once, Stripe serves one and asks the other to wait.
        donation.refresh_from_db(fields=["checkout_session", "checkout_url"])
        if not donation.checkout_url:
            raise
        return
    donation.checkout_session = session.id
    donation.checkout_url = session.url or ""
    donation.save(update_fields=["checkout_session", "checkout_url"])


def _open_payment_intent(donation: Donation) -> str | None:
    intent = _payment_intent(donation)
    donation.payment_intent = intent.id
    donation.save(update_fields=["payment_intent"])
    return intent.client_secret


def _payment_intent(donation: Donation) -> "PaymentIntent":
    account = str(donation.organisation.stripe_account)
    intents = client().v1.payment_intents
    with translated_errors(account):
        if donation.payment_intent:
            # Stripe forgets idempotency keys after a day, and the gift may know more by now.
            return intents.retrieve(donation.payment_intent, options=on_account(account))
        return intents.create(_intent_params(donation), _options(donation))


def _intent_params(donation: Donation) -> "PaymentIntentCreateParams":
    params: PaymentIntentCreateParams = {
        "amount": to_stripe(donation.amount, donation.currency),
        "currency": donation.currency.lower(),
        "automatic_payment_methods": {"enabled": True},
        "metadata": {"donation_id": donation.id},
    }
    if donation.authorise_only:
        params["capture_method"] = "manual"
    if donation.donor_email:
        params["receipt_email"] = donation.donor_email
    return params


def _slot(donation: Donation) -> int:
    waited = timezone.now() - donation.created_at
    return int(waited.total_seconds()) // SLOT_SECONDS


def _checkout_params(donation: Donation, slot: int) -> "SessionCreateParams":
    opened = int(donation.created_at.timestamp()) + slot * SLOT_SECONDS
    price: SessionCreateParamsLineItemPriceData = {
        "currency": donation.currency.lower(),
        "unit_amount": to_stripe(donation.amount, donation.currency),
        "product_data": {"name": f"Gift to {donation.organisation.name}"},
    }
    metadata = {"donation_id": donation.id}
    params: SessionCreateParams = {
        "expires_at": opened + OPEN_SECONDS,
        "client_reference_id": donation.id,
        "metadata": metadata,
        "line_items": [{"quantity": 1, "price_data": price}],
    }
    if donation.recurring:
        price["recurring"] = {"interval": donation.recurring.interval}
        metadata["recurring_id"] = donation.recurring.id
        params |= {"mode": "subscription", "subscription_data": {"metadata": metadata}}
    else:
        params |= {"mode": "payment", "submit_type": "donate"}
        params["payment_intent_data"] = {"metadata": metadata}
        if donation.authorise_only:
            params["payment_intent_data"]["capture_method"] = "manual"
    if donation.donor_email:
        params["customer_email"] = donation.donor_email
    return params


def _options(donation: Donation, slot: int = 0) -> "RequestOptions":
    key = f"almoner:{donation.id}:{slot}" if slot else f"almoner:{donation.id}"
    return on_account(str(donation.organisation.stripe_account), key)
