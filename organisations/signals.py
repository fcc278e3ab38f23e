"""What `organisations` tells the apps above it."""

from django.dispatch import Signal

application_submitted = Signal()  # organisation: Organisation; inside the transaction
organisation_approved = Signal()  # organisation: Organisation; inside the transaction
