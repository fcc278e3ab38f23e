"""Background work of the treasury: reading what webhooks may have missed."""

import logging

from procrastinate.contrib.django import app

from common.errors import in_words
from organisations.models import Organisation
from treasury.services.booking import book
from treasury.services.reading import read_account

logger = logging.getLogger("almoner.treasury")


@app.periodic(cron="7 * * * *")
@app.task(queueing_lock="sweep_accounts")
def sweep_accounts(timestamp: int) -> None:
    """Read every connected account once an hour; one that fails does not hold up the others."""
    connected = Organisation.objects.public().readable()
    for organisation in connected.order_by("created_at"):
        try:
            book(organisation=organisation, reading=read_account(organisation))
        except Exception as error:  # whatever it is, the next hour is another chance
            facts = {"organisation": organisation.id, "reason": in_words(error)}
            logger.warning("sweep postponed", extra=facts)
