"""Gifts that were paid at the sandbox and booked, so that they can be given back."""

import secrets
from typing import Any

from donations.models import Donation, RefundRequest
from donations.services import gifts
from donations.services.promises import promise_donation
from donations.services.refunding import request_refund
from donations.services.refunds import Wish
from organisations.models import Organisation
from tests.factories import DonationFactory, gift_entries
from tests.sandbox_fixtures import SandboxProcess
from treasury.services.booking import book
from treasury.services.reading import read_account

VISA, FAILS_LATER = "4242424242424242", "4000000000005126"
AT_ONCE, DISPUTED = "4000000000000077", "4000000000000259"


def booked(organisation: Organisation) -> None:
    """Read the account and book what moved, as the worker does."""
    book(organisation=organisation, reading=read_account(organisation))


def settled_gift(
    sandbox: SandboxProcess, organisation: Organisation, *, card: str = VISA, **fields: Any
) -> Donation:
    """Return a gift that was paid with a card and stands in the ledger."""
    gift = {"amount": 5000, "currency": "EUR", "flow": Donation.Flow.CHECKOUT, **fields}
    donation = promise_donation(organisation=organisation, **gift).donation
    sandbox.control(f"checkout/{donation.checkout_session}/pay", card_number=card)
    sandbox.control("delivery/flush")
    booked(organisation)
    donation.refresh_from_db()
    return donation


def in_ledger(organisation: Organisation, **fields: Any) -> Donation:
    """Return a gift of 50.00 EUR in the ledger, without any Stripe."""
    donation = DonationFactory(organisation=organisation, **fields)
    [entry] = gift_entries(
        organisation,
        first=Donation.objects.count(),
        credit="fund:general",
        metadata={"donation": donation.id, "charge": "ch_1"},
    )
    gifts.settle(donation=donation, entry=entry)
    return donation


def wish(**fields: Any) -> Wish:
    """Return a wish with a key of its own, for all that is left where no amount is named."""
    usual = {"amount": None, "reason": RefundRequest.Reason.REQUESTED_BY_CUSTOMER}
    return Wish(**{**usual, "key": f"form:{secrets.token_urlsafe(9)}", **fields})


def refunded(donation: Donation, **fields: Any) -> RefundRequest:
    """Ask for a refund and return it as it stands after Stripe's answer."""
    wanted = {"donation_id": donation.id, "wish": wish(**fields)}
    return request_refund(organisation=donation.organisation, **wanted)[0]
