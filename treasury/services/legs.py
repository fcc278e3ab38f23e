"""What a balance transaction means: its operation, its accounts, its one or two entries."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from ledger.operations import MoneyOperation
from ledger.services import Draft
from treasury.services.reading import Movement

STRIPE, IN_TRANSIT = "stripe", "in_transit"
EXTERNAL, UNCLASSIFIED, GENERAL_FUND = "external", "unclassified", "fund:general"


class Meaning(NamedTuple):
    """
    How one reporting category is booked.

    `sign` is that of the amounts it may have, 0 where any; `account` is where its money comes from
    or goes to, or "" where it follows the purpose of its charge; the fee falls on `fee_account`
    likewise.
    """

    sign: int
    operation: MoneyOperation
    fee_operation: MoneyOperation
    account: str = ""
    fee_account: str = ""


FEES = Meaning(
    0, MoneyOperation.PROVIDER_FEE, MoneyOperation.PROVIDER_FEE, GENERAL_FUND, GENERAL_FUND
)
UNKNOWN = Meaning(
    0, MoneyOperation.UNCLASSIFIED, MoneyOperation.UNCLASSIFIED, UNCLASSIFIED, UNCLASSIFIED
)
# https://docs.stripe.com/reports/reporting-categories
MEANINGS = {
    "charge": Meaning(1, MoneyOperation.DONATION_RECEIVED, MoneyOperation.PROCESSING_FEE),
    "refund": Meaning(-1, MoneyOperation.DONATION_REFUNDED, MoneyOperation.PROCESSING_FEE),
    "refund_failure": Meaning(1, MoneyOperation.REFUND_FAILED, MoneyOperation.PROCESSING_FEE),
    # A debit that bounced after all: the money goes back as in a refund.
    "charge_failure": Meaning(-1, MoneyOperation.DONATION_REFUNDED, MoneyOperation.PROCESSING_FEE),
    "dispute": Meaning(-1, MoneyOperation.DISPUTE_OPENED, MoneyOperation.DISPUTE_FEE),
    "dispute_reversal": Meaning(1, MoneyOperation.DISPUTE_WON, MoneyOperation.DISPUTE_FEE),
    "payout": Meaning(
        -1, MoneyOperation.PAYOUT_SENT, MoneyOperation.PROVIDER_FEE, IN_TRANSIT, GENERAL_FUND
    ),
    "payout_reversal": Meaning(
        1, MoneyOperation.PAYOUT_RETURNED, MoneyOperation.PROVIDER_FEE, IN_TRANSIT, GENERAL_FUND
    ),
    "fee": FEES,
    "network_cost": FEES,
    "tax": FEES,
}
# Of what came from outside of the book, no more is said than that it did.
FROM_OUTSIDE = (MoneyOperation.DONATION_RECEIVED, MoneyOperation.PAYOUT_RETURNED)
# The last part of a nonce: what it was called first is what it is called for ever.
LEGS = {category: category for category in MEANINGS} | {"fee": "provider_fee"}


def meaning_of(movement: Movement) -> Meaning:
    """Return how a movement is booked; one of an unheard-of kind or sign is unclassified."""
    meaning = MEANINGS.get(movement.category, UNKNOWN)
    return meaning if movement.amount * meaning.sign >= 0 else UNKNOWN


def follows_a_charge(movement: Movement) -> bool:
    """Tell whether a movement is of a charge, whose purpose it shares."""
    return not meaning_of(movement).account


def account_of(movement: Movement) -> str:
    """Return where the money of a movement that follows no charge comes from or goes to."""
    meaning = meaning_of(movement)
    # What the book never sent on its way comes back from outside of it.
    is_stray = movement.predates_book and meaning.operation == MoneyOperation.PAYOUT_RETURNED
    return EXTERNAL if is_stray else meaning.account


def drafts_of(
    movement: Movement, *, account: str, purpose: str, donation_id: str, fee_purpose: str = ""
) -> list[Draft]:
    """
    Return the entries of a movement on `account`, a Stripe account id: at most gross and fee.

    `purpose` is where its money comes from or goes to; its fee falls on `fee_purpose` where that is
    another one. Together they move the place `stripe` by
    the movement's net.
    """
    meaning = meaning_of(movement)
    operation = meaning.operation
    if operation in FROM_OUTSIDE and purpose == EXTERNAL:
        operation = MoneyOperation.EXTERNAL_ACTIVITY
    legs = [
        (operation, movement.amount, purpose, LEGS.get(movement.category, "other")),
        (
            meaning.fee_operation,
            -movement.fee,
            meaning.fee_account or fee_purpose or purpose,
            "fee",
        ),
    ]
    metadata = dict(_metadata(movement, donation_id))
    return [
        Draft(
            operation=operation,
            amount=abs(amount),
            currency=movement.currency,
            debit=STRIPE if amount > 0 else other,
            credit=other if amount > 0 else STRIPE,
            nonce=f"stripe:{account}:{movement.id}:{leg}",
            metadata=metadata,
            occurred_at=movement.occurred_at,
        )
        for operation, amount, other, leg in legs
        if amount
    ]


def _metadata(movement: Movement, donation_id: str) -> Iterator[tuple[str, Any]]:
    if donation_id:
        yield "donation", donation_id
    if movement.charge:
        yield "charge", movement.charge
    if movement.source and movement.source != movement.charge:
        yield "source", movement.source
    if movement.given_currency not in ("", movement.currency):
        yield "presentment", {"amount": movement.given, "currency": movement.given_currency}
    if movement.exchange_rate:
        yield "exchange_rate", movement.exchange_rate
    if meaning_of(movement) is UNKNOWN:
        yield "category", movement.category
        yield "type", movement.type
