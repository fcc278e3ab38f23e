"""What this app does when the apps below speak: it notes what subscribers will be told."""

from typing import Any

from django.dispatch import receiver

from donations.models import Donation
from donations.signals import donation_failed, donation_paid
from treasury.models import Payout
from treasury.signals import payout_arrived
from webhooks.models import Topic
from webhooks.services.telling import tell_of_gift, tell_of_payout


@receiver(donation_paid)
def tell_paid(donation: Donation, **_kwargs: Any) -> None:
    """Insert what is told of a payment."""
    assert donation.paid_at
    tell_of_gift(donation=donation, topic=Topic.DONATION_PAID, happened_at=donation.paid_at)


@receiver(donation_failed)
def tell_failed(donation: Donation, **_kwargs: Any) -> None:
    """Insert what is told of a payment that failed."""
    assert donation.ended_at
    tell_of_gift(donation=donation, topic=Topic.DONATION_FAILED, happened_at=donation.ended_at)


@receiver(payout_arrived)
def tell_arrived(payout: Payout, **_kwargs: Any) -> None:
    """Insert what is told of a payout."""
    tell_of_payout(payout=payout)
