"""Background work of gifts: refunds of which nobody knows yet whether Stripe took them."""

from procrastinate.contrib.django import app

from donations.services.refunding import ask_due

BATCH_MAX = 50


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="ask_for_refunds")
def ask_for_refunds(timestamp: int) -> None:
    """Ask again for what has no answer yet."""
    while ask_due(limit=BATCH_MAX) == BATCH_MAX:
        pass
