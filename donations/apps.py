"""The donations app."""

from django.apps import AppConfig


class DonationsConfig(AppConfig):
    """Connects gifts to what `organisations` tells."""

    name = "donations"

    def ready(self) -> None:
        """Listen."""
        import donations.receivers  # noqa: F401 - after the models
