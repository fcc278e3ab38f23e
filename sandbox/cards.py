"""The magic cards: what each number does."""

import itertools
from dataclasses import dataclass

from sandbox.errors import StripeError, missing
from sandbox.fingerprints import fingerprint_of

SUCCESS = "4242424242424242"


@dataclass(frozen=True)
class Card:
    """
    A test card. `decline_code` is set when the bank says no.

    The bank may ask for its holder's consent, which no renewal can get. After a success it may be
    disputed, inquired about or warned of, fail to be refunded, or be available without delay.
    """

    number: str
    does: str
    brand: str = "visa"
    country: str = "US"
    funding: str = "credit"
    decline_code: str | None = None
    needs_consent: bool = False
    is_disputed: bool = False
    is_inquired: bool = False
    is_warned: bool = False
    fails_refunds: bool = False
    is_available_at_once: bool = False

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(self.number)


_CARDS = (
    Card(SUCCESS, "succeeds"),
    Card("4000000000000002", "is declined", decline_code="generic_decline"),
    Card("4000000000009995", "has insufficient funds", decline_code="insufficient_funds"),
    Card("4000000000000341", "is declined whenever it is charged", decline_code="generic_decline"),
    Card("4000002760003184", "succeeds here; a renewal needs consent", needs_consent=True),
    Card("4000000000000259", "succeeds, then the gift is disputed", is_disputed=True),
    Card("4000000000001976", "succeeds, then the bank inquires", is_inquired=True),
    Card("4000000000005423", "succeeds, then the bank warns of fraud", is_warned=True),
    Card("4000000000005126", "succeeds, but a refund fails later", fails_refunds=True),
    Card("4000000000000077", "succeeds, available at once", is_available_at_once=True),
    Card("5555555555554444", "succeeds (Mastercard)", brand="mastercard"),
    Card("2223003122003222", "succeeds (another Mastercard)", brand="mastercard"),
    Card("4000056655665556", "succeeds (Visa debit)", funding="debit"),
    Card("378282246310005", "succeeds (American Express)", brand="amex"),
    Card("4000000760000002", "succeeds (from Brazil)", country="BR"),
    Card("4000002760000016", "succeeds (from Germany)", country="DE"),
    Card("4000008260000000", "succeeds (from the United Kingdom)", country="GB"),
)
LISTED = {card.number: card for card in _CARDS}
# Who plays many donors gives each a card of their own: one card of many people is suspicious.
# The digit after each of the last two makes the number one of a card (ISO/IEC 7812-1, Luhn).
_CHECKS = "0864297531"
_OWN = [
    Card(f"424242000000{tens}{_CHECKS[tens]}{ones}{_CHECKS[ones]}", "succeeds")
    for tens, ones in itertools.product(range(10), repeat=2)
]
CARDS = LISTED | {card.number: card for card in _OWN}

_PAYMENT_METHODS = {
    "pm_card_visa": SUCCESS,
    "pm_card_mastercard": "5555555555554444",
    "pm_card_visa_debit": "4000056655665556",
    "pm_card_amex": "378282246310005",
    "pm_card_br": "4000000760000002",
    "pm_card_de": "4000002760000016",
    "pm_card_gb": "4000008260000000",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_createDispute": "4000000000000259",
    "pm_card_createDisputeInquiry": "4000000000001976",
    "pm_card_createIssuerFraudRecord": "4000000000005423",
    "pm_card_refundFail": "4000000000005126",
    "pm_card_bypassPending": "4000000000000077",
}


def card_with_number(number: str) -> Card:
    """Return the card with this number, in whatever groups it was typed."""
    digits = number.replace(" ", "").replace("-", "")
    if digits not in CARDS:
        message = "Your card number is incorrect. The sandbox takes its test cards only."
        raise StripeError(402, message, code="incorrect_number", param="number", type="card_error")
    return CARDS[digits]


def card_of_payment_method(name: str) -> Card:
    """Return the card behind one of Stripe's ready-made test payment methods."""
    if name not in _PAYMENT_METHODS:
        raise missing("PaymentMethod", name, param="payment_method", status=400)
    return CARDS[_PAYMENT_METHODS[name]]
