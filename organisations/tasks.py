"""Background work for people: sending their mail."""

from procrastinate.contrib.django import app

from organisations.services.mail import send_due

BATCH_MAX = 50


@app.periodic(cron="* * * * * */5")
@app.task(queueing_lock="send_mail")
def send_mail(timestamp: int) -> None:
    """Send what is due."""
    while send_due(limit=BATCH_MAX) == BATCH_MAX:
        pass
