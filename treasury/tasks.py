"""Background work of the treasury: reading what webhooks may have missed."""

import logging

from procrastinate.contrib.django import app

from common.errors import in_words
from organisations.models import Organisation
from treasury.services.sweeping import order_sweep, sweep

logger = logging.getLogger("almoner.treasury")


@app.periodic(cron="7 * * * *")
@app.task(queueing_lock="sweep_accounts")
def sweep_accounts(timestamp: int) -> None:
    """Have every connected account swept once an hour, each by a job of its own."""
    connected = Organisation.objects.public().readable()
    for organisation in connected.order_by("created_at"):
        order_sweep(organisation=organisation)


# Whatever else there is to do, seals and mails, does not wait for as many sweeps as are ordered.
@app.task(priority=-1)
def sweep_account(organisation_id: str) -> None:
    """Sweep one account; whatever fails, the next hour is another chance."""
    organisation = Organisation.objects.get(pk=organisation_id)
    try:
        sweep(organisation=organisation)
    except Exception as error:  # whatever it is, the next hour is another chance
        facts = {"organisation": organisation.id, "reason": in_words(error)}
        logger.warning("sweep postponed", extra=facts)
