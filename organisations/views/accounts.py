"""One's own account: allauth's views, where ours differ from them."""

from typing import Any

from allauth.account import views as account
from allauth.mfa.base.views import IndexView
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from organisations.access import lacks_second_factor, needs_second_factor
from organisations.models import User
from organisations.services.people import keep_address


class SignIn(account.LoginView):
    """Asks for an e-mail address and a password; `next` leads nowhere but here."""

    template_name = "organisations/sign_in.html"

    def form_invalid(self, form: Any) -> HttpResponse:
        """Ask again."""
        response: HttpResponse = self.render_to_response(
            self.get_context_data(form=form), status=400
        )
        return response


class ChangeAddress(account.EmailView):
    """Asks for another address, which signs in once its mail was read."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Stand by the present address first."""
        if isinstance(request.user, User):
            keep_address(user=request.user)
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response


class ConfirmAddress(account.ConfirmEmailView):
    """Takes another address over, for the very person who asked for it, signed in."""

    def get_object(self, queryset: Any = None) -> Any:
        """Return what is to be confirmed; others cannot give their address away by a click."""
        found = super().get_object(queryset)
        if found.email_address.user_id != self.request.user.pk:
            raise Http404
        return found


class StaffSignIn(SignIn):
    """The same, on the way to the staff's site."""

    def get_default_success_url(self) -> str:
        """Lead to the staff's site if nothing else was asked for."""
        return reverse("admin:index")


@method_decorator(never_cache, name="dispatch")
class Account(IndexView):
    """One's account: address, password, second factors; and why one must have those."""

    template_name = "organisations/account.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add what the account is for, and what it lacks."""
        user = self.request.user
        assert isinstance(user, User)
        memberships = user.memberships.select_related("organisation")
        facts = {
            "lacks_second_factor": lacks_second_factor(user),
            "answers_for": [each.organisation for each in memberships if needs_second_factor(each)],
        }
        return {**super().get_context_data(**kwargs), **facts}


def sign_in_for_staff(request: HttpRequest) -> HttpResponse:
    """Show the page on which staff sign in."""
    response: HttpResponse = StaffSignIn.as_view()(request)
    return response
