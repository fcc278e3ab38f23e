"""What `treasury` tells the apps above it."""

from django.dispatch import Signal

# Inside the transaction that keeps the fact, and once for each payout.
payout_arrived = Signal()  # payout: Payout
