"""The door that Stripe knocks on, and the endpoints that programs add."""
