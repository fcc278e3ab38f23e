"""The log of tries to give: what was promised, declined and paid, by whom as far as hashes tell."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from organisations.models import Organisation
from reviews.models import Attempt, Case
from reviews.rules.facts import Gift

# Longer than any rule looks back, and than rules are tested on the past.
KEPT_FOR = timedelta(days=100)


@dataclass(frozen=True, slots=True)
class Payment:
    """
    What Stripe says of one payment: `reference` is its charge, `amount` minor units of `currency`.

    `card`, `email` and `name` are keys of what it says (`reviews.traits.key_of`), `country` is the
    card's.
    """

    gift: str
    reference: str
    at: datetime
    amount: int
    currency: str
    card: str = ""
    email: str = ""
    name: str = ""
    country: str = ""


def record_promised(*, gift: Gift, reference: str) -> None:
    """Keep that a gift was promised, by whom; told again, it changes nothing."""
    attempt = Attempt(
        organisation=gift.organisation,
        kind=Attempt.Kind.PROMISED,
        reference=reference,
        gift=gift.id,
        at=gift.at,
        amount=gift.amount or None,
        currency=gift.currency,
        address=gift.traits.address,
        session=gift.traits.session,
        email=gift.traits.email,
    )
    Attempt.objects.bulk_create([attempt], ignore_conflicts=True)


def gift_tried_as(organisation: Organisation, reference: str) -> str:
    """Return the gift of an earlier try with a reference; empty where there was none."""
    tried = Attempt.objects.of(organisation).filter(kind=Attempt.Kind.PROMISED)
    return tried.filter(reference=reference).values_list("gift", flat=True).first() or ""


def record_declined(*, organisation: Organisation, payments: Sequence[Payment]) -> None:
    """Keep which cards were declined; what is told again changes nothing."""
    _record(Attempt.Kind.DECLINED, organisation, payments)


def record_paid(*, organisation: Organisation, payments: Sequence[Payment]) -> None:
    """Keep what was paid; what is told again changes nothing."""
    _record(Attempt.Kind.PAID, organisation, payments)


def forget_traits(*, organisation: Organisation, gift: str) -> None:
    """Forget who tried to give a gift, and whose its cases are; that it was tried stays."""
    own = Attempt.objects.of(organisation).filter(gift=gift)
    own.update(address="", session="", email="", card="", name="")
    Case.objects.filter(organisation=organisation, gift=gift).update(donor_key="")


def forget_attempts() -> None:
    """Delete what no rule looks back to any more."""
    Attempt.objects.filter(at__lt=timezone.now() - KEPT_FOR).delete()


def _record(kind: Attempt.Kind, organisation: Organisation, payments: Sequence[Payment]) -> None:
    if not payments:
        return
    promised = _promised(organisation, {payment.gift for payment in payments})
    attempts = [
        _attempt(kind, organisation, payment, promised.get(payment.gift, Attempt()))
        for payment in payments
    ]
    Attempt.objects.bulk_create(attempts, ignore_conflicts=True)


def _promised(organisation: Organisation, gifts: Collection[str]) -> dict[str, Attempt]:
    promised = Attempt.objects.of(organisation).filter(kind=Attempt.Kind.PROMISED)
    return {attempt.gift: attempt for attempt in promised.filter(gift__in=gifts)}


def _attempt(
    kind: Attempt.Kind, organisation: Organisation, payment: Payment, promised: Attempt
) -> Attempt:
    """Return a payment as an attempt of whoever promised its gift."""
    return Attempt(
        organisation=organisation,
        kind=kind,
        reference=payment.reference,
        gift=payment.gift,
        at=payment.at,
        amount=payment.amount,
        currency=payment.currency,
        address=promised.address,
        session=promised.session,
        email=payment.email or promised.email,
        card=payment.card,
        name=payment.name,
        country=payment.country,
    )
