"""What `donations` tells the apps above it."""

from django.dispatch import Signal

# All inside the transaction that keeps the fact.
donation_paid = Signal()  # donation: Donation; once, when its money is first known of
donation_failed = Signal()  # donation: Donation
donation_settled = Signal()  # donation: Donation
