"""The door that Stripe knocks on."""
