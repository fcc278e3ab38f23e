"""Go on sealing after the checkpoint outside the database was lost."""

from typing import Any

from ledger.management.books import BookCommand
from ledger.models import Book, Log
from ledger.services.restoring import trust_checkpoint


class Command(BookCommand):
    """Keeps the database's last checkpoint where none is kept."""

    help = "Keep a book's last checkpoint outside the database again, when the file was lost."

    def work(self, book: Book, options: dict[str, Any]) -> str:
        """Keep it, and say what is trusted now."""
        checkpoint = trust_checkpoint(log=Log(organisation=book.organisation, book=book.book))
        return f"Sealing goes on from the checkpoint of {checkpoint.size:,} entries."
