"""Background work of gifts: reviews, what waits for Stripe's answer, and visits that are over."""

from procrastinate.contrib.django import app

from donations.services import visits
from donations.services.capturing import carry_out_due
from donations.services.refunding import ask_due
from donations.services.settled import screen_due

BATCH_MAX = 50


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="ask_for_refunds")
def ask_for_refunds(timestamp: int) -> None:
    """Ask again for what has no answer yet."""
    while ask_due(limit=BATCH_MAX) == BATCH_MAX:
        pass


@app.periodic(cron="* * * * * */5")
@app.task(queueing_lock="screen_settled")
def screen_settled(timestamp: int) -> None:
    """Let the rules look at what has settled."""
    screen_due(batch=BATCH_MAX)


@app.periodic(cron="* * * * * */5")
@app.task(queueing_lock="carry_out_decisions")
def carry_out_decisions(timestamp: int) -> None:
    """Charge the cards that staff released, and let those go that they refused."""
    while carry_out_due(limit=BATCH_MAX) == BATCH_MAX:
        pass


@app.periodic(cron="53 * * * *")
@app.task(queueing_lock="forget_visits")
def forget_visits(timestamp: int) -> None:
    """Forget which donors came to look."""
    visits.forget_visits()
