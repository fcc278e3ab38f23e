"""Bring back leaves of the heads log, for operators who had to restore an older backup."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.errors import DomainError
from ledger.services.heads import restore_heads


class Command(BaseCommand):
    """Writes back what the mirror has and the database has not, or nothing at all."""

    help = "Bring back the heads that a mirror (export_log) has and this database has lost."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where the mirror is."""
        parser.add_argument("folder", type=Path, help="what export_log was given")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Write them back, and say how many."""
        try:
            restored = restore_heads(folder=options["folder"])
        except (DomainError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{restored:,} heads are back, and the log is sealed with them.")
