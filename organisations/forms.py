"""What people type to sign in, to look after their account, and to take others in."""

from typing import Any, ClassVar, cast

from allauth.account import forms as account
from allauth.mfa.base import forms as factors
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from common.forms import PageForm
from organisations.models import Membership, User

NEW_PASSWORD = ("New password", "At least 12 characters. A sentence is easy to remember.")
REQUIRED = "Fill this in."
AGAIN = ("The same again", "")
PRESENT = ("Your password", "")


class AccountForm(PageForm):
    """A form of allauth's in our words: `words` has the label and the hint of each field."""

    words: ClassVar[dict[str, tuple[str, str]]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Put our words in place of allauth's."""
        super().__init__(*args, **kwargs)
        for name, (label, hint) in self.words.items():
            field = self.fields[name]
            field.label, field.help_text = label, hint
            field.error_messages["required"] = REQUIRED
            field.widget.attrs.pop("placeholder", None)


class SignInForm(AccountForm, account.LoginForm):
    """An e-mail address and a password; a wrong one of them is not told from the other."""

    main = "email"
    words = {"login": ("E-mail address", ""), "password": PRESENT}

    def add_prefix(self, field_name: str) -> str:
        """Keep the name that password managers and programs know: `username`."""
        return super().add_prefix("username" if field_name == "login" else field_name)


class ConfirmForm(AccountForm, account.ReauthenticateForm):
    """The password once more, before something that matters."""

    main = "password"
    words = {"password": PRESENT}


class NewAddressForm(AccountForm, account.AddEmailForm):
    """Another address to sign in with."""

    main = "email"
    words = {"email": ("New e-mail address", "")}


class ChangePasswordForm(AccountForm, account.ChangePasswordForm):
    """Another password, for who knows the present one."""

    main = "oldpassword"
    words = {
        "oldpassword": ("Present password", ""),
        "password1": NEW_PASSWORD,
        "password2": AGAIN,
    }


class SetPasswordForm(AccountForm, account.SetPasswordForm):
    """A password, for who has none."""

    main = "password1"
    words = {"password1": NEW_PASSWORD, "password2": AGAIN}


class ForgottenPasswordForm(AccountForm, account.ResetPasswordForm):
    """Where to send the link that sets another password."""

    main = "email"
    words = {"email": ("E-mail address", "")}


class NewPasswordForm(AccountForm, account.ResetPasswordKeyForm):
    """Another password, for who followed the link."""

    main = "password1"
    words = {"password1": NEW_PASSWORD, "password2": AGAIN}


CODE = ("Code", "The six digits that your app shows now.")
CODE_OR_RECOVERY = (
    "Code",
    "The six digits that your app shows now, or a recovery code.",
)


class SecondStepForm(AccountForm, factors.AuthenticateForm):
    """The second step of signing in."""

    main = "code"
    words = {"code": CODE_OR_RECOVERY}


class ConfirmByCodeForm(AccountForm, factors.ReauthenticateForm):
    """A code, before something that matters."""

    main = "code"
    words = {"code": CODE_OR_RECOVERY}


class CodeAppForm(AccountForm, totp.ActivateTOTPForm):
    """The first code of an app that shows codes."""

    main = "code"
    words = {"code": CODE}


class PasskeyForm(AccountForm, webauthn.AddWebAuthnForm):
    """A passkey, and what to call it. `passwordless` is sent along: every passkey is one."""

    main = "name"
    words = {"name": ("Name of the passkey", "So that you know it again, such as “Work laptop”.")}


class RoleForm(PageForm):
    """Which role a member gets, of those that the other member may give."""

    main = "role"
    role = forms.ChoiceField(
        error_messages={"required": "Choose a role.", "invalid_choice": "Choose one of these."}
    )

    def __init__(self, *args: Any, roles: list[str], **kwargs: Any) -> None:
        """Offer the roles."""
        super().__init__(*args, **kwargs)
        choices = [(role, Membership.Role(role).label) for role in roles]
        cast(forms.ChoiceField, self.fields["role"]).choices = choices


class InviteForm(RoleForm):
    """Whom to invite, as what."""

    main = "email"
    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Enter an e-mail address."},
    )
    field_order = ["email", "role"]


class NewMemberForm(PageForm):
    """What somebody without an account, but with a mailed link, says of themselves."""

    main = "name"
    name = forms.CharField(label="Your name", max_length=120, error_messages={"required": REQUIRED})
    password = forms.CharField(
        label="Password",
        help_text=NEW_PASSWORD[1],
        strip=False,
        error_messages={"required": REQUIRED},
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        """Know the address, which a password must not resemble."""
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> dict[str, Any]:
        """Refuse a password that is easily guessed."""
        cleaned: dict[str, Any] = super().clean() or {}
        if "password" in cleaned:
            try:
                validate_password(
                    cleaned["password"], User(email=self.email, name=cleaned.get("name", ""))
                )
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned
