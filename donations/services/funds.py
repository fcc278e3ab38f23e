"""Funds: what an organisation collects for."""

from django.db import transaction

from donations.models import Fund
from organisations.models import Organisation


@transaction.atomic
def create_fund(
    *,
    organisation: Organisation,
    slug: str,
    name: str,
    summary: str = "",
    goal: int | None = None,
    position: int = 0,
) -> Fund:
    """Open something to give to; `goal` counts minor units. The same slug returns what is there."""
    defaults = {"name": name, "summary": summary, "goal": goal, "position": position}
    fund, _ = Fund.objects.get_or_create(organisation=organisation, slug=slug, defaults=defaults)
    return fund
