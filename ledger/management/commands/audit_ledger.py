"""Verify the books: every row, balance and head, derived anew from the stored bytes."""

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ledger.audit import Report, audit_books
from ledger.audit_rules import Verdict


class Command(BaseCommand):
    """
    Audit the books and say how far it looked.

    Exits with the worst verdict: VALID 0, INCOMPLETE 12, TAMPERED 13, MALFORMED 16.
    """

    help = "Verify every row, balance and head of the books against the stored bytes."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which books to audit, and how to say what was found."""
        parser.add_argument("--organisation", default="", help="an organisation's id or slug")
        parser.add_argument("--book", default="", help="the name of a book, such as public")
        parser.add_argument("--json", action="store_true", help="print one JSON object a book")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Audit book by book; print as it goes."""
        verdicts = []
        for report in audit_books(organisation=options["organisation"], book=options["book"]):
            self.stdout.write(_object(report) if options["json"] else _sentence(report))
            verdicts.append(report.verdict)
        if not verdicts and (options["organisation"] or options["book"]):
            raise CommandError("There is no such book.")
        worst = max(verdicts, default=Verdict.VALID)
        if not options["json"]:
            self.stdout.write(f"{worst.name}: {len(verdicts):,} books")
        if worst:
            sys.exit(worst)


def _object(report: Report) -> str:
    fields = {"verdict": report.verdict.name, "coverage": report.coverage}
    return json.dumps(asdict(report) | fields, ensure_ascii=False)


def _sentence(report: Report) -> str:
    found = f"{report.verdict.name} {report.slug}/{report.book}"
    if report.verdict:
        where = "" if report.first_bad_sequence is None else f"at {report.first_bad_sequence}: "
        found += f" {where}{report.reason}"
    return f"{found} ({report.entries:,} entries; {report.coverage})"
