"""What moved on the organisations' Stripe balances, what is disputed, what left for banks."""

from treasury.models.controls import PayoutControl, PayoutOrder, PayoutOrderQuerySet
from treasury.models.disputes import Dispute
from treasury.models.movements import BalanceTransaction, BalanceTransactionQuerySet
from treasury.models.payout_items import GIFT, PayoutItem, PayoutItemQuerySet
from treasury.models.payouts import Payout, PayoutQuerySet
from treasury.models.readings import StripeBalance, StripeReading

__all__ = [
    "GIFT",
    "BalanceTransaction",
    "BalanceTransactionQuerySet",
    "Dispute",
    "Payout",
    "PayoutControl",
    "PayoutItem",
    "PayoutItemQuerySet",
    "PayoutOrder",
    "PayoutOrderQuerySet",
    "PayoutQuerySet",
    "StripeBalance",
    "StripeReading",
]
