"""What a public book says of a day's reviews: how many, and never of whom."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Q

from ledger.models import PUBLIC, Book, Entry
from ledger.operations import MoneyOperation
from ledger.services import append, saying
from organisations.models import Organisation
from reviews.models import Hold, Screening

Verdict = Screening.Verdict
DAYS_BACK = 7


def attest_reviews(*, organisation: Organisation, day: date) -> Entry | None:
    """
    Write a day's counts (UTC) into the public book, once; None where nothing was screened.

    What comes to be known of the day later changes nothing: a line stays as it is.
    """
    nonce = f"reviews:{day}"
    written = Entry.objects.of(organisation).filter(nonce=nonce).first()
    counts = {} if written else _counts(organisation, day)
    if not any(counts.values()):
        return written
    draft = saying(
        MoneyOperation.REVIEW_ATTESTATION, nonce=nonce, metadata={"day": str(day), **counts}
    )
    [entry] = append(book=Book.objects.get(organisation=organisation, book=PUBLIC), drafts=[draft])
    return entry


def attest_last_days(*, organisation: Organisation, today: date) -> None:
    """Write the days that are over, as far back as a worker may have been away."""
    for ago in range(DAYS_BACK, 0, -1):
        attest_reviews(organisation=organisation, day=today - timedelta(days=ago))


def _counts(organisation: Organisation, day: date) -> dict[str, int]:
    start = datetime.combine(day, time.min, UTC)
    within = (start, start + timedelta(days=1))
    screened = Screening.objects.filter(organisation=organisation, at__range=_of(within))
    held = Hold.objects.of(organisation)
    verdicts: dict[str, Any] = screened.aggregate(
        screenings=Count("pk"),
        challenged=Count("pk", filter=Q(verdict=Verdict.CHALLENGE)),
        reviewed=Count("pk", filter=Q(verdict=Verdict.REVIEW)),
        blocked=Count("pk", filter=Q(verdict=Verdict.BLOCK)),
    )
    ended = held.filter(ended_at__range=_of(within))
    return {
        **verdicts,
        "holds": held.filter(opened_at__range=_of(within)).count(),
        "releases": ended.filter(status=Hold.Status.RELEASED).count(),
        "refusals": ended.filter(status=Hold.Status.REFUSED).count(),
    }


def _of(within: tuple[datetime, datetime]) -> tuple[datetime, datetime]:
    # A range in SQL has both of its ends.
    return within[0], within[1] - timedelta(microseconds=1)
