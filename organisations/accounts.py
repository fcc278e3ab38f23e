"""What django-allauth asks us: mail, words, links, and how secrets are kept."""

from typing import Any

import segno
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import MultiFernet
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from common.pages import client_address
from common.vault import vault
from organisations.models import User
from organisations.services.mail import queue_mail

PURPOSE = "almoner second factors v1"
# What is said to who has just seen it happen, or would say it to the next person at the screen.
UNSAID = {"account/messages/logged_in.txt", "account/messages/logged_out.txt"}
WRONG_CODE = "This code is not right, or was used before. Wait for the next one and enter that."


class AccountAdapter(DefaultAccountAdapter):
    """Signing in: nobody signs up by themselves, and mail goes through our queue."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "No account has this e-mail address and this password.",
        "enter_current_password": "This is not your present password.",
        "incorrect_password": "This is not your password.",
        "email_taken": "This address cannot be used. Enter another.",
        "duplicate_email": "This is your address already.",
        "too_many_login_attempts": "There were too many attempts. Wait five minutes and try again.",
        "rate_limited": "There were too many attempts. Wait five minutes and try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse: people are invited, or apply for an organisation."""
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Return who has these credentials; that an account is closed is no answer to a guess."""
        user: User | None = super().authenticate(request, **credentials)
        return user if user and user.is_active else None

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return by which address attempts are counted: by the one rule for all pages."""
        return client_address(request)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Queue a mail; allauth's `account/email/password_changed` is our `password_changed`."""
        queue_mail(to=email, template=template_prefix.rpartition("/")[2], context=context)

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Return a link to our own address, whatever host was asked for."""
        uidb36, _, token = key.partition("-")
        path = reverse("account_reset_password_from_key", args=[uidb36, token])
        return f"{settings.BASE_URL}{path}"

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        """Return a link to our own address, whatever host was asked for."""
        path = reverse("account_confirm_email", args=[emailconfirmation.key])
        return f"{settings.BASE_URL}{path}"

    def confirm_email(self, request: HttpRequest, email_address: Any) -> bool:
        """Take an address over, unless somebody else signs in with it by now."""
        others = User.objects.exclude(pk=email_address.user_id)
        if others.filter(email__iexact=email_address.email).exists():
            return False
        return bool(super().confirm_email(request, email_address))

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Go back to the account."""
        return reverse("mfa_index")

    def get_email_verification_redirect_url(self, email_address: Any) -> str:
        """Go back to the account."""
        return reverse("mfa_index")

    def add_message(self, request: HttpRequest, *args: Any, **facts: Any) -> None:
        """Say what happened, except that somebody signed in or out."""
        if not UNSAID.intersection(map(str, args)):
            super().add_message(request, *args, **facts)


class SecondFactorAdapter(DefaultMFAAdapter):
    """Second factors: their secrets are kept encrypted."""

    error_messages = {**DefaultMFAAdapter.error_messages, "incorrect_code": WRONG_CODE}

    def encrypt(self, text: str) -> str:
        """Return what is kept of a secret."""
        return safe().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return a secret."""
        return safe().decrypt(encrypted_text).decode()

    def build_totp_svg(self, url: str) -> str:
        """Draw the code that an app scans."""
        return str(segno.make(url, micro=False).svg_inline(border=4, omitsize=True))


def safe() -> MultiFernet:
    """Return what locks with the present secret key, and opens with those before it as well."""
    return vault(PURPOSE, [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS])
