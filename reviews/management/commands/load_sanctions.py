"""Load a list of sanctions from its publisher's files, for operators and their cron."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from reviews.models.sanctions import SanctionList
from reviews.sanction_lists.errors import ListRefused
from reviews.services.sanctions import load_list


class Command(BaseCommand):
    """Prints one JSON object: `list, published_on, entries, sha256`."""

    help = (
        "Put the names in a publisher's files in the place of that list, all of them or none "
        "(docs/sanctions.md says where the files are)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which list, and its files."""
        parser.add_argument("--list", required=True, choices=SanctionList.Source.values)
        parser.add_argument(
            "--force",
            action="store_true",
            help="also an older list, or one of less than half as many parties",
        )
        parser.add_argument("file", nargs="+", type=Path, help="as the publisher has it")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Load it, and say what it has."""
        try:
            loaded = load_list(
                source=options["list"], paths=options["file"], is_forced=options["force"]
            )
        except ListRefused as error:
            raise CommandError(str(error)) from error
        told = {
            "list": loaded.source,
            "published_on": f"{loaded.published_on}",
            "entries": loaded.entries,
            "sha256": loaded.sha256,
        }
        self.stdout.write(json.dumps(told))
