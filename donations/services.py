"""Gifts: promised with Stripe, then moved on by what Stripe and the ledger tell."""

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from common.money import CURRENCIES, exponent_of, format_money
from common.stripe_api import client, on_account, translated_errors
from donations.errors import (
    AmountOutOfRange,
    GiftDiffers,
    IdempotencyConflict,
    TakesNoGifts,
    UnknownCurrency,
    UnknownFund,
)
from donations.models import GENERAL, Donation, Fund
from ledger.models import Entry
from organisations.models import Organisation

if TYPE_CHECKING:
    from stripe import PaymentIntent, RequestOptions
    from stripe.params import PaymentIntentCreateParams
    from stripe.params.checkout import SessionCreateParams

WHOLE_MIN, WHOLE_MAX = {0: 100, 2: 1, 3: 1}, 999_999


class Promised(NamedTuple):
    """A gift that can be paid; `client_secret` belongs to the integrator's page alone."""

    donation: Donation
    is_new: bool
    client_secret: str | None


@dataclass(frozen=True, slots=True)
class ChargeFacts:
    """What Stripe says of the charge that paid a gift, in the currency that the donor gave."""

    id: str
    amount: int
    currency: str


@transaction.atomic
def create_fund(
    *,
    organisation: Organisation,
    slug: str,
    name: str,
    summary: str = "",
    goal: int | None = None,
    position: int = 0,
) -> Fund:
    """Open something to give to; `goal` counts minor units. The same slug returns what is there."""
    defaults = {"name": name, "summary": summary, "goal": goal, "position": position}
    fund, _ = Fund.objects.get_or_create(organisation=organisation, slug=slug, defaults=defaults)
    return fund


def promise_donation(
    *,
    organisation: Organisation,
    amount: int,
    currency: str,
    flow: str,
    fund: str = GENERAL,
    donor_email: str = "",
    donor_name: str = "",
    public_name: str = "",
    success_url: str = "",
    cancel_url: str = "",
    idempotency_key: str | None = None,
) -> Promised:
    """
    Promise a gift and open its payment at Stripe, on the organisation's own account.

    `amount` counts minor units of `currency`. The same `idempotency_key` again returns the same
    gift, and goes on where an earlier try was cut off. Raises `UnknownFund`, `UnknownCurrency`,
    `AmountOutOfRange`, `TakesNoGifts`, `IdempotencyConflict`, `TryAgainLater`, `StripeRefused`.
    """
    check_amount(amount, currency)
    _check_takes_gifts(organisation, fund)
    gift = {
        "amount": amount,
        "currency": currency,
        "flow": flow,
        "fund": fund,
        "donor_email": donor_email,
        "donor_name": donor_name,
        "public_name": public_name,
    }
    links = {"success_url": success_url, "cancel_url": cancel_url}
    donation, is_new = _take_down(organisation, gift, links, idempotency_key)
    if donation.checkout_url:
        return Promised(donation, is_new, None)
    if donation.flow == Donation.Flow.CHECKOUT:
        return Promised(_open_checkout(donation, **links), is_new, None)
    intent = _payment_intent(donation)
    donation.payment_intent = intent.id
    donation.save(update_fields=["payment_intent"])
    return Promised(donation, is_new, intent.client_secret)


def check_amount(amount: int, currency: str) -> None:
    """Raise `UnknownCurrency` or `AmountOutOfRange` for what nobody can give."""
    if currency not in CURRENCIES:
        raise UnknownCurrency
    unit = 10 ** exponent_of(currency)
    least, most = WHOLE_MIN[exponent_of(currency)] * unit, WHOLE_MAX * unit
    if not least <= amount <= most:
        raise AmountOutOfRange(
            f"Give between {format_money(least, currency)} and {format_money(most, currency)}."
        )


def journey_url(donation: Donation) -> str:
    """Return the private link that shows what becomes of a gift."""
    path = reverse("donation-detail", args=[donation.id])
    return f"{settings.BASE_URL}{path}?token={donation.token}"


def create_sandbox_account(*, country: str, currency: str) -> str:
    """Open a connected account in the sandbox, for an organisation that has none."""
    with translated_errors(account=""):
        account = client().v1.accounts.create(
            {"country": country, "default_currency": currency.lower(), "type": "standard"}
        )
    return account.id


@transaction.atomic
def mark_paid(
    *, organisation: Organisation, donation_id: str, paid_at: datetime, **donor: str
) -> None:
    """
    Note that Stripe has a gift's money; what is not this organisation's is left alone.

    `donor` may fill in `donor_email` and `donor_name`, which are kept where they are known.
    """
    donation = _locked(organisation, donation_id)
    if donation is None:
        return
    donation.paid_at = min(donation.paid_at or paid_at, paid_at)
    for field, value in donor.items():
        setattr(donation, field, getattr(donation, field) or value)
    _save(donation, "paid_at", *donor)


