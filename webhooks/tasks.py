"""Background work of the inbox."""

from procrastinate.contrib.django import app

STALLED_AFTER_SECONDS = 300


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="rescue_stalled_jobs", pass_context=False)
async def rescue_stalled_jobs(timestamp: int) -> None:
    """Put back jobs whose worker was killed: it left them in `doing`."""
    stalled = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_SECONDS)
    for job in stalled:
        await app.job_manager.retry_job(job)
