"""What moved on the organisations' Stripe balances, and what those balances were."""

from treasury.models.movements import BalanceTransaction, BalanceTransactionQuerySet
from treasury.models.readings import StripeBalance, StripeReading

__all__ = ["BalanceTransaction", "BalanceTransactionQuerySet", "StripeBalance", "StripeReading"]
