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
from treasury.services.standing import look_at_account
from webhooks.models import StripeEvent

DEAUTHORIZED = "account.application.deauthorized"
BANK_CHANGED = {
    "account.external_account.created",
    "account.external_account.deleted",
    "account.external_account.updated",
}
CHANGED = {"account.updated", "capability.updated", *BANK_CHANGED}
TYPES = {DEAUTHORIZED, *CHANGED}


def take_note(organisation: Organisation, events: Sequence[StripeEvent]) -> None:
    """
    Keep what events say of an account; they may be told more than once, in any order.

    Talks to Stripe and must not run within a transaction. Raises `TryAgainLater` for an
    organisation that is not public, and where payouts go to another bank account; else the books
    do not wait for this.
    """
    for event in events:
        if event.type == DEAUTHORIZED:
            assert isinstance(event.occurred_at, datetime)
            note_disconnection(
                organisation=organisation, account=event.account, at=event.occurred_at
            )
    is_of_bank = any(event.type in BANK_CHANGED for event in events)
    if any(event.type in CHANGED for event in events):
        try:
            read_state(organisation=organisation)
        except StripeRefused:
            return
        except TryAgainLater:
            if is_of_bank or not organisation.is_public:
                raise
    # Before the next payout, not only with the next hour.
    if organisation.is_public and is_of_bank:
        look_at_account(organisation=organisation)


def is_gone(organisation: Organisation, error: Exception) -> bool:
    """Tell whether Stripe refuses since the account is disconnected, as we were told."""
    if not (is_without_access(error) and is_disconnected(organisation)):
        return False
    note_refusal(organisation=organisation, account=str(organisation.stripe_account))
    return True
