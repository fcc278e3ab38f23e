"""What `donations` does when an organisation is approved: it opens the general fund."""

from typing import Any

from django.dispatch import receiver

from donations.models import GENERAL
from donations.services.funds import create_fund
from organisations.models import Organisation
from organisations.signals import organisation_approved


@receiver(organisation_approved)
def open_general_fund(organisation: Organisation, **_kwargs: Any) -> None:
    """Open the fund that fees and gifts without a purpose go to, last in every list."""
    create_fund(
        organisation=organisation,
        slug=GENERAL,
        name="General",
        summary="Where it is needed most",
        position=100,
    )
