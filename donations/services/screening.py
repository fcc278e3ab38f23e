"""Having gifts screened: when they are promised, and once they are in the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from common.ids import make_id
from donations.errors import GiftBlocked, GiftChallenged
from donations.models import Donation
from organisations.models import Organisation
from reviews.models import Attempt
from reviews.puzzles import solved
from reviews.rules.facts import Gift
from reviews.rules.rule import Verdict
from reviews.services.history import traits_of_attempt
from reviews.services.visitors import Visit, screen_visit, traits_of, turn_away


@dataclass(frozen=True, slots=True)
class Visitor:
    """
    Who gives on one of our pages: their network address, and a text that their browser keeps.

    `puzzle` and `solution` are what a challenge asked for.
    """

    address: str
    session: str
    puzzle: str = ""
    solution: str = ""


def screen_promise(
    organisation: Organisation,
    gift: Mapping[str, Any],
    reference: str | None,
    visitor: Visitor | None,
) -> bool:
    """
    Have a promise screened; tell whether people are to look at it.

    A try with the same `reference` again counts as the same. Without a `visitor` a program asks: it
    cannot be challenged, and answers for its own visitors.
    Must not run within a transaction: a try that is refused has been one. Raises `GiftBlocked`,
    `GiftChallenged`.
    """
    verdict = screen_visit(_visit(organisation, gift, reference, visitor))
    _stop(verdict)
    return verdict == Verdict.REVIEW


def stop_early(
    organisation: Organisation, *, email: str, idempotency_key: str | None, visitor: Visitor
) -> None:
    """
    Stop a visitor against whom something stands already, before anything else is read for them.

    So an attack is answered at the least cost: nobody looks at the amount. A gift that is promised
    stays so. Raises `GiftBlocked`, `GiftChallenged`.
    """
    if is_promised(organisation, idempotency_key):
        return
    gift = {"id": make_id("don"), "amount": 0, "currency": "", "donor_email": email}
    _stop(turn_away(_visit(organisation, gift, None, visitor)))


def is_promised(organisation: Organisation, idempotency_key: str | None) -> bool:
    """Tell whether there is a gift by this key."""
    if idempotency_key is None:
        return False
    return Donation.objects.of(organisation).filter(idempotency_key=idempotency_key).exists()


def name_of(donation: Donation) -> str:
    """Return what the donor is called, as far as that is known."""
    return donation.donor_name or donation.public_name


def settled_facts(donation: Donation, *, at: datetime | None = None) -> Gift:
    """Return a settled gift as rules see it: as it settled, or later, at another moment."""
    assert donation.settled_amount
    assert donation.settled_at
    tried = Attempt.objects.of(donation.organisation).filter(gift=donation.id).order_by("-id")
    attempt = tried.filter(kind=Attempt.Kind.PAID).first() or tried.first() or Attempt()
    return Gift(
        id=donation.id,
        organisation=donation.organisation,
        amount=donation.settled_amount,
        currency=donation.settled_currency,
        at=at or donation.settled_at,
        paid_at=donation.paid_at,
        donor_name=name_of(donation),
        traits=traits_of_attempt(attempt),
    )


def _stop(verdict: Verdict) -> None:
    if verdict == Verdict.BLOCK:
        raise GiftBlocked
    if verdict == Verdict.CHALLENGE:
        raise GiftChallenged


def _visit(
    organisation: Organisation,
    gift: Mapping[str, Any],
    reference: str | None,
    visitor: Visitor | None,
) -> Visit:
    came = visitor or Visitor(address="", session="")
    return Visit(
        gift=Gift(
            id=gift["id"],
            organisation=organisation,
            amount=gift["amount"],
            currency=gift["currency"],
            at=timezone.now(),
            traits=traits_of(address=came.address, session=came.session, email=gift["donor_email"]),
            donor_name=gift.get("donor_name") or gift.get("public_name") or "",
        ),
        reference=reference or gift["id"],
        puzzle=solved(came.puzzle, came.solution),
        is_program=visitor is None,
    )
