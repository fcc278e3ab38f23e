"""Organisations and who may act for them: staff look, approve and reject."""

from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from common.admin import DecidingAdmin, ReadOnlyAdmin
from organisations.models import (
    ApiKey,
    Document,
    Mail,
    Membership,
    Organisation,
    StripeAccountState,
    User,
)
from organisations.onboarding.downloads import download
from organisations.registration_numbers import check
from organisations.requirement_words import in_words
from organisations.services import keys, people
from organisations.services.documents import opened

BANNER_MAX = 20
SEES_PAPERS = "organisations.view_document"


class MembershipInline(admin.TabularInline[Membership, Organisation]):
    """Who acts for an organisation."""

    model = Membership
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, instance: Any = None) -> bool:
        """Refuse: the organisation's owner invites."""
        return False

    def has_change_permission(self, request: HttpRequest, instance: Any = None) -> bool:
        """Refuse: the organisation's owner decides."""
        return False


@admin.register(Organisation)
class OrganisationAdmin(ReadOnlyAdmin[Organisation]):
    """Applicants and tenants; an application is decided in its case, and nowhere else."""

    list_display = ["name", "slug", "status", "country", "currency", "created_at", "connection"]
    list_select_related = ["account_state"]
    list_filter = ["status"]
    ordering = ["-id"]
    exact_lookups = ["slug", "id", "stripe_account", "name__iexact"]
    inlines = [MembershipInline]
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    readonly_fields = ["number_check", "papers", "at_stripe", "decided_in"]

    @admin.display(description="Stripe")
    def connection(self, organisation: Organisation) -> str:
        """Tell in a word how the account stands."""
        state = getattr(organisation, "account_state", None)
        if not organisation.stripe_account or state is None:
            return "connected" if organisation.stripe_account else "none"
        if state.disconnected_at:
            return "disconnected"
        return "takes payments" if state.charges_enabled else "waits for information"

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """List organisations; say so when public ones have disconnected their account."""
        public = Organisation.objects.public()
        gone = public.exclude(account_state__disconnected_at=None).order_by("name")[:BANNER_MAX]
        if request.method == "GET" and gone:
            names = ", ".join(organisation.name for organisation in gone)
            sentence = f"Disconnected from Stripe, so that they take no gifts: {names}."
            self.message_user(request, sentence, messages.WARNING)
        return super().changelist_view(request, *args, **kwargs)

    @admin.display(description="Registration number")
    def number_check(self, organisation: Organisation) -> str:
        """Tell whether the number can be one of its country's."""
        found = check(organisation.country, organisation.registration).value
        return f"{organisation.registration or 'none'} ({found})"

    @admin.display(description="Documents")
    def papers(self, organisation: Organisation) -> str:
        """Link to what the applicant sent in."""
        rows = [
            (reverse("admin:organisation-document", args=[document.id]), document, document.size)
            for document in organisation.documents.order_by("added_at")
        ]
        links = format_html_join(mark_safe("<br>"), '<a href="{}">{}</a>, {} bytes', rows)
        return links or "none"

    @admin.display(description="Stripe account")
    def at_stripe(self, organisation: Organisation) -> str:
        """Tell what Stripe last said of the account."""
        state = StripeAccountState.objects.filter(organisation=organisation).first()
        if state is None or not (state.read_at or state.disconnected_at):
            return "not read yet"
        flags = {
            "takes payments": state.charges_enabled,
            "is paid out": state.payouts_enabled,
            "form sent in": state.details_submitted,
            "disconnected": bool(state.disconnected_at),
        }
        said = [f"{words}: {'yes' if flag else 'no'}" for words, flag in flags.items()]
        due = in_words([*state.past_due, *state.currently_due])
        return "; ".join([*said, *(f"due: {words}" for words in due)])

    @admin.display(description="Decided in")
    def decided_in(self, organisation: Organisation) -> str:
        """Lead to the case in which the application is decided."""
        url = reverse("admin:reviews_case_changelist")
        return format_html('<a href="{}?q={}">the cases about it</a>', url, organisation.id)

    def get_readonly_fields(
        self, request: HttpRequest, instance: Organisation | None = None
    ) -> list[str]:
        """Leave out the papers for those who may not see them."""
        sees_papers = request.user.has_perm(SEES_PAPERS)
        return [name for name in self.readonly_fields if sees_papers or name != "papers"]

    def get_urls(self) -> list[URLPattern]:
        """Add the way to documents."""
        view = self.admin_site.admin_view(self.document)
        route = "documents/<slug:document_id>/"
        return [path(route, view, name="organisation-document"), *super().get_urls()]

    def document(self, request: HttpRequest, document_id: str) -> HttpResponse:
        """Hand a document to those who may see it, and keep that they opened it."""
        if not request.user.has_perm(SEES_PAPERS):
            raise PermissionDenied
        paper = get_object_or_404(Document.objects.select_related("organisation"), id=document_id)
        handed = download(paper)
        self.log_change(request, paper.organisation, opened(paper))
        return handed


