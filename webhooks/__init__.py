"""The door for messages from providers: verify, store, drain."""
