"""What `reviews` tells the apps above it."""

from django.dispatch import Signal

# Inside the transaction that keeps the decision; receivers raise what forbids it.
case_decided = Signal()  # case: Case, decision: Decision (final)

# Inside the transaction in which money is held, or a hold takes its end.
hold_changed = Signal()  # hold: Hold

# Inside the transaction in which an account's payouts begin to wait, or go on.
payouts_changed = Signal()  # hold: PayoutHold
