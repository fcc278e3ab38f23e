"""Rules: what they look at, with which parameters, and what they find. Services run them."""
