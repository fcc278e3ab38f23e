"""The organisations app."""

from django.apps import AppConfig


class OrganisationsConfig(AppConfig):
    """Adds what `manage.py check` says, and keeps the staff's groups."""

    name = "organisations"

    def ready(self) -> None:
        """Register the checks, once the settings are there, and listen."""
        import organisations.checks
        import organisations.receivers  # noqa: F401 - after the models
