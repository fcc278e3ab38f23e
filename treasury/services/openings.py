"""Where a book begins that does not begin with its account: what was on the balance then."""

from collections.abc import Sequence
from datetime import datetime

from ledger.models import PUBLIC, Book
from ledger.operations import MoneyOperation
from ledger.services import Draft, append
from organisations.models import Organisation
from treasury.services.legs import EXTERNAL, STRIPE
from treasury.services.reading import balances_at


def read_opening(*, organisation: Organisation, opened_at: datetime) -> list[Draft]:
    """
    Return what a book begins with: what was on the balance at a moment came from outside of it.

    Talks to Stripe and must not run within a transaction. Raises `TryAgainLater`, `StripeRefused`.
    """
    balances = balances_at(organisation, opened_at)
    return [
        Draft(
            operation=MoneyOperation.EXTERNAL_ACTIVITY,
            amount=abs(amount),
            currency=currency,
            debit=STRIPE if amount > 0 else EXTERNAL,
            credit=EXTERNAL if amount > 0 else STRIPE,
            nonce=f"stripe:{organisation.stripe_account}:opening:{currency}",
            metadata={"opening": True},
            occurred_at=opened_at,
        )
        for currency, amount in sorted(balances.items())
        if amount
    ]


def book_opening(*, organisation: Organisation, drafts: Sequence[Draft]) -> None:
    """Book what a book begins with."""
    append(book=Book.objects.get(organisation=organisation, book=PUBLIC), drafts=drafts)
