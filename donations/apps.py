"""The donations app."""

from django.apps import AppConfig


class DonationsConfig(AppConfig):
    """Connects gifts to what lower apps tell, and shows them on the pages of cases."""

    name = "donations"

    def ready(self) -> None:
        """Listen and register, once the models are there."""
        import donations.receivers  # noqa: F401
        from donations.panels import KINDS, panels
        from reviews.panels import register

        register(KINDS, panels)
