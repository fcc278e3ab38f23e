"""What `manage.py check`, and with it every start, says of signing in."""

from typing import Any

from django.conf import settings
from django.core.checks import Error, register


@register
def check_second_factor(app_configs: Any, **options: Any) -> list[Error]:
    """Refuse to leave real money behind passwords alone."""
    if settings.REQUIRE_SECOND_FACTOR or not settings.STRIPE_LIVEMODE:
        return []
    text = "REQUIRE_SECOND_FACTOR is off, but STRIPE_SECRET_KEY is a live key."
    hint = "Remove REQUIRE_SECOND_FACTOR from the environment, or use a test key."
    return [Error(text, hint=hint, id="organisations.E001")]
