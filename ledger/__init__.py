"""What happened, for ever: books, accounts, entries, the chain and its verification."""
