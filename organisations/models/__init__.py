"""Tenants, their members, and the keys that act for them."""

from organisations.models.accounts import ConnectAttempt, StripeAccountState
from organisations.models.documents import Document
from organisations.models.keys import ApiKey
from organisations.models.mail import Mail, MailQuerySet
from organisations.models.members import (
    Invitation,
    InvitationQuerySet,
    Membership,
    MembershipChange,
    MembershipChangeQuerySet,
    MembershipQuerySet,
)
from organisations.models.people import User, UserManager
from organisations.models.tenants import SLUG, Organisation, OrganisationQuerySet

__all__ = [
    "SLUG",
    "ApiKey",
    "ConnectAttempt",
    "Document",
    "Invitation",
    "InvitationQuerySet",
    "Mail",
    "MailQuerySet",
    "Membership",
    "MembershipChange",
    "MembershipChangeQuerySet",
    "MembershipQuerySet",
    "Organisation",
    "OrganisationQuerySet",
    "StripeAccountState",
    "User",
    "UserManager",
]
