"""What `treasury` writes: Stripe's balance transactions, as entries of the ledger."""
