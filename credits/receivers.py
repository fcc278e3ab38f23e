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
    if rule is None:
        return
    assert donation.settled_amount  # the database has it with everything that settled
    if amount := donation.settled_amount // rule.minor_units_per_credit:
        CreditGrant.objects.get_or_create(
            donation=donation.id,
            organisation=donation.organisation,
            defaults={
                "application": rule.application,
                "owner_id": donation.owner_id,
                "amount": amount,
            },
        )
