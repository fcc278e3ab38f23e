"""The command-line verifier: it stands apart from the product and needs nothing of it."""
