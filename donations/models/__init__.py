"""Funds, gifts from promise to settlement, those that repeat, and what is given back."""

from donations.models.funds import GENERAL, Fund, FundQuerySet
from donations.models.gifts import (
    EMAIL_LENGTH_MAX,
    NAME_LENGTH_MAX,
    OWNER_ID_LENGTH_MAX,
    Donation,
    DonationQuerySet,
)
from donations.models.giving import GivingCurrency
from donations.models.recurring import RecurringGift, RecurringNotice
from donations.models.refunds import (
    NOTE_LENGTH_MAX,
    REASONS,
    RefundRequest,
    RefundRequestQuerySet,
)
from donations.models.visits import DonorKnock, DonorVisit

__all__ = [
    "EMAIL_LENGTH_MAX",
    "GENERAL",
    "NAME_LENGTH_MAX",
    "NOTE_LENGTH_MAX",
    "OWNER_ID_LENGTH_MAX",
    "REASONS",
    "Donation",
    "DonationQuerySet",
    "DonorKnock",
    "DonorVisit",
    "Fund",
    "FundQuerySet",
    "GivingCurrency",
    "RecurringGift",
    "RecurringNotice",
    "RefundRequest",
    "RefundRequestQuerySet",
]
