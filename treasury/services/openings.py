"""Where a book begins that does not begin with its account: what was on the balance then."""

from datetime import datetime

from ledger.models import PUBLIC, Book
from ledger.operations import MoneyOperation
from ledger.services import Draft, append
from organisations.models import Organisation
from treasury.services.legs import EXTERNAL, STRIPE
from treasury.services.reading import balances_at


def book_opening(*, organisation: Organisation, opened_at: datetime) -> None:
    """
    Book what was on an account's balance at a moment, once: it came from outside this book.

    Talks to Stripe first. Raises `TryAgainLater`, `StripeRefused`.
    """
    balances = balances_at(organisation, opened_at)
    book = Book.objects.get(organisation=organisation, book=PUBLIC)
    append(
        book=book,
        drafts=[
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
        ],
    )
