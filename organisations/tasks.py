"""Background work for people and their accounts: mail, how they stand at Stripe, what is over."""

from procrastinate.contrib.django import app

from organisations.services.account_states import read_states
from organisations.services.forgetting import forget_expired
from organisations.services.mail import send_due

BATCH_MAX = 50


@app.periodic(cron="* * * * * */5")
@app.task(queueing_lock="send_mail")
def send_mail(timestamp: int) -> None:
    """Send what is due."""
    while send_due(limit=BATCH_MAX) == BATCH_MAX:
        pass


@app.periodic(cron="37 * * * *")
@app.task(queueing_lock="read_accounts")
def read_accounts(timestamp: int) -> None:
    """Ask Stripe once an hour how every connected account stands, whatever webhooks told."""
    read_states()


@app.periodic(cron="53 3 * * *")
@app.task(queueing_lock="forget_expired")
def forget_expired_nightly(timestamp: int) -> None:
    """Delete sessions and counters that are over."""
    forget_expired()
