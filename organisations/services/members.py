"""Who takes part in an organisation, and every change of it, written down."""

from typing import Any

from django.db import transaction

from organisations.access import Right, may
from organisations.errors import LastOwner, MayNotManage, NoMember, NotByOneself, OwnersOnly
from organisations.models import Membership, MembershipChange, Organisation, User

OWNER = Membership.Role.OWNER
Kind = MembershipChange.Kind


@transaction.atomic
def add_member(*, organisation: Organisation, user: User, role: str) -> Membership:
    """
    Give a person a part in an organisation; one who has a part gets this one instead.

    This is the operator's way, and asks for nobody's right. Raises `LastOwner`.
    """
    lock(organisation)
    membership = Membership.objects.filter(organisation=organisation, user=user).first()
    if membership is None:
        return join(organisation=organisation, user=user, role=role, by=None)
    return _set_role(membership, role, by=None)


@transaction.atomic
def change_role(*, membership: Membership, role: str, by: User) -> Membership:
    """
    Give a member another role.

    Raises `MayNotManage`, `OwnersOnly`, `NotByOneself`, `NoMember`, `LastOwner`.
    """
    membership = _locked(membership, by)
    check_may_give(membership.organisation, role, by)
    return _set_role(membership, role, by)


@transaction.atomic
def remove_member(*, membership: Membership, by: User) -> None:
    """
    End a member's part.

    Raises `MayNotManage`, `OwnersOnly`, `NotByOneself`, `NoMember`, `LastOwner`.
    """
    _end(_locked(membership, by), Kind.REMOVED, by)


@transaction.atomic
def leave(*, membership: Membership) -> None:
    """End one's own part. Raises `NoMember`, `LastOwner`."""
    lock(membership.organisation)
    _end(_fresh(membership), Kind.LEFT, membership.user)


def join(*, organisation: Organisation, user: User, role: str, by: User | None) -> Membership:
    """Give somebody their first part, within the caller's transaction."""
    membership = Membership.objects.create(organisation=organisation, user=user, role=role)
    _log(membership, Kind.JOINED, by=by, role_after=role)
    return membership


def change_password(*, user: User, password: str) -> None:
    """Let a person sign in with another password, and end the sessions of the old one."""
    user.set_password(password)
    user.save(update_fields=["password"])


def lock(organisation: Organisation) -> None:
    """Let two people change an organisation's members one after the other."""
    Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)


def check_may_give(organisation: Organisation, role: str, by: User) -> None:
    """Raise `MayNotManage` or `OwnersOnly`, by the role that an open account has now."""
    active = Membership.objects.filter(user__is_active=True)
    own = active.filter(organisation=organisation, user=by).first()
    if own is None or not may(own, Right.MANAGE_MEMBERS):
        raise MayNotManage
    if role == OWNER and own.role != OWNER:
        raise OwnersOnly


def _locked(membership: Membership, by: User) -> Membership:
    lock(membership.organisation)
    membership = _fresh(membership)
    if membership.user_id == by.pk:
        raise NotByOneself
    check_may_give(membership.organisation, membership.role, by)
    return membership


def _fresh(membership: Membership) -> Membership:
    found = Membership.objects.select_related("organisation").filter(pk=membership.pk).first()
    if found is None:
        raise NoMember
    return found


def _set_role(membership: Membership, role: str, by: User | None) -> Membership:
    before = membership.role
    if before == role:
        return membership
    _keep_an_owner(membership)
    membership.role = role
    membership.save(update_fields=["role"])
    _log(membership, Kind.ROLE_CHANGED, by=by, role_before=before, role_after=role)
    return membership


def _end(membership: Membership, kind: str, by: User) -> None:
    _keep_an_owner(membership)
    _log(membership, kind, by=by, role_before=membership.role)
    membership.delete()


def _keep_an_owner(membership: Membership) -> None:
    owners = Membership.objects.filter(organisation=membership.organisation, role=OWNER)
    if membership.role == OWNER and not owners.exclude(pk=membership.pk).exists():
        raise LastOwner


def _log(membership: Membership, kind: str, **fields: Any) -> None:
    MembershipChange.objects.create(
        organisation=membership.organisation, person=membership.user, kind=kind, **fields
    )
