"""Events that there is something to do about: operators subscribe to them."""

from webhooks.services import account_events, handling

# They say nothing that is acted on, but that something moved, or how a subscription stands: that
# is read then.
TELLING_WHEN_TO_LOOK = frozenset(
    {
        "balance.available",
        "charge.captured",
        "charge.expired",
        "charge.pending",
        "charge.refunded",
        "charge.updated",
        "customer.subscription.created",
        "customer.subscription.deleted",
        "customer.subscription.paused",
        "customer.subscription.resumed",
        "customer.subscription.updated",
        "payout.canceled",
        "payout.created",
        "payout.failed",
        "payout.paid",
        "payout.reconciliation_completed",
        "payout.updated",
    }
)
# What docs/stripe-events.md tells operators to subscribe to.
WANTED = TELLING_WHEN_TO_LOOK.union(
    account_events.TYPES, handling.PAYERS, *handling.HANDLERS_OF_ALL
)
