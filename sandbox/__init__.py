"""A Stripe-shaped server for the demo and the tests: loopback only, no real money."""
