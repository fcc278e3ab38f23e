"""Asking Stripe for the events that did not arrive: they go into the same inbox."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from common.stripe_api import client, on_account, translated_errors
from organisations.models import Organisation
from webhooks.models import Backfill
from webhooks.services.event_types import WANTED
from webhooks.services.inbox import take_in

if TYPE_CHECKING:
    from stripe.params import EventListParams

PAGE_SIZE = 100
# Events are listed a moment after they are made, and in no strict order.
OVERLAP = timedelta(hours=1)


def backfill(*, organisation: Organisation) -> int:
    """
    Take in the events of an account since the last time, or all that Stripe still lists (30 days).

    Returns how many were new, of the types that there is something to do about. One that is cut off
    begins again where it began. Talks to Stripe and must not run within a transaction. Raises
    `TryAgainLater`, `StripeRefused`, `InvalidEvent`.
    """
    account, started_at = str(organisation.stripe_account), timezone.now()
    last = Backfill.objects.filter(organisation=organisation).first()
    taken = 0
    with translated_errors(account):
        for event in _events(account, last.until - OVERLAP if last else None):
            if _is_wanted(event):
                # Some versions of the API leave out what the header of the request said.
                taken += take_in({"account": account, **event})
    Backfill.objects.update_or_create(organisation=organisation, defaults={"until": started_at})
    return taken


def _is_wanted(event: dict[str, Any]) -> bool:
    # What has no name is no event, which the inbox says.
    return not isinstance(event.get("type"), str) or event["type"] in WANTED


def _events(account: str, since: datetime | None) -> Iterator[dict[str, Any]]:
    params: EventListParams = {"limit": PAGE_SIZE}
    if since:
        params["created"] = {"gte": int(since.timestamp())}
    while True:
        page = client().v1.events.list(params, on_account(account))
        yield from (event.to_dict(for_json=True) for event in page.data)
        if not page.has_more:
            return
        params["starting_after"] = page.data[-1].id
