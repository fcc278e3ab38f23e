"""Verify the books: every row, balance and head, derived anew from the stored bytes."""

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ledger.audit import Report, audit_books
from ledger.audit_heads import audit_heads
from ledger.audit_rules import Verdict


class Command(BaseCommand):
    """
    Audit the books, and the heads log if all of them are audited; say how far it looked.

    Exits with the worst verdict: VALID 0, INCOMPLETE 12, TAMPERED 13, UNKNOWN_KEY 15, MALFORMED 16.
    """

    help = "Verify every row, balance and head of the books against the stored bytes."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which books to audit, and how to say what was found."""
        parser.add_argument("--organisation", default="", help="an organisation's id or slug")
        parser.add_argument("--book", default="", help="the name of a book, such as public")
        parser.add_argument("--json", action="store_true", help="print one JSON object a book")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Audit book by book; print as it goes."""
        chosen = {name: options[name] for name in ("organisation", "book")}
        write = _object if options["json"] else _sentence
        verdicts = []
        for report in audit_books(**chosen):
            self.stdout.write(write(report))
            verdicts.append(report.verdict)
        if not verdicts and any(chosen.values()):
            raise CommandError("There is no such book.")
        summary = f"{len(verdicts):,} books"
        heads = None if any(chosen.values()) else audit_heads()
        if heads:
            self.stdout.write(write(heads))
            verdicts.append(heads.verdict)
            summary += " and the heads log"
        worst = max(verdicts, default=Verdict.VALID)
        if not options["json"]:
            self.stdout.write(f"{worst.name}: {summary}")
        if worst:
            sys.exit(worst)


def _object(report: Report) -> str:
    fields = {"verdict": report.verdict.name, "coverage": report.coverage}
    return json.dumps(asdict(report) | fields, ensure_ascii=False)


def _sentence(report: Report) -> str:
    found = f"{report.verdict.name} {report.name}"
    if report.verdict:
        where = "" if report.first_bad_sequence is None else f"at {report.first_bad_sequence}: "
        found += f" {where}{report.reason}"
    return f"{found} ({report.entries:,} entries; {report.coverage})"
