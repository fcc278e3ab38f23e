"""Background work of gifts: refunds that wait for Stripe's answer, and visits that are over."""

from procrastinate.contrib.django import app

from donations.services import visits
from donations.services.refunding import ask_due

BATCH_MAX = 50


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="ask_for_refunds")
def ask_for_refunds(timestamp: int) -> None:
    """Ask again for what has no answer yet."""
    while ask_due(limit=BATCH_MAX) == BATCH_MAX:
        pass


@app.periodic(cron="53 * * * *")
@app.task(queueing_lock="forget_visits")
def forget_visits(timestamp: int) -> None:
    """Forget which donors came to look."""
    visits.forget_visits()
