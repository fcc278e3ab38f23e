"""The organisations that somebody is a member of."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from organisations.models import Membership, User


@never_cache
@login_required
@require_GET
def dashboard(request: HttpRequest) -> HttpResponse:
    """List a member's organisations."""
    assert isinstance(request.user, User)
    context = {"memberships": Membership.objects.of(request.user)}
    return render(request, "organisations/dashboard.html", context)
