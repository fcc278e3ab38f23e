"""What `credits` does when a gift has settled: it notes what the gift grants."""

from typing import Any

from django.dispatch import receiver

from credits.models import CreditGrant, GrantRule
from donations.models import Donation
from donations.signals import donation_settled


@receiver(donation_settled)
def note_grant(donation: Donation, **_kwargs: Any) -> None:
    """Insert the grant in the transaction that settles, if a rule is active and gives anything."""
    if not donation.owner_id:
        return
    rules = GrantRule.objects.of(donation.organisation)
    rule = rules.filter(currency=donation.settled_currency, is_active=True).first()
    amount = (donation.settled_amount or 0) // rule.minor_units_per_credit if rule else 0
    if rule and amount:
        CreditGrant.objects.get_or_create(
            donation=donation.id,
            organisation=donation.organisation,
            defaults={
                "application": rule.application,
                "owner_id": donation.owner_id,
                "amount": amount,
            },
        )
