"""The webhooks app."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Listens to what the apps below tell, and checks the settings."""

    name = "webhooks"

    def ready(self) -> None:
        """Listen, once the models are there."""
        import webhooks.checks
        import webhooks.receivers  # noqa: F401
