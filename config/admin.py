"""The staff's site."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.conf import settings
from django.contrib.admin import AdminSite
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, path
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from organisations.access import lacks_second_factor
from organisations.models import User
from organisations.views.accounts import sign_in_for_staff
from reviews.views import export, figures

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class StaffSite(AdminSite):
    """Django's admin, named for what staff do in it, behind our own signing in."""

    site_header = "Almoner: staff"
    site_title = "Almoner"
    index_title = "What there is to see and to decide"

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Add the desk in figures."""
        return [
            path("figures/", self.admin_view(figures), name="figures"),
            path("figures/export/", self.admin_view(export), name="figures-export"),
            *super().get_urls(),
        ]

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Refuse on every page what the database cannot look for: a NUL."""

        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
                raise BadRequest("An address with a NUL is none.")
            return view(request, *args, **kwargs)

        return super().admin_view(cast(View, guarded), cacheable)

    def has_permission(self, request: HttpRequest) -> bool:
        """Let staff in who have a second factor, where one is required."""
        user = request.user
        if not (isinstance(user, User) and super().has_permission(request)):
            return False
        return not lacks_second_factor(user)

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Sign staff in; lead who lacks a second factor to where it is set up."""
        if not isinstance(request.user, User):
            return sign_in_for_staff(request)
        if not request.user.is_staff:
            raise PermissionDenied
        return redirect("admin:index" if self.has_permission(request) else "mfa_index")

    def password_change(  # type: ignore[override]  # shows nothing itself
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        """Send staff to their account, where passwords are changed."""
        return redirect("account_change_password")

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Tell whether second factors are asked for here."""
        asks = {"asks_second_factor": settings.REQUIRE_SECOND_FACTOR}
        return {**super().each_context(request), **asks}
