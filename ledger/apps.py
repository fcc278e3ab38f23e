"""The ledger app."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """Declares the public book, and listens to what `organisations` tells."""

    name = "ledger"

    def ready(self) -> None:
        """Register and listen, once the models are there."""
        import ledger.checks
        import ledger.receivers  # noqa: F401
        from ledger.money import MONEY
        from ledger.operations import register

        register(MONEY)
