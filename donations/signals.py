"""What `donations` tells the apps above it."""

from django.dispatch import Signal

donation_settled = Signal()  # donation: Donation; inside the transaction
