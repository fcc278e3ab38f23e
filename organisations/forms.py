"""What people type to sign in."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm


class SignInForm(AuthenticationForm):
    """An e-mail address and a password; a wrong one of them is not told from the other."""

    error_messages: Any = {
        "invalid_login": "No account has this e-mail address and this password.",
        "inactive": "No account has this e-mail address and this password.",
    }
