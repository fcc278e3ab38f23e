"""Background work of the treasury: reading what webhooks may have missed."""

import logging

from procrastinate.contrib.django import app

from common.errors import in_words
from organisations.models import Organisation
from treasury.services.paying_out import time_payouts
from treasury.services.standing import look_at_account
from treasury.services.sweeping import order_sweep, sweep

logger = logging.getLogger("almoner.treasury")


@app.periodic(cron="7 * * * *")
@app.task(queueing_lock="sweep_accounts")
def sweep_accounts(timestamp: int) -> None:
    """Have every connected account swept once an hour, each by a job of its own."""
    connected = Organisation.objects.public().readable()
    for organisation in connected.order_by("created_at"):
        order_sweep(organisation=organisation)


@app.periodic(cron="47 * * * *")
@app.task(queueing_lock="look_at_accounts")
def look_at_accounts(timestamp: int) -> None:
    """Let the rules look at how every account stands; one that fails does not stop the others."""
    for organisation in Organisation.objects.public().readable().order_by("created_at"):
        try:
            look_at_account(organisation=organisation)
        except Exception as error:  # whatever it is, the next hour is another chance
            facts = {"organisation": organisation.id, "reason": in_words(error)}
            logger.error("account not looked at", extra=facts)


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="time_held_payouts")
def time_held_payouts(timestamp: int) -> None:
    """Let payouts wait, or go on, as what is held asks for."""
    time_payouts()


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
