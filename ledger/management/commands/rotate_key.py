"""Give an organisation a new signing key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.errors import DomainError
from ledger.services.rotating import rotate_key
from organisations.models import Organisation


class Command(BaseCommand):
    """Writes a rotation into each book; the retired key signs beside the new one for 30 days."""

    help = "Give an organisation a new signing key; its books say so, by the old key's word."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whose key, and whether the old one can still speak."""
        parser.add_argument("--organisation", required=True, help="the organisation's slug")
        parser.add_argument(
            "--lost",
            action="store_true",
            help="the old key cannot be opened any more, so it vouches for nothing",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Rotate, and print the new key."""
        organisation = Organisation.objects.filter(slug=options["organisation"]).first()
        if organisation is None:
            raise CommandError("There is no such organisation.")
        try:
            key = rotate_key(organisation=organisation, is_lost=options["lost"])
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(key.vkey)
