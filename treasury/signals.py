"""What `treasury` tells the apps above it."""

from django.dispatch import Signal

# Both inside the transaction that keeps the fact, and once for each payout.
payout_arrived = Signal()  # payout: Payout
payout_failed = Signal()  # payout: Payout
