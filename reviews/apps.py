"""The reviews app."""

from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    """Listens to what `organisations` tells, and shows applications on the pages of their cases."""

    name = "reviews"

    def ready(self) -> None:
        """Register and listen, once the models are there."""
        import reviews.receivers  # noqa: F401
        from reviews.applicants import panels
        from reviews.models import Case
        from reviews.panels import register

        register([Case.Kind.APPLICATION], panels)
