"""Background work of credits: writing the grants that wait."""

import logging

from procrastinate.contrib.django import app

from common.errors import in_words
from credits.models import CreditGrant
from credits.services import write_grants
from organisations.models import Organisation

logger = logging.getLogger("almoner.credits")
BATCH_MAX = 500


@app.periodic(cron="* * * * * */5")
@app.task(queueing_lock="write_waiting_grants")
def write_waiting_grants(timestamp: int) -> None:
    """Write what gifts grant, once the rules have looked at them and nothing is held."""
    while grant_due(limit=BATCH_MAX):
        pass


def grant_due(*, limit: int) -> int:
    """
    Write the grants that wait, at most `limit` of each book; return how many.

    A book that cannot be written does not hold up the others: its grants wait for the next time.
    """
    waiting = CreditGrant.objects.waiting().values_list("organisation_id", "application")
    books = list(waiting.order_by().distinct())
    return sum(_grant(organisation, application, limit) for organisation, application in books)


def _grant(organisation_id: str, application: str, limit: int) -> int:
    organisation = Organisation.objects.get(id=organisation_id)
    try:
        return write_grants(organisation=organisation, application=application, limit=limit)
    except Exception as error:  # whatever it is, other books have their turn
        facts = {"organisation": organisation_id, "application": application}
        logger.warning("grants postponed", extra={**facts, "reason": in_words(error)})
        return 0
