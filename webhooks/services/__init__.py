"""What `webhooks` writes: the inbox, and what becomes of each event."""
