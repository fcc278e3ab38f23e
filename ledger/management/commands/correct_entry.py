"""Correct one entry, for operators: without clicking, and on the record all the same."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.errors import DomainError
from ledger.models import PUBLIC, Entry
from ledger.services.corrections import correct_entry


class Command(BaseCommand):
    """Writes the entry that takes another back; the same again writes nothing."""

    help = "Correct an entry by a new one that takes it back and says why."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which entry, and why."""
        parser.add_argument("--organisation", required=True, help="the organisation's slug")
        parser.add_argument("--book", default=PUBLIC, help="the name of a book; public if left out")
        parser.add_argument("--sequence", required=True, type=int)
        parser.add_argument(
            "--reason",
            required=True,
            help="published with the entry, for ever: nothing about anybody",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Correct it, and say where the correction is."""
        entry = Entry.objects.filter(
            organisation__slug=options["organisation"],
            book=options["book"],
            sequence=options["sequence"],
        ).first()
        if entry is None:
            raise CommandError("There is no such entry.")
        try:
            correction = correct_entry(entry=entry, reason=options["reason"])
        except DomainError as error:
            raise CommandError(str(error)) from error
        found = {"sequence": correction.sequence, "entry_hash": correction.entry_hash}
        self.stdout.write(json.dumps({"corrects": entry.sequence, **found}))
