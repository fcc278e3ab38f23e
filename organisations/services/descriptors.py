"""What donors read on their cards' statements: Stripe knows."""

from typing import TYPE_CHECKING

from common.stripe_api import client, translated_errors
from organisations.models import Organisation

if TYPE_CHECKING:
    from stripe import Account

LENGTH_MAX = 64


def read_descriptor(*, organisation: Organisation) -> None:
    """
    Note what stands on the statements of cards that pay this organisation.

    Talks to Stripe and must not run within a transaction; does nothing without an account. Raises
    `TryAgainLater`, `StripeRefused`.
    """
    if not organisation.stripe_account:
        return
    with translated_errors(account=organisation.stripe_account):
        account = client().v1.accounts.retrieve(organisation.stripe_account)
    organisation.statement_descriptor = _descriptor(account)
    organisation.save(update_fields=["statement_descriptor"])


def _descriptor(account: "Account") -> str:
    # Our payments add no suffix: the account's own words stand there, its prefix where it has none.
    settings = account.to_dict(for_json=True).get("settings") or {}
    payments, cards = (settings.get(part) or {} for part in ("payments", "card_payments"))
    words = payments.get("statement_descriptor") or cards.get("statement_descriptor_prefix")
    return str(words or "")[:LENGTH_MAX]
