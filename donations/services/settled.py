"""Looking at gifts once they are in the ledger: what a rule holds moves to `held`."""

import logging
from dataclasses import replace

from django.db import transaction

from common.errors import in_words
from donations.models import Donation
from donations.services.gifts import lock_gifts
from donations.services.holding import hold_settled, note_settled, open_gift_case
from donations.services.screening import name_of, settled_facts
from ledger.services.retrying import retried
from reviews.models import Hold, Screening
from reviews.rules.rule import Verdict
from reviews.services.screening import Screened, screen
from reviews.yente import YenteAnswer, ask_yente

logger = logging.getLogger("almoner.donations")
LOOKED_AT = (Verdict.REVIEW, Verdict.BLOCK)


def screen_due(*, batch: int) -> None:
    """Screen all settled gifts that wait for it, `batch` by `batch`; what fails waits on."""
    failed: set[str] = set()
    waiting = Donation.objects.filter(screening_due=True).order_by("settled_at")
    while due := list(waiting.exclude(id__in=failed)[:batch]):
        for donation in due:
            try:
                screen_gift(donation, asked=ask_yente(name_of(donation)))
            except Exception as error:  # whatever it is, the others have their turn
                failed.add(donation.id)
                facts = {"gift": donation.id, "reason": in_words(error)}
                logger.error("screening postponed", extra=facts)


@retried
@transaction.atomic
def screen_gift(donation: Donation, *, asked: YenteAnswer | None = None) -> None:
    """
    Screen a settled gift once: open a case where a rule asks for it, and hold what must be.

    `asked` is what a matching service said of the donor's name: it is asked before.
    """
    donation = lock_gifts(donation.organisation, [donation.id])[donation.id]
    if not donation.screening_due:
        return
    was_reviewed = donation.authorise_only or donation.review_due
    donation.screening_due = donation.review_due = False
    donation.save(update_fields=["screening_due", "review_due"])
    seen = None
    if Hold.objects.of(donation.organisation).filter(gift=donation.id).exists():
        note_settled(donation)
        seen = _seen(donation)
    screened = screen(
        occasion=Screening.Occasion.SETTLEMENT, gift=replace(settled_facts(donation), asked=asked)
    )
    if seen is not None and seen.issuperset(_to_look_at(screened)):
        return
    if screened.holds or (was_reviewed and seen is None):
        hold_settled(donation)
    elif screened.verdict in LOOKED_AT:
        open_gift_case(donation)


def _to_look_at(screened: Screened) -> set[str]:
    # What only scores is no reason to look again.
    counting = [result for result in screened.results if result.counts]
    return {result.version.rule.name for result in counting if result.finding.verdict in LOOKED_AT}


def _seen(donation: Donation) -> set[str] | None:
    """Return which hits people saw before they let a gift's card be charged; None if nobody did."""
    holds = Hold.objects.of(donation.organisation).filter(gift=donation.id)
    if not holds.filter(status=Hold.Status.RELEASED).exists():
        return None
    earlier = Screening.objects.filter(organisation=donation.organisation, subject=donation.id)
    return {name for hits in earlier.values_list("hits", flat=True) for name in hits}
