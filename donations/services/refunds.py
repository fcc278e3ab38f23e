"""Asking for refunds: a row first, never for more than is left of a gift."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from django.db import transaction
from django.utils import timezone

from common.money import format_money
from donations.errors import NotRefundable, RefundDiffers, RefundTooLarge
from donations.models import Donation, RefundRequest
from donations.services.screening import settled_facts
from ledger.models import Entry
from ledger.operations import MoneyOperation
from organisations.models import Organisation, User
from reviews.models import Case, Screening
from reviews.rules.rule import Verdict
from reviews.services.cases import open_case
from reviews.services.screening import screen
from reviews.services.wording import why_in_words
from reviews.traits import key_of

# How the keys of refunds begin that staff decided on; the case and its round follow.
STAFF = "case"


@dataclass(frozen=True, slots=True)
class Wish:
    """
    What somebody wants to give back of a gift.

    `amount` counts its minor units; None is all that is left. The same `key` again is the same
    refund. `requested_by` is None where a program asks.
    """

    amount: int | None
    reason: str
    key: str
    note: str = ""
    requested_by: User | None = None

    def digest(self, donation_id: str) -> str:
        """Return what tells this refund from another one with the same key; a note does not."""
        asked = [donation_id, self.amount, self.reason]
        return sha256(json.dumps(asked).encode()).hexdigest()


@transaction.atomic
def take_down(
    *, organisation: Organisation, donation_id: str, wish: Wish
) -> tuple[RefundRequest, bool]:
    """
    Take down a refund, which Stripe is asked for after the commit; tell whether it is new.

    The gift's row is locked, so that two members at once see each other. Raises
    `Donation.DoesNotExist`, `NotRefundable`, `RefundTooLarge`, `RefundDiffers`.
    """
    donation = Donation.objects.of(organisation).select_for_update().get(id=donation_id)
    requests = RefundRequest.objects.of(organisation)
    refund, is_new = requests.filter(key=wish.key).first(), False
    if refund is None:
        refund, is_new = requests.get_or_create(
            organisation=organisation,
            key=wish.key,
            defaults={
                "donation": donation,
                "amount": _amount(donation, wish.amount),
                "reason": wish.reason,
                "note": wish.note,
                "requested_by": wish.requested_by,
                "request_hash": wish.digest(donation.id),
            },
        )
    if refund.request_hash != wish.digest(donation.id):
        raise RefundDiffers
    if is_new and not wish.key.startswith(f"{STAFF}:"):
        _screen(refund)
    return refund, is_new


def left_to_refund(donation: Donation, under_way: Iterable[RefundRequest] | None = None) -> int:
    """
    Return how much of a gift can still be given back. Raises `NotRefundable` where nothing can.

    A refund that is an entry of the ledger already counts there, whoever made it, and not again as
    a request. `under_way` are the gift's `unbooked_refunds`, for who has read them.
    """
    if donation.sequence is None:
        raise NotRefundable(
            "This gift is not in the ledger yet. What was paid can be given back once it is, "
            "usually within a minute."
        )
    if donation.disputed_amount:
        raise NotRefundable(
            "The donor’s bank has taken this gift back and decides on it. To give it back as well "
            "would pay it twice."
        )
    if under_way is None:
        entries = Entry.objects.of(donation.organisation_id).of_gift(donation.id)
        under_way = unbooked_refunds(donation, entries)
    asked = sum(refund.amount for refund in under_way)
    left = donation.amount - donation.refunded_amount - asked
    if left <= 0:
        raise NotRefundable("All of this gift was given back, or is on its way back.")
    return left


def unbooked_refunds(donation: Donation, entries: Iterable[Entry]) -> list[RefundRequest]:
    """Return the refunds of a gift that may come to something and are none of its entries yet."""
    returned = MoneyOperation.DONATION_REFUNDED
    booked = [str(row.metadata.get("source")) for row in entries if row.operation == returned]
    requests = RefundRequest.objects.of_gift(donation).under_way()
    return list(requests.exclude(stripe_refund__in=booked))


def _screen(refund: RefundRequest) -> None:
    # The money goes back to the card it came from; staff see the pattern, and hold up nobody.
    facts = settled_facts(refund.donation, at=timezone.now())
    screened = screen(occasion=Screening.Occasion.REFUND, gift=facts)
    if screened.verdict == Verdict.REVIEW:
        money = format_money(refund.amount, refund.donation.currency)
        open_case(
            organisation=refund.organisation,
            kind=Case.Kind.REFUND,
            subject=refund.id,
            summary=f"A refund of {money} was asked for. {why_in_words(screened.kept)}",
            gift=refund.donation_id,
            donor_key=key_of("email", refund.donation.donor_email),
            amount=refund.amount,
            currency=refund.donation.currency,
        )


def _amount(donation: Donation, wanted: int | None) -> int:
    left = left_to_refund(donation)
    if wanted is not None and wanted > left:
        raise RefundTooLarge(
            f"Only {format_money(left, donation.currency)} of this gift can still be given back."
        )
    return left if wanted is None else wanted
