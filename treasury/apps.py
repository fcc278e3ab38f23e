"""The treasury app."""

from django.apps import AppConfig


class TreasuryConfig(AppConfig):
    """Follows what reviews decide, and shows what it knows on the pages of cases."""

    name = "treasury"

    def ready(self) -> None:
        """Listen and register, once the models are there."""
        import treasury.receivers  # noqa: F401
        from reviews.panels import register
        from treasury.panels import MAKERS

        for kinds, maker in MAKERS.items():
            register(kinds, maker)
