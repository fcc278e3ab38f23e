"""Funds, gifts from promise to settlement, and what is given back of them."""

from donations.models.funds import GENERAL, Fund, FundQuerySet
from donations.models.gifts import (
    EMAIL_LENGTH_MAX,
    NAME_LENGTH_MAX,
    OWNER_ID_LENGTH_MAX,
    Donation,
    DonationQuerySet,
)
from donations.models.refunds import NOTE_LENGTH_MAX, RefundRequest, RefundRequestQuerySet

__all__ = [
    "EMAIL_LENGTH_MAX",
    "GENERAL",
    "NAME_LENGTH_MAX",
    "NOTE_LENGTH_MAX",
    "OWNER_ID_LENGTH_MAX",
    "Donation",
    "DonationQuerySet",
    "Fund",
    "FundQuerySet",
    "RefundRequest",
    "RefundRequestQuerySet",
]
