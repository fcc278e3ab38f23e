"""The ledger app."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """Connects the ledger to what `organisations` tells."""

    name = "ledger"

    def ready(self) -> None:
        """Listen."""
        import ledger.receivers  # noqa: F401 - after the models
