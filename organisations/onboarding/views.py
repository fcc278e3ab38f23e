"""The application: filled in, shown with what is missing, and sent in."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from common.errors import DomainError
from common.pages import see_other
from organisations.access import Right, may, members_only
from organisations.errors import DocumentRefused, SlugTaken
from organisations.models import Document, Membership, Organisation, StripeAccountState
from organisations.onboarding.downloads import download
from organisations.onboarding.forms import IdentityForm
from organisations.registration_numbers import check
from organisations.requirement_words import in_words, why_disabled
from organisations.services import applications, documents


@members_only(Right.SET_UP, "GET", "HEAD", "POST")
def application(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Show an application and what it needs still; keep what was typed."""
    organisation = membership.organisation
    first = {name: getattr(organisation, name) for name in applications.IDENTITY}
    form = IdentityForm(request.POST if request.method == "POST" else None, initial=first)
    status = 400 if form.is_bound else 200
    if form.is_valid():
        try:
            kept = applications.save_identity(organisation=organisation, **form.cleaned_data)
        except DomainError as error:
            form.add_error("slug" if isinstance(error, SlugTaken) else None, str(error))
            status = error.status
        else:
            messages.success(request, "What you entered is saved.")
            return see_other("application", kept.slug)
    return render(
        request, "organisations/application.html", _shown(membership, form), status=status
    )


@members_only(Right.SET_UP, "POST")
def add_document(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Keep a paper."""
    organisation, file = membership.organisation, request.FILES.get("document")
    try:
        if file is None:
            raise DocumentRefused("Choose a PDF, PNG or JPEG file of at most 10 MB.")
        documents.add_document(
            organisation=organisation, file=file, name=file.name or "", added_by=membership.user
        )
    except DomainError as error:
        messages.error(request, str(error))
    return _to_documents(organisation)


@members_only(Right.SET_UP)
def document(request: HttpRequest, membership: Membership, document_id: str) -> HttpResponse:
    """Hand a paper to those who set the organisation up."""
    own = Document.objects.filter(organisation=membership.organisation)
    return download(get_object_or_404(own, id=document_id))


@members_only(Right.SET_UP, "POST")
def remove_document(request: HttpRequest, membership: Membership, document_id: str) -> HttpResponse:
    """Remove a paper."""
    organisation = membership.organisation
    try:
        documents.remove_document(organisation=organisation, document_id=document_id)
    except DomainError as error:
        messages.error(request, str(error))
    return _to_documents(organisation)


@members_only(Right.SET_UP, "POST")
def submit(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Send an application in."""
    organisation = membership.organisation
    try:
        applications.submit_application(organisation=organisation)
    except DomainError as error:
        messages.error(request, str(error))
    return see_other("application", organisation.slug)


def account_of(membership: Membership) -> dict[str, Any]:
    """Return what pages show of an organisation's Stripe account."""
    organisation = membership.organisation
    state = StripeAccountState.objects.filter(organisation=organisation).first()
    shown = state or StripeAccountState()
    due = in_words([*shown.past_due, *shown.currently_due])
    return {
        "organisation": organisation,
        "account": state,
        "due": due,
        "later": [words for words in in_words(shown.eventually_due) if words not in due],
        "why_disabled": why_disabled(shown.disabled_reason),
        "may_connect": may(membership, Right.CONNECT),
        "has_oauth": bool(settings.STRIPE_CLIENT_ID),
    }


def _to_documents(organisation: Organisation) -> HttpResponse:
    return see_other(reverse("application", args=[organisation.slug]) + "#documents")


def _shown(membership: Membership, form: IdentityForm) -> dict[str, Any]:
    organisation = membership.organisation
    return account_of(membership) | {
        "form": form,
        "is_draft": organisation.status == Organisation.Status.DRAFT,
        "check": check(organisation.country, organisation.registration).value,
        "documents": organisation.documents.order_by("added_at"),
        "missing": applications.missing_of(organisation),
    }
