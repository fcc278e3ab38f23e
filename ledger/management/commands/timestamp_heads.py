"""Have the heads log time-stamped now (RFC 3161)."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from common.errors import DomainError
from ledger.services.timestamping import timestamp_heads


class Command(BaseCommand):
    """Asks the time stamper about the newest checkpoint, unless it has answered already."""

    help = "Have the newest checkpoint of the heads log time-stamped (RFC 3161)."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Ask, and say what was confirmed."""
        if not settings.LEDGER_TIMESTAMP_URL:
            raise CommandError("LEDGER_TIMESTAMP_URL is not set: give the address to ask (README).")
        try:
            stamped = timestamp_heads()
        except DomainError as error:
            raise CommandError(str(error)) from error
        if stamped is None:
            raise CommandError("Nothing is sealed yet: try again when a book was.")
        path, moment = reverse("heads-timestamp", args=[stamped.pk]), stamped.stamped_at
        self.stdout.write(
            f"The checkpoint of {stamped.pk:,} heads was there at {moment:%Y-%m-%d %H:%M:%S} UTC: "
            f"{path}"
        )
