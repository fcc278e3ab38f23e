"""Organisations and who may act for them: staff look, approve and reject."""

from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from common.admin import DecidingAdmin, ReadOnlyAdmin
from organisations.models import ApiKey, Mail, Membership, Organisation, User
from organisations.services import keys, people, tenants


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
class OrganisationAdmin(DecidingAdmin[Organisation]):
    """Applications and tenants; the actions are the only way to become public."""

    list_display = ["name", "slug", "status", "country", "currency", "created_at"]
    list_filter = ["status"]
    ordering = ["-id"]
    exact_lookups = ["slug", "id", "stripe_account", "name__iexact"]
    inlines = [MembershipInline]
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    actions = ["approve", "reject"]

    def has_review_permission(self, request: HttpRequest) -> bool:
        """Tell who may decide on applications."""
        return request.user.has_perm("organisations.review_organisation")

    @admin.action(description="Approve", permissions=["review"])
    def approve(
        self, request: HttpRequest, queryset: QuerySet[Organisation]
    ) -> TemplateResponse | None:
        """Make organisations public."""

        def decision(organisation: Organisation, reason: str) -> None:
            tenants.approve(organisation=organisation, decided_by=staff(request), reason=reason)

        return self.decide_with_reason(
            request, queryset, decision, question="Approve", done="approved"
        )

    @admin.action(description="Reject", permissions=["review"])
    def reject(
        self, request: HttpRequest, queryset: QuerySet[Organisation]
    ) -> TemplateResponse | None:
        """Turn applications down."""

        def decision(organisation: Organisation, reason: str) -> None:
            tenants.reject(organisation=organisation, decided_by=staff(request), reason=reason)

        return self.decide_with_reason(
            request, queryset, decision, question="Reject", done="rejected"
        )


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
    """A person who is there."""

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
        (None, {"fields": ("email", "password", "name")}),
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

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save a person, who signs in with the address that stands there now and no other."""
        super().save_model(request, obj, form, change)
        people.keep_address(user=obj)

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
