"""Bring back entries from an export, for operators who had to restore an older backup."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from ledger.management.books import BookCommand
from ledger.models import Book
from ledger.services.restoring import restore_entries


class Command(BookCommand):
    """Writes back what the export has and the database has not, or nothing at all."""

    help = "Bring back the entries that an export (NDJSON) has and this database has lost."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which book, and the export."""
        super().add_arguments(parser)
        parser.add_argument("export", type=Path, help="a file with one line for each entry")

    def work(self, book: Book, options: dict[str, Any]) -> str:
        """Write them back, and say how many."""
        with options["export"].open("rb") as lines:
            restored = restore_entries(book=book, lines=lines)
        return f"{restored:,} entries are back, and the log is sealed with them."
