"""Where money is: what moved on the Stripe balance, booked to the ledger."""
