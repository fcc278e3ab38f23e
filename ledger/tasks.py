"""Background work of the ledger: books attest their balances."""

import logging
from datetime import timedelta

from django.utils import timezone
from procrastinate.contrib.django import app

from common.errors import in_words
from ledger.models import Book
from ledger.services.attestations import attest_balances

logger = logging.getLogger("almoner.ledger")

ENTRIES_BETWEEN = 1000
TIME_BETWEEN = timedelta(days=1)


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="attest_due")
def attest_due(timestamp: int) -> None:
    """Attest where a thousand entries came since the last time, or a day went by with any."""
    since = timezone.now() - TIME_BETWEEN
    for book in Book.objects.unattested(entries=ENTRIES_BETWEEN, since=since):
        try:
            attest_balances(book=book)
        except Exception as error:  # whatever it is, it does not hold up the other books
            facts = {"organisation": book.organisation_id, "reason": in_words(error)}
            logger.error("attestation postponed", extra=facts)
