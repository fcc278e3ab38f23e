"""Payout holds: begun with a case, ended as it was decided."""

from django.db import transaction
from django.utils import timezone

from reviews.models import Case, Decision, Note, PayoutHold
from reviews.services.cases import add_note, lock_open
from reviews.signals import payouts_changed


@transaction.atomic
def hold_payouts(*, case: Case) -> PayoutHold:
    """
    Let an organisation's payouts wait until an open case is decided; again, nothing changes.

    Raises `CaseClosed`.
    """
    case = lock_open(case)
    assert case.organisation
    known = PayoutHold.objects.of(case.organisation).in_force().first()
    if known:
        return known
    hold = PayoutHold.objects.create(organisation=case.organisation, case=case)
    add_note(case, Note.Kind.WAITS, None)
    payouts_changed.send(PayoutHold, hold=hold)
    return hold


def carry_out(*, case: Case, decision: Decision) -> None:
    """Release the payouts that a decided case held; where it held none there is nothing to do."""
    hold = PayoutHold.objects.in_force().filter(case=case).first()
    if hold:
        assert decision.choice == "release"  # there is no other
        hold.released_at = timezone.now()
        hold.save(update_fields=["released_at"])
        payouts_changed.send(PayoutHold, hold=hold)
