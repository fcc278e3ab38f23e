"""What the commands about one book share."""

from abc import ABC, abstractmethod
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.errors import DomainError
from ledger.models import PUBLIC, Book


class BookCommand(BaseCommand, ABC):
    """A command about one book: what is refused is told in a sentence."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which book."""
        parser.add_argument("--organisation", required=True, help="the organisation's slug")
        parser.add_argument("--book", default=PUBLIC, help="the name of a book; public if left out")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Find the book and do the work."""
        name = {"organisation__slug": options["organisation"], "book": options["book"]}
        book = Book.objects.filter(**name).first()
        if book is None:
            raise CommandError("There is no such book.")
        try:
            self.stdout.write(self.work(book, options))
        except (DomainError, OSError) as error:
            raise CommandError(str(error)) from error

    @abstractmethod
    def work(self, book: Book, options: dict[str, Any]) -> str:
        """Do what the command is for; return what to say."""
