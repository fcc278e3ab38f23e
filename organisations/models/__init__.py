"""Tenants, their members, and the keys that act for them."""

from organisations.models.accounts import ConnectAttempt, StripeAccountState
from organisations.models.documents import Document
from organisations.models.keys import ApiKey
from organisations.models.mail import Mail, MailQuerySet
from organisations.models.members import Membership, MembershipQuerySet
from organisations.models.people import User, UserManager
from organisations.models.tenants import SLUG, Organisation, OrganisationQuerySet

__all__ = [
    "SLUG",
    "ApiKey",
    "ConnectAttempt",
    "Document",
    "Mail",
    "MailQuerySet",
    "Membership",
    "MembershipQuerySet",
    "Organisation",
    "OrganisationQuerySet",
    "StripeAccountState",
    "User",
    "UserManager",
]
