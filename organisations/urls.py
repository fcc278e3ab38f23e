"""Signing in, one's account, a member's organisations, and who else takes part in them."""

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.contrib.auth.decorators import login_required
from django.urls import include, path, re_path, reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from organisations.views import accounts, dashboard, invitations, members

# The names are those by which allauth finds its views.
ACCOUNT = [
    path("sign-in", accounts.SignIn.as_view(), name="account_login"),
    path("sign-in/second", never_cache(factors.authenticate), name="mfa_authenticate"),
    path("sign-in/passkey", never_cache(webauthn.login_webauthn), name="mfa_login_webauthn"),
    path("sign-in/inactive", account.account_inactive, name="account_inactive"),
    path("sign-out", require_POST(account.logout), name="account_logout"),
    path("account", accounts.Account.as_view(), name="mfa_index"),
    path("account/email", never_cache(accounts.ChangeAddress.as_view()), name="account_email"),
    path("account/password", never_cache(account.password_change), name="account_change_password"),
    path("account/password/set", never_cache(account.password_set), name="account_set_password"),
    path("account/codes", never_cache(totp.activate_totp), name="mfa_activate_totp"),
    path("account/codes/remove", never_cache(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("account/passkeys/add", never_cache(webauthn.add_webauthn), name="mfa_add_webauthn"),
    path(
        "account/passkeys/<int:pk>/remove",
        never_cache(
            webauthn.RemoveWebAuthnView.as_view(success_url=reverse_lazy("mfa_index")),
        ),
        name="mfa_remove_webauthn",
    ),
    path(
        "account/recovery-codes",
        never_cache(recovery_codes.view_recovery_codes),
        name="mfa_view_recovery_codes",
    ),
    path(
        "account/recovery-codes/new",
        never_cache(recovery_codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
]
CONFIRMING = [
    path("account/confirm", never_cache(account.reauthenticate), name="account_reauthenticate"),
    path("account/confirm/code", never_cache(factors.reauthenticate), name="mfa_reauthenticate"),
    path(
        "account/confirm/passkey",
        never_cache(webauthn.reauthenticate_webauthn),
        name="mfa_reauthenticate_webauthn",
    ),
]
BY_MAIL = [
    re_path(
        r"^account/email/(?P<key>[-:\w]+)$",
        never_cache(login_required(accounts.ConfirmAddress.as_view())),
        name="account_confirm_email",
    ),
    path("password", account.password_reset, name="account_reset_password"),
    path("password/sent", account.password_reset_done, name="account_reset_password_done"),
    path(
        "password/done",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/(?P<uidb36>\w+)-(?P<key>[-\w]+)$",
        never_cache(account.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path("invitations/<slug:invitation_id>", invitations.invitation, name="invitation"),
]
MEMBERS = [
    path("members", members.member_list, name="members"),
    path("members/invite", members.invite, name="invite"),
    path("members/invitations/<slug:invitation_id>/again", members.send_again, name="invite-again"),
    path(
        "members/invitations/<slug:invitation_id>/withdraw",
        members.withdraw,
        name="withdraw-invitation",
    ),
    path("members/leave", members.leave, name="leave"),
    path("members/<int:member_id>", members.member, name="member"),
    path("members/<int:member_id>/remove", members.remove, name="remove-member"),
]
urlpatterns = [
    *ACCOUNT,
    *CONFIRMING,
    *BY_MAIL,
    path("dashboard", dashboard.dashboard, name="dashboard"),
    path("dashboard/<slug:slug>/", include(MEMBERS)),
]
