"""
Who may do what in an organisation: one table of rights and roles, and the door that asks it.

Every page below `/dashboard/<slug>/` is opened by `members_only`, and by nothing else.
"""

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from common.pages import see_other
from organisations.models import Membership, User

Arguments = ParamSpec("Arguments")
OWNER, ADMIN, FINANCE, VIEWER = Membership.Role
EVERYBODY = frozenset(Membership.Role)


class Right(StrEnum):
    """What a member may be allowed to do."""

    LOOK = "look"
    SEE_DONORS = "see_donors"
    REFUND = "refund"
    SET_UP = "set_up"
    MANAGE_MEMBERS = "manage_members"
    CONNECT = "connect"


# Looking is for everybody; who gave is for those who answer donors; money that leaves, for those
# who answer for it; the Stripe account, on which all of it stands, for owners alone.
ROLES: dict[Right, frozenset[str]] = {
    Right.LOOK: EVERYBODY,
    Right.SEE_DONORS: frozenset({OWNER, ADMIN, FINANCE}),
    Right.REFUND: frozenset({OWNER, FINANCE}),
    Right.SET_UP: frozenset({OWNER, ADMIN}),
    Right.MANAGE_MEMBERS: frozenset({OWNER, ADMIN}),
    Right.CONNECT: frozenset({OWNER}),
}
# Whoever has one of these rights can move money, or give somebody a role that can: a stolen
# password alone must not.
NEED_SECOND_FACTOR = ROLES[Right.REFUND] | ROLES[Right.MANAGE_MEMBERS] | ROLES[Right.CONNECT]

Page = Callable[Concatenate[HttpRequest, Membership, Arguments], HttpResponse]


def members_only(
    right: Right, *methods: str
) -> Callable[[Page[Arguments]], Callable[..., HttpResponse]]:
    """
    Open a page of an organisation's members (`slug` in its URL) to those who have a right.

    The page is called with the visitor's `Membership`. Who is signed out signs in first; a
    stranger's organisation is a 404, a right that one's role does not have a 403; whose role needs
    a second factor and who has none is led to their account first. `methods` are the page's own,
    GET and HEAD where none is named.
    """

    def decorate(page: Page[Arguments]) -> Callable[..., HttpResponse]:
        @wraps(page)
        def guarded(
            request: HttpRequest, slug: str, *args: Arguments.args, **kwargs: Arguments.kwargs
        ) -> HttpResponse:
            membership = membership_of(request, slug)
            if not may(membership, right):
                raise PermissionDenied
            if needs_second_factor(membership) and lacks_second_factor(membership.user):
                return see_other("mfa_index")
            return page(request, membership, *args, **kwargs)

        allowed = require_http_methods(list(methods or ("GET", "HEAD")))
        opened: Any = never_cache(login_required(allowed(guarded)))
        opened.right = right
        return opened  # type: ignore[no-any-return]

    return decorate


def membership_of(request: HttpRequest, slug: str) -> Membership:
    """Return the visitor's part in an organisation; what is not theirs is not there."""
    assert isinstance(request.user, User)
    own = Membership.objects.of(request.user).select_related("user")
    return get_object_or_404(own, organisation__slug=slug)


def may(membership: Membership, right: Right) -> bool:
    """Tell whether a member's role has a right."""
    return membership.role in ROLES[right]


def needs_second_factor(membership: Membership) -> bool:
    """Tell whether a member's role needs a second factor."""
    return membership.role in NEED_SECOND_FACTOR


def lacks_second_factor(user: User) -> bool:
    """Tell whether somebody whose part needs a second factor must set one up first."""
    return settings.REQUIRE_SECOND_FACTOR and not user.has_second_factor()
