"""What moved on the organisations' Stripe balances, what those were, and what is disputed."""

from treasury.models.disputes import Dispute
from treasury.models.movements import BalanceTransaction, BalanceTransactionQuerySet
from treasury.models.readings import StripeBalance, StripeReading

__all__ = [
    "BalanceTransaction",
    "BalanceTransactionQuerySet",
    "Dispute",
    "StripeBalance",
    "StripeReading",
]
