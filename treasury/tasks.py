"""Background work of the treasury: reading what webhooks may have missed."""

import logging

from procrastinate.contrib.django import app

from common.errors import in_words
from organisations.models import Organisation
from treasury.services.sweeping import sweep

logger = logging.getLogger("almoner.treasury")


@app.periodic(cron="7 * * * *")
@app.task(queueing_lock="sweep_accounts")
def sweep_accounts(timestamp: int) -> None:
    """Sweep every connected account once an hour; one that fails does not hold up the others."""
    connected = Organisation.objects.public().readable()
    for organisation in connected.order_by("created_at"):
        sweep_account(organisation.pk)


@app.task
def sweep_account(organisation_id: str) -> None:
    """Sweep one account; whatever fails, the next hour is another chance."""
    organisation = Organisation.objects.get(pk=organisation_id)
    try:
        sweep(organisation=organisation)
    except Exception as error:  # whatever it is, other accounts have their turn
        facts = {"organisation": organisation.id, "reason": in_words(error)}
        logger.warning("sweep postponed", extra=facts)
