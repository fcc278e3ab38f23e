"""The link in an invitation: whoever opens it joins, with an account or a new one."""

from http import HTTPStatus
from typing import Any

from allauth.account.utils import perform_login
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from common.errors import DomainError
from common.pages import see_other
from organisations.errors import InvitationForAnother, InvitationUnknown
from organisations.forms import NewMemberForm
from organisations.models import Invitation, User
from organisations.services import invitations


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, invitation_id: str) -> HttpResponse:
    """Show who invites to what, and let the invited one join."""
    try:
        found = invitations.find(invitation_id, request.GET.get("token", ""))
        if isinstance(request.user, User):
            return for_somebody(request, found, request.user)
        if User.objects.filter(email__iexact=found.email).exists():
            return show(request, "known", invitation=found)
        return for_somebody_new(request, found)
    except DomainError as error:
        return refuse(request, error)


def for_somebody(request: HttpRequest, found: Invitation, user: User) -> HttpResponse:
    """Let who is signed in join. Raises `DomainError`."""
    if user.email.lower() != found.email:
        raise InvitationForAnother
    if request.method != "POST":
        return show(request, "joins", invitation=found)
    invitations.accept(invitation=found, user=user)
    return welcome(request, found)


def for_somebody_new(request: HttpRequest, found: Invitation) -> HttpResponse:
    """Make an account for the invited address, join, and sign in. Raises `DomainError`."""
    form = NewMemberForm(request.POST or None, email=found.email)
    if not form.is_valid():
        status = HTTPStatus.BAD_REQUEST if form.is_bound else HTTPStatus.OK
        return show(request, "new", status, invitation=found, form=form)
    user = invitations.accept_as_new_person(invitation=found, **form.cleaned_data)
    welcome(request, found)
    response: HttpResponse = perform_login(request, user, redirect_url=resolve_url("dashboard"))
    return response


def welcome(request: HttpRequest, found: Invitation) -> HttpResponse:
    """Say that it worked, where somebody's organisations are."""
    messages.success(request, f"You are a member of {found.organisation} now.")
    return see_other("dashboard")


def refuse(request: HttpRequest, error: DomainError) -> HttpResponse:
    """Say why a link does not lead in."""
    is_unknown = isinstance(error, InvitationUnknown)
    return show(
        request,
        "refused",
        HTTPStatus.NOT_FOUND if is_unknown else HTTPStatus.CONFLICT,
        error=error,
        is_for_another=isinstance(error, InvitationForAnother),
    )


def show(
    request: HttpRequest, state: str, status: int = HTTPStatus.OK, **context: Any
) -> HttpResponse:
    """Return the invitation's page: for whom it is `new`, `known`, `joins`, or `refused`."""
    context = {**context, "state": state, "here": request.get_full_path()}
    return render(request, "organisations/invitation.html", context, status=status)
