"""Background work of the inbox, and of what subscribers were told."""

from procrastinate.contrib.django import app

from webhooks.services.outcomes import forget_old

STALLED_AFTER_SECONDS = 300


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="rescue_stalled_jobs", pass_context=False)
async def rescue_stalled_jobs(timestamp: int) -> None:
    """Put back jobs whose worker was killed: it left them in `doing`."""
    stalled = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_SECONDS)
    for job in stalled:
        await app.job_manager.retry_job(job)


@app.periodic(cron="17 3 * * *")
@app.task(queueing_lock="forget_deliveries")
def forget_deliveries(timestamp: int) -> None:
    """Delete what was told long ago, with what other servers answered."""
    forget_old()
