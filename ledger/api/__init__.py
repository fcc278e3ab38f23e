"""The API of the public ledger."""
