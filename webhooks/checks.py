"""What `manage.py check` says of the settings for messages to integrators."""

from typing import Any

from django.conf import settings
from django.core.checks import Tags, Warning, register


@register(Tags.security, deploy=True)
def check_where_messages_go(app_configs: Any, **options: Any) -> list[Warning]:
    """Warn where real money is told to private networks, or unencrypted."""
    if not (settings.WEBHOOKS_ALLOW_PRIVATE and settings.STRIPE_LIVEMODE):
        return []
    text = "WEBHOOKS_ALLOW_PRIVATE is on beside a live Stripe key."
    hint = (
        "Whoever sets up an organisation's webhooks can make this server post into its own "
        "network. Leave WEBHOOKS_ALLOW_PRIVATE out."
    )
    return [Warning(text, hint=hint, id="webhooks.W001")]
