"""Go on sealing the heads log after its checkpoint outside the database was lost."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.errors import DomainError
from ledger.models import HeadsLog
from ledger.services.restoring import trust_checkpoint


class Command(BaseCommand):
    """Keeps the database's last checkpoint of the heads where none is kept."""

    help = "Keep the heads log's last checkpoint outside the database again, after a loss."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Keep it, and say what is trusted now."""
        try:
            checkpoint = trust_checkpoint(log=HeadsLog())
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Sealing goes on from the checkpoint of {checkpoint.size:,} heads.")
