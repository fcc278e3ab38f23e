"""What this app does when the apps below speak: it notes whom to tell, and follows decisions."""

from typing import Any

from django.dispatch import receiver

from donations.models import Donation
from donations.signals import donation_failed, donation_paid
from reviews.models import Case, Decision
from reviews.signals import case_decided
from treasury.models import Payout
from treasury.signals import payout_arrived
from webhooks.models import Endpoint, StripeEvent, Topic
from webhooks.services.draining import process_again
from webhooks.services.subscribing import enable_endpoint
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


@receiver(case_decided)
def try_again(case: Case, decision: Decision, **_kwargs: Any) -> None:
    """Queue a parked event, or enable a broken endpoint, where staff decided so."""
    if decision.choice == "again":
        process_again(event=StripeEvent.objects.get(id=case.subject))
    elif decision.choice == "enable":
        enable_endpoint(endpoint=Endpoint.objects.get(id=case.subject))
