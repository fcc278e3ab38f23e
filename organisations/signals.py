"""What `organisations` tells the apps above it."""

from django.dispatch import Signal

organisation_approved = Signal()  # organisation: Organisation; inside the transaction