@transaction.atomic
def mark_ended(
    *, organisation: Organisation, donation_id: str, flow: str, ended_as: str, ended_at: datetime
) -> None:
    """
    Note that a gift failed, expired or was canceled; a payment, early or late, outweighs it.

    Each flow ends in its own words: a card declined on the checkout page ends nothing yet.
    """
    donation = _locked(organisation, donation_id)
    if donation is None or donation.flow != flow:
        return
    if donation.ended_at:
        # The last end counts, in whatever order they are told.
        before = donation.ended_at, donation.ended_as
        ended_at, ended_as = max(before, (ended_at, ended_as))
    donation.ended_as, donation.ended_at = ended_as, ended_at
    _save(donation, "ended_as", "ended_at")


def gift_of(
    *, organisation: Organisation, donation_id: str, charge: ChargeFacts
) -> Donation | None:
    """
    Return the gift of this organisation that a charge names, or None when there is no such gift.

    An organisation's own charges may claim anything; a gift is paid by one charge of exactly its
    amount and currency. Raises `GiftDiffers`.
    """
    donation = _locked(organisation, donation_id)
    if donation is None:
        return None
    is_same = (charge.amount, charge.currency) == (donation.amount, donation.currency)
    if donation.sequence is not None or not is_same:
        raise GiftDiffers
    return donation


def settle(*, donation: Donation, entry: Entry) -> None:
    """Note where in the public book a gift stands."""
    donation.sequence = entry.sequence
    donation.settled_amount, donation.settled_currency = entry.amount, entry.currency
    donation.settled_at = entry.recorded_at
    donation.paid_at = min(donation.paid_at or entry.occurred_at, entry.occurred_at)
    _save(donation, "sequence", "settled_amount", "settled_currency", "settled_at", "paid_at")


def add_refund(*, organisation: Organisation, donation_id: str, amount: int) -> None:
    """Add a refund (or take back one that failed: negative), in the currency of the gift."""
    donation = _locked(organisation, donation_id)
    if donation is not None:
        donation.refunded_amount += amount
        _save(donation, "refunded_amount")


def add_dispute(*, organisation: Organisation, donation_id: str, amount: int) -> None:
    """Add what a dispute took (or gave back: negative), in the currency of the gift."""
    donation = _locked(organisation, donation_id)
    if donation is not None:
        donation.disputed_amount += amount
        _save(donation, "disputed_amount")


def _check_takes_gifts(organisation: Organisation, fund: str) -> None:
    if not organisation.is_public or not organisation.stripe_account:
        raise TakesNoGifts
    if not Fund.objects.of(organisation).filter(slug=fund).exists():
        raise UnknownFund


def _locked(organisation: Organisation, donation_id: str) -> Donation | None:
    own = Donation.objects.of(organisation).select_for_update()
    return own.filter(id=donation_id).first()


def _save(donation: Donation, *fields: str) -> None:
    donation.status = donation.status_now()
    donation.save(update_fields=[*fields, "status"])


def _take_down(
    organisation: Organisation,
    gift: dict[str, Any],
    links: dict[str, str],
    idempotency_key: str | None,
) -> tuple[Donation, bool]:
    request_hash = sha256(json.dumps(gift | links, sort_keys=True).encode()).hexdigest()
    if idempotency_key is None:
        fields = gift | {"request_hash": request_hash}
        return Donation.objects.create(organisation=organisation, **fields), True
    donation, is_new = Donation.objects.get_or_create(
        organisation=organisation,
        idempotency_key=idempotency_key,
        defaults=gift | {"request_hash": request_hash},
    )
    if donation.request_hash != request_hash:
        raise IdempotencyConflict
    return donation, is_new


def _open_checkout(donation: Donation, success_url: str, cancel_url: str) -> Donation:
    donate_path = reverse("donate", args=[donation.organisation.slug])
    links: SessionCreateParams = {
        "success_url": success_url or journey_url(donation),
        "cancel_url": cancel_url or f"{settings.BASE_URL}{donate_path}",
    }
    with translated_errors(account=str(donation.organisation.stripe_account)):
        session = client().v1.checkout.sessions.create(
            _checkout_params(donation) | links, _options(donation)
        )
    donation.checkout_session = session.id
    donation.checkout_url = session.url or ""
    donation.save(update_fields=["checkout_session", "checkout_url"])
    return donation


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
        "amount": donation.amount,
        "currency": donation.currency.lower(),
        "automatic_payment_methods": {"enabled": True},
        "metadata": {"donation_id": donation.id},
    }
    if donation.donor_email:
        params["receipt_email"] = donation.donor_email
    return params


def _checkout_params(donation: Donation) -> "SessionCreateParams":
    params: SessionCreateParams = {
        "mode": "payment",
        "submit_type": "donate",
        "client_reference_id": donation.id,
        "metadata": {"donation_id": donation.id},
        "payment_intent_data": {"metadata": {"donation_id": donation.id}},
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": donation.currency.lower(),
                    "unit_amount": donation.amount,
                    "product_data": {"name": f"Gift to {donation.organisation.name}"},
                },
            }
        ],
    }
    if donation.donor_email:
        params["customer_email"] = donation.donor_email
    return params


def _options(donation: Donation) -> "RequestOptions":
    return on_account(str(donation.organisation.stripe_account), f"almoner:{donation.id}")
