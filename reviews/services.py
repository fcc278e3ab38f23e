"""Opening and closing cases."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from organisations.models import Organisation, User
from reviews.errors import CaseClosed, ReasonMissing
from reviews.models import Case


def open_case(
    *,
    organisation: Organisation | None,
    kind: Case.Kind,
    subject: str,
    summary: str,
    again: bool = False,
) -> Case:
    """
    Put something before staff; the same subject again returns the case that is there.

    A case that was closed stays so, unless it is news that the thing is there `again`: then a new
    one is opened.
    """
    known = Case.objects.filter(kind=kind, subject=subject)
    newest = known.order_by(F("closed_at").desc(nulls_first=True)).first()
    if newest and not (again and newest.closed_at):
        return newest
    # Whoever opens it at the same time returns the same case.
    case, _ = known.get_or_create(
        kind=kind,
        subject=subject,
        closed_at=None,
        defaults={"organisation": organisation, "summary": summary},
    )
    return case


@transaction.atomic
def close_case(*, case: Case, closed_by: User, reason: str) -> Case:
    """Record that a person has dealt with a case. Raises `CaseClosed`, `ReasonMissing`."""
    if not reason.strip():
        raise ReasonMissing
    case = Case.objects.select_for_update().get(pk=case.pk)
    if case.closed_at:
        raise CaseClosed
    case.closed_at = timezone.now()
    case.closed_by = closed_by
    case.reason = reason.strip()
    case.save(update_fields=["closed_at", "closed_by", "reason"])
    return case
