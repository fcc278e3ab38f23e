"""The pages for members: signing in, and the organisations that somebody is a member of."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from organisations.forms import SignInForm
from organisations.models import Membership, User


class SignIn(LoginView):
    """Asks for an e-mail address and a password; `next` leads nowhere but here."""

    form_class = SignInForm
    template_name = "organisations/sign_in.html"

    def form_invalid(self, form: Any) -> HttpResponse:
        """Ask again."""
        return self.render_to_response(self.get_context_data(form=form), status=400)


@never_cache
@login_required
@require_GET
def dashboard(request: HttpRequest) -> HttpResponse:
    """List a member's organisations."""
    assert isinstance(request.user, User)
    context = {"memberships": Membership.objects.of(request.user)}
    return render(request, "organisations/dashboard.html", context)
