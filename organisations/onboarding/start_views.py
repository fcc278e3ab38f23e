"""The beginning of an application: an address, the link that is mailed to it, an account."""

from typing import Any

from allauth.account.utils import perform_login
from allauth.core import ratelimit
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from common.pages import see_other
from organisations.errors import ApplicationLinkBroken, EmailTaken, TooManyDrafts
from organisations.models import User
from organisations.onboarding.forms import AddressForm, SignUpForm, StartForm
from organisations.services import applicants, applications


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def apply(request: HttpRequest) -> HttpResponse:
    """Begin an application, for who is signed in; ask everybody else for an address first."""
    if request.method == "POST" and not ratelimit.consume(request, action="apply"):
        response: HttpResponse = ratelimit.respond_429(request)
        return response
    if isinstance(request.user, User):
        return _start(request, request.user)
    return _ask_for_address(request)


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: HttpRequest) -> HttpResponse:
    """Make an account and begin an application, for who came by a mailed link."""
    try:
        email = applicants.read_link(request.GET.get("token", ""))
        if isinstance(request.user, User):
            return see_other("apply")
        return _start_as_new_person(request, email)
    except (ApplicationLinkBroken, EmailTaken) as error:
        context = {"is_known": isinstance(error, EmailTaken)}
        return render(request, "organisations/apply_refused.html", context, status=error.status)


def _start(request: HttpRequest, user: User) -> HttpResponse:
    form = StartForm(request.POST or None)
    if form.is_valid():
        name, country = form.cleaned_data["organisation"], form.cleaned_data["country"]
        try:
            draft = applications.start_application(owner=user, name=name, country=country)
        except TooManyDrafts as error:
            form.add_error(None, str(error))
        else:
            return see_other("application", draft.slug)
    return _ask(request, form)


def _ask_for_address(request: HttpRequest) -> HttpResponse:
    form = AddressForm(request.POST or None)
    if not form.is_valid():
        return _ask(request, form, asked="asked" in request.GET)
    email = form.cleaned_data["email"]
    # Nobody's mailbox is filled from here, and the answer is the same all the same.
    if ratelimit.consume(request, action="apply_by_mail", key=email.lower()):
        applicants.mail_link(email=email)
    return see_other(f"{reverse('apply')}?asked")


def _start_as_new_person(request: HttpRequest, email: str) -> HttpResponse:
    form = SignUpForm(request.POST or None, email=email)
    if not form.is_valid():
        return _ask(request, form, email=email)
    own = applicants.apply_as_new_person(email=email, **form.cleaned_data)
    there = resolve_url("application", own.organisation.slug)
    response: HttpResponse = perform_login(request, own.user, redirect_url=there)
    return response


def _ask(request: HttpRequest, form: AddressForm | StartForm, **context: Any) -> HttpResponse:
    status = 400 if form.is_bound else 200
    return render(request, "organisations/apply.html", {"form": form, **context}, status=status)
