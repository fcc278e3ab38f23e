"""User credits on the shared ledger: the API of every application that keeps credits."""
