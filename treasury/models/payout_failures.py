"""Why payouts come back, in words."""

# https://docs.stripe.com/api/payouts/failures
REASONS = {
    "account_closed": "The bank account is closed.",
    "account_frozen": "The bank account is frozen.",
    "bank_account_restricted": "The bank account does not take payouts, or only few.",
    "bank_ownership_changed": "The bank’s branch changed hands, and the old account is not valid.",
    "could_not_process": "The bank could not process the payout.",
    "debit_not_authorized": "The bank account does not allow debits, which Stripe requires.",
    "declined": "The bank declined the payout.",
    "incorrect_account_holder_address": "The bank knows its customer by another address.",
    "incorrect_account_holder_name": "The bank knows its customer by another name.",
    "incorrect_account_holder_tax_id": "The bank knows its customer by another tax number.",
    "insufficient_funds": "There was too little on the Stripe balance.",
    "invalid_account_number": "The number of the bank account is not valid.",
    "invalid_currency": "The bank account does not take this currency.",
    "no_account": "The bank has no such account.",
    "unsupported_card": "The debit card takes no payouts.",
}
UNKNOWN_REASON = "The bank gave no reason that we know."
