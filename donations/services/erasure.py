"""Erasing who gave: the gift stays, and nobody can tell any more whose it was."""

from django.db import transaction
from django.utils import timezone

from donations.models import Donation, RecurringGift, RefundRequest
from ledger.models import Entry, Opening
from ledger.services.openings import erase_details
from reviews.services.attempts import forget_traits

# A request's hash has no salt: who guesses an address could try it out.
PERSONAL = ("donor_email", "donor_name", "public_name", "owner_id", "request_hash")


@transaction.atomic
def erase_donor(*, donation: Donation) -> Donation:
    """
    Delete all that a gift knows of its donor; a line that commits to it is told so by a new one.

    The same again changes nothing. Where the gift repeats, all its payments are erased, and later
    ones know nobody. What the donor's own application was told stays with it.
    """
    own = Donation.objects.of(donation.organisation).select_for_update().order_by("id")
    if donation.recurring_id is None:
        return _erase(own.get(id=donation.id))
    recurring = RecurringGift.objects.of(donation.organisation).select_for_update()
    _forget_donor(recurring.get(id=donation.recurring_id))
    erased = {gift.id: _erase(gift) for gift in own.filter(recurring=donation.recurring_id)}
    return erased[donation.id]


def _forget_donor(recurring: RecurringGift) -> None:
    if not recurring.erased_at:
        recurring.erased_at = timezone.now()
        recurring.public_name = recurring.owner_id = ""
        if recurring.ended_at:
            recurring.donor_email = ""
        names = ["donor_email", "public_name", "owner_id", "erased_at"]
        recurring.save(update_fields=names)


def _erase(donation: Donation) -> Donation:
    if donation.erased_at:
        return donation
    if donation.sequence is not None:
        entry = Entry.objects.of(donation.organisation).get(sequence=donation.sequence)
        if Opening.objects.of(entry).exists():
            erase_details(entry=entry)
    RefundRequest.objects.of_gift(donation).update(note="")
    forget_traits(organisation=donation.organisation, gift=donation.id)
    for field in PERSONAL:
        setattr(donation, field, "")
    donation.erased_at = timezone.now()
    donation.save(update_fields=[*PERSONAL, "erased_at"])
    return donation
