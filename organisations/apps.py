"""The organisations app."""

from django.apps import AppConfig


class OrganisationsConfig(AppConfig):
    """Adds what `manage.py check` says of signing in."""

    name = "organisations"

    def ready(self) -> None:
        """Register the checks, once the settings are there."""
        import organisations.checks  # noqa: F401
