"""The reviews app."""

from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    """Listens to what `organisations` tells, and shows on pages of cases what they are about."""

    name = "reviews"

    def ready(self) -> None:
        """Register and listen, once the models are there."""
        import reviews.receivers  # noqa: F401
        from reviews import applicants, books
        from reviews.models import Case
        from reviews.panels import register

        register([Case.Kind.APPLICATION], applicants.panels)
        register([Case.Kind.AUDIT, Case.Kind.SEALING], books.panels)
