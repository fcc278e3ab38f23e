"""Why Stripe refused a refund, or why one came back, in words that say what to do."""

LOST_ACCESS = (
    "Almoner has no access to the Stripe account any more. Connect it again, or make the refund in "
    "Stripe’s own dashboard: the ledger will have it as soon as the account is connected."
)
TOO_LITTLE = (
    "There is too little on the Stripe balance. Wait for the next gifts or add money to the "
    "balance at Stripe, then ask again."
)
DISPUTED = (
    "The donor has disputed this payment with the bank, which decides now. Do not give it back as "
    "well: it would be paid twice. Accept the dispute at Stripe if the donor is right."
)
NOT_REFUNDABLE = (
    "Stripe can give nothing of this payment back any more: most ways of paying allow it for a "
    "limited time, bank debits for 180 days. Ask the donor for a bank account and send the money "
    "there."
)
# https://docs.stripe.com/error-codes
REFUSALS = {
    "account_closed": NOT_REFUNDABLE,
    "account_invalid": LOST_ACCESS,
    "amount_too_large": (
        "Stripe has less left of this payment: something of it was given back elsewhere, perhaps "
        "in Stripe’s dashboard. Wait a minute until the ledger has it, then ask for the rest."
    ),
    "amount_too_small": "Stripe gives back no amount as small as this one. Ask for more.",
    "balance_insufficient": TOO_LITTLE,
    "charge_already_refunded": (
        "All of this payment was given back before, perhaps in Stripe’s dashboard. The ledger has "
        "it within a minute; nothing is left to do."
    ),
    "charge_disputed": DISPUTED,
    "charge_not_refundable": NOT_REFUNDABLE,
    "insufficient_funds": TOO_LITTLE,
    "refund_disputed_payment": DISPUTED,
    "resource_missing": (
        "Stripe does not know this payment on the account that is connected now. If another "
        "account was connected when the gift was made, make the refund in its dashboard."
    ),
}
# https://docs.stripe.com/api/refunds/object#refund_object-failure_reason
FAILURES = {
    "lost_or_stolen_card": "the card was reported lost or stolen",
    "expired_or_canceled_card": "the card has expired or was canceled",
    "charge_for_pending_refund_disputed": "the donor disputed the payment in the meantime",
    "insufficient_funds": "there was too little on the Stripe balance for too long",
    "declined": "the donor’s bank declined it",
    "merchant_request": "it was called back at your request",
    "canceled": "it was canceled before it was paid out",
}


def refusal_in_words(code: str) -> str:
    """Return why Stripe refused and what to do; a code that we do not know is said as it is."""
    return REFUSALS.get(code) or (
        f"Stripe refused the refund and gives “{code}” as the reason. Nothing was given back. Look "
        "at the payment in Stripe’s dashboard, where the refund can also be made."
    )


def failure_in_words(reason: str) -> str:
    """Return why a refund came back."""
    return FAILURES.get(reason, "the donor’s bank could not credit it")
