"""Background work of the inbox, and of what subscribers were told."""

import logging

from procrastinate.contrib.django import app

from common.errors import in_words
from organisations.models import Organisation
from webhooks.services.backfilling import backfill
from webhooks.services.outcomes import forget_old

logger = logging.getLogger("almoner.webhooks")
STALLED_AFTER_SECONDS = 300


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="rescue_stalled_jobs", pass_context=False)
async def rescue_stalled_jobs(timestamp: int) -> None:
    """Put back jobs whose worker was killed: it left them in `doing`."""
    stalled = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_SECONDS)
    for job in stalled:
        await app.job_manager.retry_job(job)


@app.periodic(cron="37 * * * *")
@app.task(queueing_lock="backfill_events")
def backfill_events(timestamp: int) -> None:
    """Ask for what did not arrive, once an hour; one account does not hold up the others."""
    connected = Organisation.objects.public().readable()
    for organisation in connected.order_by("created_at"):
        backfill_account(organisation.pk)


@app.task
def backfill_account(organisation_id: str) -> None:
    """Ask for the events of one account; whatever fails, the next hour is another chance."""
    organisation = Organisation.objects.get(pk=organisation_id)
    try:
        backfill(organisation=organisation)
    except Exception as error:  # whatever it is, other accounts have their turn
        facts = {"organisation": organisation.id, "reason": in_words(error)}
        logger.warning("backfill postponed", extra=facts)


@app.periodic(cron="17 3 * * *")
@app.task(queueing_lock="forget_deliveries")
def forget_deliveries(timestamp: int) -> None:
    """Delete what was told long ago, with what other servers answered."""
    forget_old()
