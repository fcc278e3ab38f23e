"""The webhooks app."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Listens to what the apps below tell, checks the settings, and shows messages on cases."""

    name = "webhooks"

    def ready(self) -> None:
        """Listen, once the models are there."""
        import webhooks.checks
        import webhooks.receivers  # noqa: F401
        from reviews.panels import register
        from webhooks.panels import MAKERS

        for kinds, maker in MAKERS.items():
            register(kinds, maker)
