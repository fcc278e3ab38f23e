"""The pages on which an organisation applies, and connects its Stripe account."""
