"""Write public logs as static files, for a file server, an object store or a mirror."""

from typing import Any

from django.core.files.storage import FileSystemStorage, Storage
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ledger.log import public_log
from ledger.models import HeadsLog
from ledger.services.publishing import publish_log
from organisations.models import Organisation

S3 = "s3://"
INSTALL = (
    "Object stores need libraries that are not installed: "
    ".venv/bin/pip install --require-hashes -r requirements-s3.txt"
)
NO_BUCKET = "An object store is named as s3://bucket or s3://bucket/prefix."


class Command(BaseCommand):
    """Writes what is new since the last time: organisation by organisation, then the heads log."""

    help = "Write public logs (checkpoint, tiles, entries) as files that any server can host."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where to, and which organisation."""
        parser.add_argument(
            "target", help="a folder, or s3://bucket/prefix; files go to <target>/log/…"
        )
        parser.add_argument("--organisation", help="the organisation's slug; all logs if left out")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Write them, and say how far each goes."""
        organisations = Organisation.objects.public().order_by("slug")
        if slug := options["organisation"]:
            organisations = organisations.filter(slug=slug)
        if slug and not organisations:
            raise CommandError("There is no such public organisation.")
        storage = storage_at(options["target"])
        try:
            for organisation in organisations:
                size = publish_log(log=public_log(organisation), storage=storage)
                self.stdout.write(f"{organisation.slug}: {size:,} entries")
            # Last: what it says of the books is in their files by then.
            if not slug and (size := publish_log(log=HeadsLog(), storage=storage)):
                self.stdout.write(f"heads: {size:,} checkpoints")
        except OSError as error:
            raise CommandError(str(error)) from error


def storage_at(target: str) -> Storage:
    """Return what writes to a folder or to an object store."""
    if not target.startswith(S3):
        return FileSystemStorage(target, allow_overwrite=True)
    bucket, _, prefix = target.removeprefix(S3).partition("/")
    if not bucket:
        raise CommandError(NO_BUCKET)
    try:
        from ledger.object_store import ObjectStore
    except ImportError as error:
        raise CommandError(INSTALL) from error
    return ObjectStore(bucket, prefix)
