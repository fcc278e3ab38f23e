"""Correct one entry, for operators: without clicking, and on the record all the same."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from ledger.management.books import BookCommand
from ledger.models import Book, Entry
from ledger.services.corrections import correct_entry


class Command(BookCommand):
    """Writes the entry that takes another back; the same again writes nothing."""

    help = "Correct an entry by a new one that takes it back and says why."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which entry, and why."""
        super().add_arguments(parser)
        parser.add_argument("--sequence", required=True, type=int)
        parser.add_argument(
            "--reason",
            required=True,
            help="published with the entry, for ever: nothing about anybody",
        )

    def work(self, book: Book, options: dict[str, Any]) -> str:
        """Correct it, and say where the correction is."""
        entries = Entry.objects.of(book.organisation_id, book.book)
        entry = entries.filter(sequence=options["sequence"]).first()
        if entry is None:
            raise CommandError("There is no such entry.")
        correction = correct_entry(entry=entry, reason=options["reason"])
        found = {"sequence": correction.sequence, "entry_hash": correction.entry_hash}
        return json.dumps({"corrects": entry.sequence, **found})
