"""Offering somebody a part in an organisation by mail, and taking it up."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from organisations.errors import (
    InvitationForAnother,
    InvitationOver,
    InvitationTooOld,
    InvitationUnknown,
    InvitedAlready,
    MayNotManage,
    MemberAlready,
    OwnersOnly,
    TooManyInvitations,
)
from organisations.models import Invitation, Membership, MembershipChange, Organisation, User
from organisations.models.members import INVITATION_LASTS, invitation_end
from organisations.services.mail import queue_mail
from organisations.services.members import check_may_give, join, lock
from organisations.services.people import create_person

TOKEN_BYTES = 32
# An organisation must not be a way to fill strangers' mailboxes: what was mailed counts.
MAILS_A_DAY_MAX, MAILS_TO_ONE_A_DAY_MAX = 50, 5
PAUSE = timedelta(minutes=5)
Kind = MembershipChange.Kind


@transaction.atomic
def invite(*, organisation: Organisation, email: str, role: str, by: User) -> Invitation:
    """
    Offer a role to whoever reads the mail of an address.

    Raises `MayNotManage`, `OwnersOnly`, `MemberAlready`, `InvitedAlready`, `TooManyInvitations`.
    """
    email = email.strip().lower()
    lock(organisation)
    check_may_give(organisation, role, by)
    if Membership.objects.filter(organisation=organisation, user__email__iexact=email).exists():
        raise MemberAlready
    if organisation.invitations.open().filter(email=email).exists():
        raise InvitedAlready
    _check_pace(organisation, email)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    invitation = Invitation.objects.create(
        organisation=organisation,
        email=email,
        role=role,
        token_hash=hash_token(token),
        invited_by=by,
    )
    _send(invitation, token, Kind.INVITED, by)
    return invitation


@transaction.atomic
def send_again(*, invitation: Invitation, by: User) -> Invitation:
    """
    Send an open invitation anew: another link, which works for seven days from now.

    Raises `MayNotManage`, `OwnersOnly`, `InvitationOver`, `TooManyInvitations`.
    """
    invitation = _open(invitation, by)
    if invitation.expires_at - INVITATION_LASTS > timezone.now() - PAUSE:
        raise TooManyInvitations
    _check_pace(invitation.organisation, invitation.email)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    invitation.token_hash = hash_token(token)
    invitation.expires_at = invitation_end()
    invitation.invited_by = by
    invitation.save(update_fields=["token_hash", "expires_at", "invited_by"])
    _send(invitation, token, Kind.SENT_AGAIN, by)
    return invitation


@transaction.atomic
def withdraw(*, invitation: Invitation, by: User) -> Invitation:
    """Take an open invitation back. Raises `MayNotManage`, `OwnersOnly`, `InvitationOver`."""
    invitation = _open(invitation, by)
    _end(invitation, "withdrawn_at", timezone.now())
    _log(invitation, Kind.WITHDRAWN, by)
    return invitation


@transaction.atomic
def accept(*, invitation: Invitation, user: User) -> Membership:
    """
    Make whom the invitation went to a member, once.

    Who has a part already keeps it. Raises `InvitationOver`, `InvitationTooOld`,
    `InvitationForAnother`.
    """
    lock(invitation.organisation)
    waiting = Invitation.objects.select_related("organisation", "invited_by")
    invitation = waiting.get(pk=invitation.pk)
    check_may_be_taken(invitation)
    if user.email.lower() != invitation.email:
        raise InvitationForAnother
    _end(invitation, "accepted_at", timezone.now())
    organisation = invitation.organisation
    membership = Membership.objects.filter(organisation=organisation, user=user).first()
    return membership or join(
        organisation=organisation, user=user, role=invitation.role, by=invitation.invited_by
    )


def check_may_be_taken(invitation: Invitation) -> None:
    """Raise `InvitationOver` or `InvitationTooOld` for one that leads nowhere any more."""
    if not invitation.is_open:
        raise InvitationOver
    try:
        check_may_give(invitation.organisation, invitation.role, invitation.invited_by)
    except (MayNotManage, OwnersOnly) as error:
        raise InvitationOver from error
    if invitation.is_too_old:
        raise InvitationTooOld


@transaction.atomic
def accept_as_new_person(*, invitation: Invitation, name: str, password: str) -> User:
    """
    Make an account for the invited address, and its holder a member.

    Raises `EmailTaken`, and as `accept` does.
    """
    person = create_person(email=invitation.email, name=name, password=password)
    accept(invitation=invitation, user=person)
    return person


def find(invitation_id: str, token: str) -> Invitation:
    """
    Return the invitation that a link leads to.

    Raises `InvitationUnknown`, `InvitationOver`, `InvitationTooOld`.
    """
    sent = Invitation.objects.select_related("organisation", "invited_by")
    invitation = sent.filter(pk=invitation_id).first()
    if invitation is None or not constant_time_compare(invitation.token_hash, hash_token(token)):
        raise InvitationUnknown
    check_may_be_taken(invitation)
    return invitation


def hash_token(token: str) -> str:
    """Return what is kept of a token."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _check_pace(organisation: Organisation, email: str) -> None:
    mailed = MembershipChange.objects.mailed(organisation, timezone.now() - timedelta(days=1))
    to_one = mailed.filter(invitation__email=email)
    if mailed.count() >= MAILS_A_DAY_MAX or to_one.count() >= MAILS_TO_ONE_A_DAY_MAX:
        raise TooManyInvitations


def _open(invitation: Invitation, by: User) -> Invitation:
    lock(invitation.organisation)
    invitation = Invitation.objects.select_related("organisation").get(pk=invitation.pk)
    check_may_give(invitation.organisation, invitation.role, by)
    if not invitation.is_open:
        raise InvitationOver
    return invitation


def _end(invitation: Invitation, field: str, at: datetime) -> None:
    setattr(invitation, field, at)
    invitation.save(update_fields=[field])


def _send(invitation: Invitation, token: str, kind: str, by: User) -> None:
    _log(invitation, kind, by)
    context = {"invitation": invitation, "token": token, "by": by}
    queue_mail(to=invitation.email, template="invitation", context=context)


def _log(invitation: Invitation, kind: str, by: User) -> None:
    MembershipChange.objects.create(
        organisation=invitation.organisation,
        invitation=invitation,
        kind=kind,
        role_after=invitation.role,
        by=by,
    )
