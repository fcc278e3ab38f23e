"""Who takes part in an organisation: looking, inviting, changing roles, removing, leaving."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from common.errors import DomainError
from common.pages import see_other
from organisations.access import Right, may, members_only
from organisations.forms import InviteForm, RoleForm
from organisations.models import Invitation, Membership, MembershipChange
from organisations.services import invitations, members

CHANGES_SHOWN = 20
OWNER = Membership.Role.OWNER


@members_only(Right.LOOK)
def member_list(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Show who takes part, who was invited, and what changed last."""
    return show(request, membership, InviteForm(roles=roles_for(membership)))


@members_only(Right.MANAGE_MEMBERS, "POST")
def invite(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Invite somebody by mail."""
    form = InviteForm(request.POST, roles=roles_for(membership))
    if not form.is_valid():
        return show(request, membership, form, status=400)
    wanted = form.cleaned_data
    try:
        invitations.invite(
            organisation=membership.organisation,
            email=wanted["email"],
            role=wanted["role"],
            by=membership.user,
        )
    except DomainError as error:
        form.add_error("email", str(error))
        return show(request, membership, form, status=400)
    messages.success(request, f"The invitation to {wanted['email']} is on its way.")
    return see_other("members", membership.organisation.slug)


@members_only(Right.MANAGE_MEMBERS, "POST")
def send_again(request: HttpRequest, membership: Membership, invitation_id: str) -> HttpResponse:
    """Send an invitation once more, with another link."""
    invitation = invitation_of(membership, invitation_id)
    return tried(
        request,
        membership,
        lambda: invitations.send_again(invitation=invitation, by=membership.user),
        f"Another invitation to {invitation.email} is on its way; the link before does not work.",
    )


@members_only(Right.MANAGE_MEMBERS, "POST")
def withdraw(request: HttpRequest, membership: Membership, invitation_id: str) -> HttpResponse:
    """Take an invitation back."""
    invitation = invitation_of(membership, invitation_id)
    return tried(
        request,
        membership,
        lambda: invitations.withdraw(invitation=invitation, by=membership.user),
        f"The invitation to {invitation.email} is withdrawn; its link does not work any more.",
    )


@members_only(Right.MANAGE_MEMBERS, "GET", "HEAD", "POST")
def member(request: HttpRequest, membership: Membership, member_id: int) -> HttpResponse:
    """Ask for a member's new role, or whether to remove them; give the role."""
    other = member_of(membership, member_id)
    form = RoleForm(request.POST or None, roles=roles_for(membership), initial={"role": other.role})
    if request.method == "POST" and form.is_valid():
        role = form.cleaned_data["role"]
        return tried(
            request,
            membership,
            lambda: members.change_role(membership=other, role=role, by=membership.user),
            f"{other.user} is now {Membership.Role(role).label.lower()}.",
        )
    context = {"organisation": membership.organisation, "other": other, "form": form}
    status = 400 if request.method == "POST" else 200
    return render(request, "organisations/member.html", context, status=status)


@members_only(Right.MANAGE_MEMBERS, "POST")
def remove(request: HttpRequest, membership: Membership, member_id: int) -> HttpResponse:
    """End a member's part."""
    other = member_of(membership, member_id)
    return tried(
        request,
        membership,
        lambda: members.remove_member(membership=other, by=membership.user),
        f"{other.user} is no member any more.",
    )


@members_only(Right.LOOK, "GET", "HEAD", "POST")
def leave(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Ask whether to leave; leave."""
    if request.method != "POST":
        context = {"organisation": membership.organisation}
        return render(request, "organisations/leave.html", context)
    try:
        members.leave(membership=membership)
    except DomainError as error:
        messages.error(request, str(error))
        return see_other("members", membership.organisation.slug)
    messages.success(request, f"You have left {membership.organisation}.")
    return see_other("dashboard")


def roles_for(membership: Membership) -> list[str]:
    """Return the roles that a member may give: owners are made by owners."""
    return [role for role in Membership.Role if role != OWNER or membership.role == OWNER]


def member_of(membership: Membership, member_id: int) -> Membership:
    """Return another member of the same organisation."""
    own = membership.organisation.memberships.select_related("user", "organisation")
    return get_object_or_404(own, pk=member_id)


def invitation_of(membership: Membership, invitation_id: str) -> Invitation:
    """Return an invitation of the organisation."""
    return get_object_or_404(membership.organisation.invitations, pk=invitation_id)


def tried(
    request: HttpRequest, membership: Membership, change: Callable[[], object], done: str
) -> HttpResponse:
    """Make a change and say what became of it, on the list of members."""
    try:
        change()
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return see_other("members", membership.organisation.slug)


def show(
    request: HttpRequest, membership: Membership, form: InviteForm, status: int = 200
) -> HttpResponse:
    """Return the list of members."""
    organisation = membership.organisation
    context: dict[str, Any] = {
        "organisation": organisation,
        "own": membership,
        "members": organisation.memberships.in_order(),
        "invitations": organisation.invitations.open().order_by("id"),
        "changes": MembershipChange.objects.newest(organisation, CHANGES_SHOWN),
        "may_manage": may(membership, Right.MANAGE_MEMBERS),
        "is_owner": membership.role == OWNER,
        "form": form,
    }
    return render(request, "organisations/members.html", context, status=status)
