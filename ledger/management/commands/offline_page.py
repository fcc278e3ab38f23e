"""Write the page /verify as one file, and print its hash as `sha256sum` does."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ledger import offline


class Command(BaseCommand):
    """Whoever has the source makes the file that a site serves, and compares the two."""

    help = "Write the page that verifies files without a network, and print its SHA-256."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where to write it."""
        parser.add_argument("file", type=Path, help=f"such as {offline.FILENAME}")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Write it."""
        try:
            options["file"].write_bytes(offline.page())
        except OSError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{offline.digest()}  {options['file']}")
