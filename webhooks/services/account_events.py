"""
What events say of an account itself: that it needs something, or that its owner let us go.

That is taken note of before the account's money is read, since the last of these events comes
when nothing can be read any more.
"""

from collections.abc import Sequence
from datetime import datetime

from common.errors import TryAgainLater
from common.stripe_api import StripeRefused, is_without_access
from organisations.models import Organisation
from organisations.services.account_states import (
    is_disconnected,
    note_disconnection,
    note_refusal,
    read_state,
)
from webhooks.models import StripeEvent

DEAUTHORIZED = "account.application.deauthorized"
CHANGED = {"account.updated", "capability.updated"}
TYPES = {DEAUTHORIZED, *CHANGED}


def take_note(organisation: Organisation, events: Sequence[StripeEvent]) -> None:
    """
    Keep what events say of an account; they may be told more than once, in any order.

    Talks to Stripe and must not run within a transaction. Raises `TryAgainLater` for an
    organisation that is not public; the books of one that is do not wait for this.
    """
    for event in events:
        if event.type == DEAUTHORIZED:
            assert isinstance(event.occurred_at, datetime)
            note_disconnection(
                organisation=organisation, account=event.account, at=event.occurred_at
            )
    if any(event.type in CHANGED for event in events):
        try:
            read_state(organisation=organisation)
        except StripeRefused:
            return
        except TryAgainLater:
            if not organisation.is_public:
                raise


def is_gone(organisation: Organisation, error: Exception) -> bool:
    """Tell whether Stripe refuses since the account is disconnected, as we were told."""
    if not (is_without_access(error) and is_disconnected(organisation)):
        return False
    note_refusal(organisation=organisation, account=str(organisation.stripe_account))
    return True
