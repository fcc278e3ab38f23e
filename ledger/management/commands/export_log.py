"""Write public logs as static files, for a file server or a mirror."""

from typing import Any

from django.core.files.storage import FileSystemStorage
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ledger.log import public_log
from ledger.models import HeadsLog
from ledger.services.publishing import publish_log
from organisations.models import Organisation


class Command(BaseCommand):
    """Writes what is new since the last time: organisation by organisation, then the heads log."""

    help = "Write public logs (checkpoint, tiles, entries) as files that any server can host."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where to, and which organisation."""
        parser.add_argument("folder", help="files go to <folder>/log/…")
        parser.add_argument("--organisation", help="the organisation's slug; all logs if left out")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Write them, and say how far each goes."""
        organisations = Organisation.objects.public().order_by("slug")
        if slug := options["organisation"]:
            organisations = organisations.filter(slug=slug)
        if slug and not organisations:
            raise CommandError("There is no such public organisation.")
        storage = FileSystemStorage(options["folder"])
        try:
            for organisation in organisations:
                size = publish_log(log=public_log(organisation), storage=storage)
                self.stdout.write(f"{organisation.slug}: {size:,} entries")
            # Last: what it says of the books is in their files by then.
            if not slug and (size := publish_log(log=HeadsLog(), storage=storage)):
                self.stdout.write(f"heads: {size:,} checkpoints")
        except OSError as error:
            raise CommandError(str(error)) from error