@admin.register(ApiKey)
class ApiKeyAdmin(DecidingAdmin[ApiKey]):
    """Keys, by their beginning."""

    list_display = ["prefix", "organisation", "application", "name", "created_at", "revoked_at"]
    list_select_related = ["organisation"]
    ordering = ["-id"]
    fields = ["prefix", "organisation", "application", "name", "scopes", "created_at", "revoked_at"]
    exact_lookups = ["prefix", "organisation__slug"]
    actions = ["revoke"]

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Tell who may end keys."""
        return request.user.has_perm("organisations.change_apikey")

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """End keys at once."""
        self.decide(request, queryset, lambda key: keys.revoke_api_key(key=key), "revoked")


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin[Mail]):
    """Mail that waits, the longest first; what it says is for its reader alone."""

    list_display = ["id", "subject", "created_at", "attempts", "next_attempt_at"]
    ordering = ["id"]
    exact_lookups = ["recipient"]
    fields = ["subject", "recipient", "created_at", "attempts", "next_attempt_at"]


class NewUserForm(AdminUserCreationForm):  # type: ignore[type-arg]
    """A person to be added; addresses are kept in lower case."""

    class Meta:
        model = User
        fields = ("email", "name")

    def clean_email(self) -> str:
        """Return the address as it is looked up."""
        return str(self.cleaned_data["email"]).lower()


class UserForm(UserChangeForm):  # type: ignore[type-arg]
    """A person who is there; nobody sets another's password."""

    password = None  # type: ignore[assignment]  # how forms leave out a field

    class Meta:
        model = User
        fields = "__all__"
        field_classes: ClassVar[dict[str, type[forms.Field]]] = {}

    def clean_email(self) -> str:
        """Return the address as it is looked up."""
        return str(self.cleaned_data["email"]).lower()


class SuperusersOnly:
    """Rights that only superusers give: who could give them could take them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let superusers add."""
        return staff(request).is_superuser

    def has_change_permission(self, request: HttpRequest, instance: Any = None) -> bool:
        """Let superusers change."""
        return staff(request).is_superuser

    def has_delete_permission(self, request: HttpRequest, instance: Any = None) -> bool:
        """Refuse: what people decided stays theirs; they can be made inactive."""
        return False


admin.site.unregister([Group, EmailAddress, Authenticator])


@admin.register(Group)
class RoleAdmin(SuperusersOnly, GroupAdmin):
    """Sets of rights that people of the staff share."""


@admin.register(User)
class PersonAdmin(SuperusersOnly, UserAdmin[User]):
    """People who sign in."""

    form = UserForm
    add_form = NewUserForm
    list_display = ["email", "name", "is_staff", "is_superuser", "is_active", "created_at"]
    list_filter = ["is_staff", "is_superuser", "is_active"]
    search_fields = ["email", "name"]
    ordering = ["email"]
    readonly_fields = ["last_login", "created_at"]
    fieldsets = (
        (None, {"fields": ("email", "name")}),
        (
            "What they may do",
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        ("Dates", {"fields": ("last_login", "created_at")}),
    )

    actions = ["remove_second_factors"]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer what helps whoever has lost their device, to superusers."""
        return super().get_actions(request) if staff(request).is_superuser else {}

    @admin.action(description="Remove second factors (their device and codes are lost)")
    def remove_second_factors(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Let people set up another device; they are told by mail."""
        for person in queryset:
            people.remove_second_factors(user=person)
            self.log_change(request, person, "second factors removed")
            self.message_user(request, f"{person}: second factors removed.", messages.SUCCESS)

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """Refuse: who sets another's password could act as them. They ask for a link by mail."""
        raise PermissionDenied

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """
        Save a person, who signs in with the address that stands there now and no other.

        That it was changed is said to the former one: it could be to act as them.
        """
        super().save_model(request, obj, form, change)
        people.keep_address(user=obj)
        if change and form.initial["email"] != obj.email:
            people.tell_former_address(user=obj, former=form.initial["email"])

    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("email", "name", "usable_password", "password1", "password2"),
            },
        ),
    )


def staff(request: HttpRequest) -> User:
    """Return who is signed in."""
    assert isinstance(request.user, User)
    return request.user
