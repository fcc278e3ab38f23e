"""The credits app."""

from django.apps import AppConfig


class CreditsConfig(AppConfig):
    """Declares the first application of credits, and listens to what `donations` tells."""

    name = "credits"

    def ready(self) -> None:
        """Register and listen, once the models are there."""
        import credits.receivers  # noqa: F401
        from credits.operations import CREDITS
        from ledger.operations import register

        register(CREDITS)
