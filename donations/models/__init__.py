"""Funds, and gifts from promise to settlement."""

from donations.models.funds import GENERAL, Fund, FundQuerySet
from donations.models.gifts import (
    EMAIL_LENGTH_MAX,
    NAME_LENGTH_MAX,
    OWNER_ID_LENGTH_MAX,
    Donation,
    DonationQuerySet,
)
from donations.models.giving import GivingCurrency

__all__ = [
    "EMAIL_LENGTH_MAX",
    "GENERAL",
    "NAME_LENGTH_MAX",
    "OWNER_ID_LENGTH_MAX",
    "Donation",
    "DonationQuerySet",
    "Fund",
    "FundQuerySet",
    "GivingCurrency",
]
